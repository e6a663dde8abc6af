/* Nesting of sanitised HTML: the stack of open elements, what closes what, and what is opened again
 * behind it. */
#include "nest.h"
#include "record/html.inc"

#include <string.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

_Static_assert(COUNT(html_elements) <= NEST_KINDS, "struct nest counts each element");

void
nest_init(struct nest *n, struct buf *out, size_t spare)
{
	n->out = out;
	n->depth = n->waiting = 0;
	n->spare = spare;
	n->pre = SIZE_MAX;
	n->cells = 0;
	memset(n->opened, 0, sizeof(n->opened));
}

static int
flags_at(const struct nest *n, size_t i)
{
	return html_elements[n->open[i].place].flags;
}

/* Of the innermost element. */
static int
flags_top(const struct nest *n)
{
	return n->depth > 0 ? flags_at(n, n->depth - 1) : 0;
}

uint16_t
nest_place(const char *name)
{
	uint16_t i = 0;

	while (strcmp(html_elements[i].name, name) != 0)
		i++;
	return i;
}

void
nest_close(struct nest *n)
{
	uint16_t place = n->open[--n->depth].place;

	n->opened[place]--;
	buf_str(n->out, "</");
	buf_str(n->out, html_elements[place].name);
	buf_char(n->out, '>');
	if ((html_elements[place].flags & (E_CELL | E_CAPTION)) == 0)
		return;
	while (n->waiting > 0 && n->wait[n->waiting - 1].cells >= n->cells)
		n->waiting--;
	n->cells--;
}

void
nest_open(struct nest *n, uint16_t place, size_t at)
{
	int flags = html_elements[place].flags;

	n->open[n->depth++] = (struct nest_element){ .place = place, .at = at,
		.len = n->out->len - at, .cells = n->cells };
	n->opened[place]++;
	n->cells = (uint16_t)(n->cells + ((flags & (E_CELL | E_CAPTION)) != 0));
	if ((flags & E_PRE) != 0)
		n->pre = n->out->len;
}

/* Whether the same start tag waits already: another of it would change nothing that is seen. */
static int
waits(const struct nest *n, const struct nest_element *e)
{
	for (size_t i = 0; i < n->waiting; i++)
		if (n->wait[i].cells == e->cells && n->wait[i].len == e->len &&
		    memcmp(n->out->data + n->wait[i].at, n->out->data + e->at, e->len) == 0)
			return 1;
	return 0;
}

/* An element is closed whose end tag has not come. */
static void
wait_add(struct nest *n, const struct nest_element *e)
{
	if (n->waiting == NEST_AGAIN || n->out->over || waits(n, e))
		return;
	n->wait[n->waiting] = *e;
	n->wait[n->waiting++].again = 1;
}

/* Closes all but `depth` elements; those of `which` flags, outside of cells that are closed, wait. */
static void
close_to(struct nest *n, size_t depth, int start_tag)
{
	for (size_t i = depth; i < n->depth && (flags_at(n, i) & E_WALL) == 0; i++)
		if ((flags_at(n, i) & E_FORMAT) != 0 && (start_tag || n->open[i].again))
			wait_add(n, &n->open[i]);
	while (n->depth > depth)
		nest_close(n);
}

/* The innermost open element with one of the flags, within those with one of the `walls`: its place
 * in the stack; -1: none. */
static int
find(const struct nest *n, int flags, int walls, int but)
{
	for (size_t i = n->depth; i-- > 0;) {
		if ((flags_at(n, i) & flags) != 0)
			return (int)i;
		if ((flags_at(n, i) & walls) != 0 && (flags_at(n, i) & but) == 0)
			break;
	}
	return -1;
}

static void
close_found(struct nest *n, int flags, int walls, int but)
{
	int i = find(n, flags, walls, but);

	if (i != -1)
		close_to(n, (size_t)i, 1);
}

/* One of those that may not be within themselves, and is open or waits: its end comes now. */
static void
close_same(struct nest *n, uint16_t place)
{
	int flag = html_elements[place].flags & (E_A | E_NOBR);
	size_t kept = 0;

	if (n->opened[place] > 0)
		close_found(n, flag, E_WALL, 0);
	for (size_t i = 0; i < n->waiting; i++)
		if (n->wait[i].place != place || n->wait[i].cells != n->cells)
			n->wait[kept++] = n->wait[i];
	n->waiting = kept;
}

/* A table's part in its place: all inside that place is closed. -1: there is no table. */
static int
place_part(struct nest *n, int flags)
{
	int in = (flags & E_CELL) != 0 ? E_ROW | E_GROUP | E_TABLE :
	    (flags & E_ROW) != 0 ? E_GROUP | E_TABLE :
	    (flags & E_COL) != 0 ? E_COLS | E_TABLE : E_TABLE;
	int i = find(n, in, 0, 0);

	if (i == -1)
		return -1;
	close_to(n, (size_t)i + 1, 1);
	return 0;
}

static void
open_made(struct nest *n, const char *name)
{
	size_t at = n->out->len;

	buf_char(n->out, '<');
	buf_str(n->out, name);
	buf_char(n->out, '>');
	nest_open(n, nest_place(name), at);
}

/* What stands in a table outside its cells gets a cell: a browser would move it before the table. */
static void
make_cell(struct nest *n)
{
	if ((flags_top(n) & E_COLS) != 0)
		nest_close(n);
	if ((flags_top(n) & (E_TABLE | E_GROUP)) != 0)
		open_made(n, "tr");
	if ((flags_top(n) & E_ROW) != 0)
		open_made(n, "td");
}

/* Opens what waits in this cell. */
static void
open_again(struct nest *n)
{
	size_t first = n->waiting, at;
	struct nest_element e;
	char *room;

	while (first > 0 && n->wait[first - 1].cells == n->cells)
		first--;
	for (size_t i = first; i < n->waiting && n->depth < NEST_DEPTH; i++) {
		e = n->wait[i];
		at = n->out->len;
		if (n->spare < 2 * e.len || (room = buf_room(n->out, e.len)) == NULL)
			break;
		n->spare -= 2 * e.len;
		memcpy(room, n->out->data + e.at, e.len);
		n->out->len += e.len;
		nest_open(n, e.place, at);
		n->open[n->depth - 1].again = 1;
	}
	n->waiting = first;
}

/* A block ends what cannot be around it. */
static void
before_block(struct nest *n, int flags)
{
	if ((flags & (E_LI | E_DD)) != 0)
		close_found(n, flags & (E_LI | E_DD), E_BLOCK | E_WALL, E_PASS);
	close_found(n, E_P, E_WALL, 0);
	if ((flags & E_HEADING) != 0 && (flags_top(n) & E_HEADING) != 0)
		close_to(n, n->depth - 1, 1);
}

/* A part of a ruby ends the one before it. */
static void
before_ruby(struct nest *n, int flags)
{
	int ends = E_P | E_LI | E_DD | E_RT | ((flags & E_RB) != 0 ? E_RTC : 0);

	while ((flags_top(n) & ends) != 0)
		close_to(n, n->depth - 1, 1);
}

int
nest_before(struct nest *n, uint16_t place)
{
	int flags = html_elements[place].flags;
	size_t needs = (flags & E_TABLE) != 0 ? NEST_TABLE_DEPTH : (flags & E_VOID) == 0;

	if ((flags & E_PART) != 0)
		return place_part(n, flags) == -1 || n->depth + needs > NEST_DEPTH ? -1 : 0;
	if (n->depth + needs > NEST_DEPTH ||
	    ((flags & E_TABLE) != 0 && n->opened[place] == NEST_TABLES))
		return -1;
	if ((flags_top(n) & E_GRID) != 0)
		make_cell(n);
	if ((flags & E_BLOCK) != 0)
		before_block(n, flags);
	else if ((flags & (E_RT | E_RTC)) != 0)
		before_ruby(n, flags);
	else if ((flags & (E_A | E_NOBR)) != 0)
		close_same(n, place);
	if (n->waiting > 0 && (flags & E_BLOCK) == 0)
		open_again(n);
	return n->depth + needs > NEST_DEPTH ? -1 : 0;
}

/* Its end has come, though it is closed already. */
static int
waits_no_longer(struct nest *n, uint16_t place)
{
	for (size_t i = n->waiting; i-- > 0 && n->wait[i].cells == n->cells;)
		if (n->wait[i].place == place) {
			n->waiting--;
			memmove(&n->wait[i], &n->wait[i + 1], (n->waiting - i) * sizeof(n->wait[0]));
			return 1;
		}
	return 0;
}

void
nest_end(struct nest *n, uint16_t place)
{
	int flags = html_elements[place].flags;
	size_t depth = n->depth;

	if (n->waiting > 0 && (flags & E_FORMAT) != 0 && waits_no_longer(n, place))
		return;
	if (n->opened[place] == 0)
		return;
	while (n->open[depth - 1].place != place) {
		if ((flags_at(n, depth - 1) & ((flags & (E_PART | E_TABLE)) != 0 ? E_TABLE : E_WALL)) != 0)
			return;
		depth--;
	}
	n->open[depth - 1].again = 0;
	close_to(n, depth - 1, 0);
}

static int
is_space(const char *s, size_t len)
{
	while (len > 0 && strchr(" \t\n\f\r", *s) != NULL && *s != '\0')
		s++, len--;
	return len == 0;
}

void
nest_text(struct nest *n, const char *text, size_t len)
{
	if ((n->waiting == 0 && (flags_top(n) & E_GRID) == 0) || is_space(text, len))
		return;
	if ((flags_top(n) & E_GRID) != 0)
		make_cell(n);
	if (n->waiting > 0)
		open_again(n);
}

/* A browser takes no notice of the line end with which a pre begins. */
void
nest_written(struct nest *n, size_t at)
{
	size_t ends = 0, left = n->out->len - at;
	char *s = n->out->data + at;

	if (at != n->pre || left == 0)
		return;
	while (ends < left && (s[ends] == '\n' || s[ends] == '\r'))
		ends++;
	memmove(s, s + ends, left - ends + 1);
	n->out->len -= ends;
}
