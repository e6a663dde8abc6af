/* Prints text for people, cut or wrapped to the terminal's width, and times relative to now. */
#include "cli_show.h"
#include "cli_print.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/shown.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define COLUMNS_LEAST	40		/* width assumed for narrower terminals, which wrap lines */
#define COLUMNS		80		/* width assumed if the terminal's is not known */
#define GAP		2		/* spaces between columns of a table */
#define ELLIPSIS	"\xe2\x80\xa6"
#define REPLACEMENT	"\xef\xbf\xbd"

static struct {
	int	 terminal;
	size_t	 columns;		/* SIZE_MAX: no terminal */
	int64_t	 now;
} show = { .columns = SIZE_MAX };

void
show_open(void)
{
	struct winsize size = { 0 };

	/* Widths of characters are those of Unicode, whatever the user's locale. */
	setlocale(LC_CTYPE, "C.UTF-8");
	show.now = date_now();
	show.terminal = isatty(STDOUT_FILENO);
	if (!show.terminal)
		return;
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	show.columns = size.ws_col == 0 ? COLUMNS :
	    size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : size.ws_col;
}

/* ---- Letters ---- */

/* One character of a text. */
struct letter {
	size_t	 len;			/* bytes; 0: end of the text */
	size_t	 columns;
	int	 bad;			/* to be replaced: no UTF-8, or it controls the terminal */
	int	 left_out;		/* not printed on a terminal */
};

/* Characters that combine emoji into one, or modify one. Terminals disagree about the width of the
 * result, so these are left out there. next: the text behind c. */
static int
merges(wchar_t c, const char *next)
{
	mbstate_t state = { 0 };
	wchar_t after = 0;

	if (c == 0xfe0f || (c >= 0x1f3fb && c <= 0x1f3ff))	/* emoji variant; skin tones */
		return 1;
	if (c != 0x200d)			/* zero width joiner, which scripts use as well */
		return 0;
	return mbrtowc(&after, next, MB_CUR_MAX, &state) <= MB_CUR_MAX && after >= 0x2190;
}

static struct letter
letter_at(const char *s)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, s, MB_CUR_MAX, &state);
	int columns;

	if (n == 0)
		return (struct letter){ .len = 0 };
	if (n > MB_CUR_MAX)		/* no UTF-8 */
		return (struct letter){ .len = 1, .columns = 1, .bad = 1 };
	if (shown_steers((uint32_t)c))
		return (struct letter){ .len = n, .columns = 1, .bad = 1 };
	if (show.terminal && merges(c, s + n))
		return (struct letter){ .len = n, .left_out = 1 };
	columns = wcwidth(c);
	return (struct letter){ .len = n, .columns = columns < 0 ? 1 : (size_t)columns };
}

/* Columns of the terminal that a text takes: two for a wide character, none for a combining one. */
static size_t
show_width(const char *s)
{
	struct letter l;
	size_t n = 0;

	for (; (l = letter_at(s)).len > 0; s += l.len)
		n += l.columns;
	return n;
}

/* Appends a text: characters that control the terminal are replaced, and a text wider than so many
 * columns is cut and gets an ellipsis. */
static void
show_add(struct buf *b, const char *s, size_t columns)
{
	int cut = show_width(s) > columns;
	size_t room = cut ? columns - 1 : columns;
	struct letter l;

	for (; (l = letter_at(s)).len > 0 && l.columns <= room; s += l.len) {
		room -= l.columns;
		if (l.bad)
			buf_str(b, REPLACEMENT);
		else if (!l.left_out)
			buf_add(b, s, l.len);
	}
	if (cut)
		buf_str(b, ELLIPSIS);
}

static void
spaces(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_char(b, ' ');
}

/* ---- Times ---- */

void
show_time(struct buf *b, const char *rfc3339)
{
	static const struct { int64_t below, unit; const char *name; } units[] = {
		{ 60, 1, "s" }, { 3600, 60, "min" }, { 172800, 3600, "h" }, { 5184000, 86400, "d" },
	};
	int64_t ms, s;

	if (!show.terminal || date_parse(rfc3339, &ms) == -1) {
		buf_str(b, rfc3339);
		return;
	}
	s = (ms > show.now ? ms - show.now : show.now - ms) / 1000;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (s < units[i].below) {
			buf_fmt(b, ms > show.now ? "in %lld %s" : "%lld %s ago",
			    (long long)(s / units[i].unit), units[i].name);
			return;
		}
	buf_fmt(b, "%.10s", rfc3339);	/* the date alone */
}

/* ---- Paragraphs ---- */

/* Bytes of the text that fit a line of so many columns: whole words, unless the first one is too
 * wide. A URL is never broken, so that it can be copied. */
static size_t
line_length(const char *s, size_t columns)
{
	size_t n = 0, whole = 0, width = 0, word;
	struct letter l;

	for (; (l = letter_at(s + n)).len > 0; n += l.len) {
		if (s[n] == ' ')
			whole = n;
		if (width + l.columns > columns)
			break;
		width += l.columns;
	}
	if (l.len == 0)
		return n;
	if (whole > 0)
		return whole;
	word = strcspn(s, " ");
	return memmem(s, word, "://", 3) != NULL ? word : n > 0 ? n : l.len;
}

void
show_text(const char *head, const char *text)
{
	size_t indent = show_width(head), room, n;
	struct buf b;

	if (text[0] == '\0')
		return;
	room = show.columns > indent + COLUMNS_LEAST / 2 ? show.columns - indent : COLUMNS_LEAST / 2;
	buf_init(&b, SIZE_MAX / 4);
	show_add(&b, head, SIZE_MAX);
	while (text[0] != '\0') {
		char *line;

		n = show.terminal ? line_length(text, room) : strlen(text);
		line = xstrndup(text, n);
		show_add(&b, line, SIZE_MAX);
		free(line);
		text += n;
		text += strspn(text, " ");
		buf_char(&b, '\n');
		if (text[0] != '\0')
			spaces(&b, indent);
	}
	print_lines(b.data, 0);
	buf_free(&b);
}

/* ---- Tables ---- */

struct row {
	char	*cell[SHOW_COLUMNS];
	char	**note;			/* lines below it */
	size_t	 notes;
};
struct show_table {
	const struct show_column *column;
	size_t			  n;
	size_t			  width[SHOW_COLUMNS];
	struct row		 *row;
	size_t			  rows;
};

struct show_table *
show_table_new(const struct show_column *column, size_t n)
{
	struct show_table *t = xcalloc(1, sizeof(*t));

	t->column = column;
	t->n = n;
	for (size_t i = 0; i < n; i++)
		t->width[i] = strlen(column[i].title);
	return t;
}

void
show_table_row(struct show_table *t, const char *const *cells)
{
	struct row *r;
	size_t width;

	t->row = xreallocarray(t->row, t->rows + 1, sizeof(*t->row));
	r = &t->row[t->rows++];
	r->note = NULL;
	r->notes = 0;
	for (size_t i = 0; i < t->n; i++) {
		r->cell[i] = xstrdup(cells[i]);
		width = show_width(cells[i]);
		t->width[i] = width > t->width[i] ? width : t->width[i];
	}
}

void
show_table_note(struct show_table *t, const char *note)
{
	struct row *r = &t->row[t->rows - 1];

	if (note[0] == '\0')
		return;
	r->note = xreallocarray(r->note, r->notes + 1, sizeof(char *));
	r->note[r->notes++] = xstrdup(note);
}

/* Narrows the widest of the columns that may be cut, until the table fits. */
static void
table_fit(struct show_table *t)
{
	size_t total = 0, i, widest;

	for (i = 0; i < t->n; i++)
		total += t->width[i] + (i > 0 ? GAP : 0);
	for (; total > show.columns; total--) {
		widest = t->n;
		for (i = 0; i < t->n; i++)
			if (t->column[i].least > 0 && t->width[i] > t->column[i].least &&
			    (widest == t->n || t->width[i] > t->width[widest]))
				widest = i;
		if (widest == t->n)
			return;
		t->width[widest]--;
	}
}

static void
line_print(const struct show_table *t, char *const *cell)
{
	struct buf b, one;
	size_t i, pad;

	buf_init(&b, SIZE_MAX / 4);
	for (i = 0; i < t->n; i++) {
		buf_init(&one, SIZE_MAX / 4);
		show_add(&one, cell[i], t->width[i]);
		pad = t->width[i] - show_width(one.data != NULL ? one.data : "");
		spaces(&b, t->column[i].right ? pad : 0);
		buf_add(&b, one.data, one.len);
		if (i + 1 < t->n)
			spaces(&b, (t->column[i].right ? 0 : pad) + GAP);
		buf_free(&one);
	}
	while (b.len > 0 && b.data[b.len - 1] == ' ')
		b.len--;
	print("%.*s\n", (int)b.len, b.data);
	buf_free(&b);
}

void
show_table_end(struct show_table *t)
{
	char *title[SHOW_COLUMNS];

	table_fit(t);
	for (size_t i = 0; i < t->n; i++)
		title[i] = xstrdup(t->column[i].title);
	line_print(t, title);
	for (size_t i = 0; i < t->n; i++)
		free(title[i]);
	for (size_t k = 0; k < t->rows; k++) {
		line_print(t, t->row[k].cell);
		for (size_t i = 0; i < t->row[k].notes; i++) {
			show_text("    ", t->row[k].note[i]);
			free(t->row[k].note[i]);
		}
		free(t->row[k].note);
		for (size_t i = 0; i < t->n; i++)
			free(t->row[k].cell[i]);
	}
	free(t->row);
	free(t);
}
