/* Reads values from a configuration's nodes, or from files, by tables of options. */
#include "setup_value.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/zone.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VALUE_ERR_MAX	4096		/* bytes of one complaint */
#define VALUE_KNOWN_MAX	240		/* bytes of the list of valid keys */

void
wrong(struct setup_reader *r, int line, const char *fmt, ...)
{
	char text[CONF_MISTAKE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mistake(r->mistakes, r->file, line, "%s%s", r->where, text);
}

char *
text_copy(struct setup_reader *r, const char *s)
{
	return s != NULL ? arena_text(&r->setup->memory, s, strlen(s)) : NULL;
}

char *
setup_path(struct setup_reader *r, const char *path)
{
	char *whole, *kept;

	if (*path == '/')
		return text_copy(r, path);
	whole = xasprintf("%s/%s", r->setup->folder, path);
	kept = text_copy(r, whole);
	free(whole);
	return kept;
}

int
is_map(struct setup_reader *r, const struct node *n, const char *what)
{
	if (n->kind == CONF_MAP || (n->kind == CONF_SCALAR && n->text == NULL))
		return 1;
	wrong(r, n->line, "%s: a map is wanted: { key: value }", what);
	return 0;
}

/* ---- Files ---- */

/* Removes what some editors add to lines: a byte order mark at the beginning, CR at the end. */
static void
lines_plain(char *text)
{
	const char *s = text, *after;
	char *to = text;

	while (*s != '\0') {
		if ((to == text || to[-1] == '\n') && strncmp(s, "\xef\xbb\xbf", 3) == 0) {
			s += 3;
			continue;
		}
		after = s + strspn(s, "\r");
		if (after > s && (*after == '\n' || *after == '\0'))
			s = after;
		else
			*to++ = *s++;
	}
	memset(to, '\0', (size_t)(s - to));
}

/* Reads the whole file. NULL, and a mistake: it is larger than SETUP_TEXT_FILE, or no UTF-8 text.
 * */
static char *
file_text(struct setup_reader *r, int line, const char *path, FILE *in)
{
	struct buf b;

	buf_init(&b, SETUP_TEXT_FILE + 1);
	while (b.len <= SETUP_TEXT_FILE && buf_room(&b, 4096) != NULL) {
		size_t got = fread(b.data + b.len, 1, 4096, in);

		b.len += got;
		b.data[b.len] = '\0';
		if (got < 4096)
			break;
	}
	if (ferror(in))
		wrong(r, line, "%s: cannot be read: %s", path, strerror(errno));
	else if (b.over || b.len > SETUP_TEXT_FILE)
		wrong(r, line, "%s: larger than %u MiB", path, SETUP_TEXT_FILE >> 20);
	else if (memchr(b.data, '\0', b.len) != NULL || text_valid(b.data, b.len) != b.len)
		wrong(r, line, "%s: is no UTF-8 text", path);
	else {
		lines_plain(b.data);
		return b.data;
	}
	buf_free(&b);
	return NULL;
}

char *
text_file(struct setup_reader *r, int line, const char *path, int secret)
{
	FILE *in = fopen(path, "re");
	struct stat st;
	char *text = NULL;

	if (in == NULL)
		wrong(r, line, "%s: cannot be opened: %s", path, strerror(errno));
	else if (fstat(fileno(in), &st) == -1 || !S_ISREG(st.st_mode))
		wrong(r, line, "%s: is no file", path);
	else if (secret && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		wrong(r, line, "%s: holds a secret and others can get at it; chmod 600 it", path);
	else
		text = file_text(r, line, path, in);
	if (in != NULL)
		fclose(in);
	return text;
}

/* ---- Values ---- */

/* Checks a value and adds it. file: the file that it is from, whose content no mistake shows; NULL:
 * it is written in the configuration. */
static void
value_add(struct setup_reader *r, const struct cr_option *o, int line, const char *text,
    const char *file, struct options *to)
{
	struct buf err;

	if (r->each && strstr(text, "{each}") != NULL) {	/* each_check() checks it */
		options_add(to, o->name, text);
		return;
	}
	buf_init(&err, VALUE_ERR_MAX);
	if (option_check(o, text, &err) == 0) {
		options_add(to, o->name, text);
	} else if (file != NULL) {
		buf_clear(&err);
		option_takes(o, &err);
		wrong(r, line, "%s_file: what is in %s is not %s", o->name, file, err.data);
	} else {
		wrong(r, line, "%s", err.data);
	}
	buf_free(&err);
}

static int
takes_many(const struct cr_option *o)
{
	return o->type == CR_LIST || o->type == CR_SECRET;
}

/* Whether a map may be given, which stands for the list KEY=VALUE, ... */
static int
takes_map(const struct cr_option *o)
{
	return o->type == CR_LIST || (o->type == CR_SECRET && o->range != NULL);
}

/* Adds a member of a list, or of a map that stands for the list KEY=VALUE, ... */
static void
value_item(struct setup_reader *r, const struct cr_option *o, const struct node *n, struct options *to)
{
	char *pair;

	if (n->kind != CONF_SCALAR) {
		wrong(r, n->line, "%s: its entries are texts, no maps or lists", o->name);
	} else if (n->text == NULL || *n->text == '\0') {
		wrong(r, n->line, "%s: an empty entry", o->name);
	} else if (n->key != NULL) {
		pair = xasprintf("%s=%s", n->key, n->text);
		value_add(r, o, n->line, pair, NULL, to);
		free(pair);
	} else {
		value_add(r, o, n->line, n->text, NULL, to);
	}
}

static void
value_node(struct setup_reader *r, const struct cr_option *o, const struct node *n, struct options *to)
{
	const struct node *item;

	r->inline_secret |= o->type == CR_SECRET;
	if (n->kind == CONF_SCALAR && n->text == NULL)
		wrong(r, n->line, "%s: has no value; \"\" is the empty one", o->name);
	else if (n->kind == CONF_SCALAR)
		value_add(r, o, n->line, n->text, NULL, to);
	else if (!takes_many(o) || (n->kind == CONF_MAP && !takes_map(o)))
		wrong(r, n->line, "%s: takes one value, no %s", o->name,
		    n->kind == CONF_MAP ? "map" : "list");
	else if (n->child == NULL && o->type == CR_LIST)
		options_add(to, o->name, "");
	else
		for (item = n->child; item != NULL; item = item->next)
			value_item(r, o, item, to);
}

/* Adds the values of a list, one a line of a file. */
static void
value_lines(struct setup_reader *r, const struct cr_option *o, char *text, const char *path,
    struct options *to)
{
	const char *file = r->file;
	char *line, *rest;
	int number = 0;

	r->file = path;
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		number++;
		if (*line != '\0')
			value_add(r, o, number, line, path, to);
	}
	r->file = file;
}

/* Adds the value in a file, without its last line end; for a list, one value a line. */
static void
value_file(struct setup_reader *r, const struct cr_option *o, const struct node *n, struct options *to)
{
	char *path, *text;
	size_t len;

	if (n->kind != CONF_SCALAR || n->text == NULL) {
		wrong(r, n->line, "%s_file: the path of a file is wanted", o->name);
		return;
	}
	path = setup_path(r, n->text);
	text = text_file(r, n->line, path, o->type == CR_SECRET);
	if (text == NULL)
		return;
	len = strlen(text);
	if (o->type == CR_LIST) {
		value_lines(r, o, text, path, to);
	} else {
		if (len > 0 && text[len - 1] == '\n')
			text[--len] = '\0';
		value_add(r, o, n->line, text, path, to);
	}
	if (o->type == CR_SECRET)
		explicit_bzero(text, len);
	free(text);
}

static void
value_files(struct setup_reader *r, const struct cr_option *o, const struct node *n, struct options *to)
{
	const struct node *item;

	if (n->kind != CONF_LIST)
		value_file(r, o, n, to);
	else if (!takes_many(o))
		wrong(r, n->line, "%s_file: takes one file", o->name);
	else
		for (item = n->child; item != NULL; item = item->next)
			value_file(r, o, item, to);
}

/* The option of the table that a key NAME_file sets; or NULL. */
static const struct cr_option *
file_option(const struct cr_option *table, const char *key)
{
	size_t len = strlen(key);

	if (len < 6 || strcmp(key + len - 5, "_file") != 0)
		return NULL;
	for (; table != NULL && table->name != NULL; table++)
		if (strlen(table->name) == len - 5 && memcmp(table->name, key, len - 5) == 0)
			return table;
	return NULL;
}

/* Reads `auth: { bearer: x }` as auth_bearer: x, if the table has options that begin with auth_. 0:
 * it has none, or the node is no map. */
static int
value_members(struct setup_reader *r, const struct cr_option *table, const struct node *n,
    struct options *to)
{
	size_t len = strlen(n->key);
	const struct cr_option *o;
	const struct node *child;
	struct node member;

	for (o = table; o != NULL && o->name != NULL; o++)
		if (strncmp(o->name, n->key, len) == 0 && o->name[len] == '_')
			break;
	if (n->kind != CONF_MAP || o == NULL || o->name == NULL)
		return 0;
	for (child = n->child; child != NULL; child = child->next) {
		member = *child;
		member.key = xasprintf("%s_%s", n->key, child->key);
		if (!value_read(r, table, &member, to))
			value_unknown(r, &member, table, NULL);
		free(member.key);
	}
	return 1;
}

int
value_read(struct setup_reader *r, const struct cr_option *table, const struct node *n,
    struct options *to)
{
	const struct cr_option *exact = option_find(table, n->key);
	const struct cr_option *o = exact != NULL ? exact : file_option(table, n->key);

	if (o == NULL)
		return value_members(r, table, n, to);
	if (options_get(to, o->name) != NULL)
		wrong(r, n->line, "%s: given a second time", o->name);
	else if (exact != NULL)
		value_node(r, o, n, to);
	else
		value_files(r, o, n, to);
	return 1;
}

void
value_unknown(struct setup_reader *r, const struct node *n, const struct cr_option *one,
    const struct cr_option *two)
{
	const struct cr_option *tables[] = { one, two }, *o;
	const char *names[2 * OPTION_MAX], *near;
	char known[VALUE_KNOWN_MAX] = "";
	size_t count = 0, len = 0, i;

	for (i = 0; i < 2; i++)
		for (o = tables[i]; o != NULL && o->name != NULL && count < 2 * OPTION_MAX; o++)
			names[count++] = o->name;
	near = option_nearest(n->key, names, count);
	if (near != NULL) {
		wrong(r, n->line, "unknown key `%s`, did you mean `%s`?", n->key, near);
		return;
	}
	for (i = 0; i < count && len + strlen(names[i]) + 6 < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
		    i > 0 ? ", " : "", names[i]);
	wrong(r, n->line, "unknown key `%s`%s%s%s", n->key, count > 0 ? "; there are " : "", known,
	    i < count ? ", ..." : "");
}

void
section_read(struct setup_reader *r, const struct node *map, const struct cr_option *table,
    const struct cr_option *nodes, void *to, size_t size, struct options *given)
{
	struct options own = { 0 }, *values = given != NULL ? given : &own;
	const struct node *n;
	struct buf err;

	for (n = map->child; n != NULL; n = n->next)
		if (option_find(nodes, n->key) == NULL && !value_read(r, table, n, values))
			value_unknown(r, n, table, nodes);
	buf_init(&err, VALUE_ERR_MAX);
	if (option_fill(table, to, size, values, &err) == -1)
		fatal("setup: a table that cannot be filled: %s", err.data);
	buf_free(&err);
	options_free(&own);
}

char *
zone_read(struct setup_reader *r, const char *said, int line)
{
	char machine[ZONE_MAX], **names, *zone;
	const char *near;
	size_t n = 0;

	if (said == NULL || *said == '\0') {
		zone_machine(machine);
		said = machine;
	}
	zone = text_copy(r, said);
	if (zone_check(said) == 0)
		return zone;
	names = zone_names();
	while (names[n] != NULL)
		n++;
	near = option_nearest(said, (const char **)names, n);
	if (n == 0)
		wrong(r, line, "tz: there is no zone \"%s\", since this machine has no " ZONE_FOLDER
		    ": install tzdata", said);
	else
		wrong(r, line, "tz: there is no zone \"%s\"%s%s%s", said, near != NULL ? ", did you mean " : "",
		    near != NULL ? near : "", near != NULL ? "?" : "; zones are named as Europe/Paris");
	zone_names_free(names);
	return zone;
}
