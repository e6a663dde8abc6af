/* Parses strict YAML into a tree of nodes, by libyaml's events; and the list of mistakes. */
#include "conf.h"
#include "base/arena.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

/* A tree, with the memory of all its nodes. */
struct doc {
	struct node	 root;		/* first member: conf_free() gets its address */
	struct arena	 arena;
};

struct loader {
	const char	*file;
	struct mistakes	*mistakes;
	size_t		 before;	/* mistakes before this file */
	FILE		*in;
	size_t		 read;		/* bytes of in */
	struct doc	*doc;
	struct node	*open[CONF_DEPTH];	/* maps and lists not ended yet, from the root on */
	struct node	*last[CONF_DEPTH];		/* the last child of each */
	int		 depth;		/* number of them */
	char		*key;		/* in a map: the key whose value comes next */
	int		 key_line;
	size_t		 nodes, documents;
	struct node	**sorted;	/* room for checking a map's keys */
	size_t		 room;
};

void
mistakes_init(struct mistakes *m)
{
	m->n = 0;
	buf_init(&m->text, CONF_MISTAKES * (CONF_MISTAKE + 1));
}

void
mistakes_free(struct mistakes *m)
{
	buf_free(&m->text);
	m->n = 0;
}

/* Where to insert a mistake in m->text: before those of the same file (the first `prefix` bytes of
 * text name it) with a higher line. Sets *place to its index in m->lines. */
static size_t
mistake_at(const struct mistakes *m, const char *text, size_t prefix, int line, size_t *place)
{
	size_t at = m->text.len, begin;

	for (; *place > 0 && m->lines[*place - 1] > line; (*place)--) {
		for (begin = at - 1; begin > 0 && m->text.data[begin - 1] != '\n';)
			begin--;
		if (strncmp(m->text.data + begin, text, prefix) != 0)
			break;
		at = begin;
	}
	return at;
}

/* Replaces what is invalid or steers a terminal by '?', in place; returns the new length. */
static size_t
line_clean(char *text, size_t len)
{
	size_t at = 0, to = 0, n, bad;
	uint32_t c;

	for (; at < len; at += n) {
		n = text_get_char(&c, &bad, text + at, len - at);
		if (n > 0 && !shown_steers(c)) {
			memmove(text + to, text + at, n);
			to += n;
			continue;
		}
		n = n > 0 ? n : bad;
		text[to++] = '?';
	}
	return to;
}

void
mistake(struct mistakes *m, const char *file, int line, const char *fmt, ...)
{
	char text[CONF_MISTAKE + 2];
	size_t prefix, len, place = m->n, at;
	va_list ap;

	if (m->n++ >= CONF_MISTAKES)
		return;
	snprintf(text, CONF_MISTAKE / 2, "%s:", file);
	prefix = strlen(text);
	if (line > 0)
		snprintf(text + prefix, CONF_MISTAKE + 1 - prefix, "%d:", line);
	len = strlen(text);
	va_start(ap, fmt);
	text[len++] = ' ';
	vsnprintf(text + len, CONF_MISTAKE + 1 - len, fmt, ap);
	va_end(ap);
	len = strlen(text);
	len = line_clean(text, len);
	text[len++] = '\n';
	at = mistake_at(m, text, prefix, line, &place);
	memmove(m->lines + place + 1, m->lines + place, (m->n - 1 - place) * sizeof(*m->lines));
	m->lines[place] = line;
	if (buf_room(&m->text, len) == NULL)
		return;
	memmove(m->text.data + at + len, m->text.data + at, m->text.len - at);
	memcpy(m->text.data + at, text, len);
	m->text.len += len;
}

/* Hints for what most often causes an error of libyaml. */
static const struct { const char *found, *hint; } hints[] = {
	{ "scanning an alias", "; a text that begins with * goes in quotes: \"*\"" },
	{ "scanning an anchor", "; a text that begins with & goes in quotes" },
	{ "cannot start any token",
	    "; tabs do not indent, and a text that begins with @ or ` or % goes "
	    "in quotes" },
	{ "mapping values are not allowed",
	    "; a text with `: ` in it goes in quotes, or the line is "
	    "indented too far" },
	{ "expected node content",
	    "; a text that begins with [ or {, or has ] or } in it, goes in quotes" },
	{ "could not find expected ':'", "; a key is followed by a colon and a space" },
	{ "block mapping", "; the lines of a map begin in the same column, and a "
	    "text that begins with { or [ or a quote goes in quotes as a whole" },
	{ "quoted scalar", "; a quote that opens is closed by the same one" },
	{ "flow mapping", "; a text with { } [ ] or , in it goes in quotes" },
	{ "flow sequence", "; a text with { } [ ] or , in it goes in quotes" },
};

static const char *
conf_hint(const char *problem, const char *context)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (strstr(problem, hints[i].found) != NULL ||
		    strstr(context, hints[i].found) != NULL)
			return hints[i].hint;
	return "";
}

/* The line of a byte: libyaml reports only an offset for bytes that are no characters. */
static int
conf_line_of(struct loader *l, size_t offset)
{
	int line = 1, c;

	rewind(l->in);
	while (offset-- > 0 && (c = getc(l->in)) != EOF)
		line += c == '\n';
	return line;
}

static void
conf_syntax(struct loader *l, const yaml_parser_t *yaml)
{
	const char *problem = yaml->problem != NULL ? yaml->problem : "cannot be read";
	const char *context = yaml->context != NULL ? yaml->context : "";
	char begun[40] = "";

	/* The line where a text or map begins helps more than that where its end was missed. */
	if (*context != '\0' && yaml->context_mark.line != yaml->problem_mark.line)
		snprintf(begun, sizeof(begun), " begun in line %d",
		    (int)yaml->context_mark.line + 1);
	if (l->read > CONF_FILE_MAX)
		mistake(l->mistakes, l->file, 0, "larger than %u MiB", CONF_FILE_MAX >> 20);
	else if (ferror(l->in))
		mistake(l->mistakes, l->file, 0, "cannot be read: %s", strerror(errno));
	else if (yaml->error == YAML_READER_ERROR && strncmp(problem, "control", 7) == 0)
		mistake(l->mistakes, l->file, conf_line_of(l, yaml->problem_offset),
		    "a control character (U+%04X)", (unsigned)yaml->problem_value);
	else if (yaml->error == YAML_READER_ERROR)
		mistake(l->mistakes, l->file, conf_line_of(l, yaml->problem_offset),
		    "no UTF-8: %s", problem);
	else
		mistake(l->mistakes, l->file, (int)yaml->problem_mark.line + 1,
		    "no YAML: %s%s%s%s%s", context, begun, *context != '\0' ? ", " : "", problem,
		    conf_hint(problem, context));
}

/* Adds a node to the innermost open map or list; NULL and a mistake: there are too many. */
static struct node *
conf_put(struct loader *l, int kind, int line)
{
	struct node *n, *parent = l->open[l->depth - 1];

	if (++l->nodes > CONF_NODES) {
		mistake(l->mistakes, l->file, line, "more than %d entries", CONF_NODES);
		return NULL;
	}
	n = arena_zero(&l->doc->arena, sizeof(*n));
	n->kind = kind;
	n->line = line;
	if (l->key != NULL) {
		n->key = l->key;
		n->line = l->key_line;
		l->key = NULL;
	}
	if (l->last[l->depth - 1] == NULL)
		parent->child = n;
	else
		l->last[l->depth - 1]->next = n;
	l->last[l->depth - 1] = n;
	return n;
}

static int
conf_wants_key(const struct loader *l)
{
	return l->depth > 0 && l->open[l->depth - 1]->kind == CONF_MAP && l->key == NULL;
}

/* Anchors and tags are mistakes; parsing goes on, to find further ones. */
static void
conf_plain(struct loader *l, int line, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		mistake(l->mistakes, l->file, line,
		    "an anchor (&%s): there are none here; a text that begins with & goes in "
		    "quotes",
		    (const char *)anchor);
	if (tag != NULL)
		mistake(l->mistakes, l->file, line,
		    "a tag (%s): there are none here; a text that begins with ! goes in quotes",
		    (const char *)tag);
}

static int
conf_open(struct loader *l, int kind, int line)
{
	struct node *n;

	if (conf_wants_key(l)) {
		mistake(l->mistakes, l->file, line, "a key is a plain text, no map or list");
		return -1;
	}
	if (l->depth == CONF_DEPTH) {
		mistake(l->mistakes, l->file, line, "nested more than %d deep", CONF_DEPTH);
		return -1;
	}
	if (l->depth == 0) {
		if (kind != CONF_MAP) {
			mistake(
			    l->mistakes, l->file, line, "a list; a map is wanted: `key: value`");
			return -1;
		}
		n = &l->doc->root;
		n->line = line;
	} else if ((n = conf_put(l, kind, line)) == NULL) {
		return -1;
	}
	l->last[l->depth] = NULL;
	l->open[l->depth++] = n;
	return 0;
}

static int
conf_by_key(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void
conf_close(struct loader *l)
{
	struct node *map = l->open[--l->depth], *n;
	size_t count = 0, i;

	if (map->kind != CONF_MAP)
		return;
	for (n = map->child; n != NULL; n = n->next) {
		if (count == l->room) {
			l->room = l->room > 0 ? 2 * l->room : 64;
			l->sorted = xreallocarray(l->sorted, l->room, sizeof(struct node *));
		}
		l->sorted[count++] = n;
	}
	if (count > 1)
		qsort(l->sorted, count, sizeof(struct node *), conf_by_key);
	for (i = 1; i < count; i++)
		if (strcmp(l->sorted[i - 1]->key, l->sorted[i]->key) == 0)
			mistake(l->mistakes, l->file, l->sorted[i]->line,
			    "`%s` was already given in line %d", l->sorted[i]->key,
			    l->sorted[i - 1]->line);
}

static int
conf_scalar(struct loader *l, const yaml_event_t *event, int line)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	int empty = len == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct node *n;

	conf_plain(l, line, event->data.scalar.anchor, event->data.scalar.tag);
	if (memchr(text, '\0', len) != NULL) {
		mistake(l->mistakes, l->file, line, "a text with \\0 in it");
		len = strlen(text);
	}
	if (l->depth == 0) {
		if (!empty)
			mistake(
			    l->mistakes, l->file, line, "a text; a map is wanted: `key: value`");
		return empty ? 0 : -1;
	}
	if (conf_wants_key(l)) {
		if (len == 0)
			mistake(l->mistakes, l->file, line, "an empty key");
		l->key = arena_text(&l->doc->arena, text, len);
		l->key_line = line;
		return 0;
	}
	if ((n = conf_put(l, CONF_SCALAR, line)) == NULL)
		return -1;
	if (!empty)
		n->text = arena_text(&l->doc->arena, text, len);
	return 0;
}

static int
conf_document(struct loader *l, const yaml_event_t *event, int line)
{
	if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		mistake(l->mistakes, l->file, line, "a %%TAG directive: there are no tags here");
	if (++l->documents == 1)
		return 0;
	mistake(l->mistakes, l->file, line, "a second document (---): one file holds one");
	return -1;
}

/* 0: go on, 1: the end, -1: a mistake after which nothing can be read. */
static int
conf_event(struct loader *l, const yaml_event_t *event)
{
	int line = (int)event->start_mark.line + 1;

	switch (event->type) {
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_DOCUMENT_START_EVENT:
		return conf_document(l, event, line);
	case YAML_ALIAS_EVENT:
		mistake(l->mistakes, l->file, line,
		    "an alias (*%s): there are none here; a text that "
		    "begins with * goes in quotes",
		    (const char *)event->data.alias.anchor);
		return -1;
	case YAML_SCALAR_EVENT:
		return conf_scalar(l, event, line);
	case YAML_MAPPING_START_EVENT:
		conf_plain(l, line, event->data.mapping_start.anchor,
		    event->data.mapping_start.tag);
		return conf_open(l, CONF_MAP, line);
	case YAML_SEQUENCE_START_EVENT:
		conf_plain(l, line, event->data.sequence_start.anchor,
		    event->data.sequence_start.tag);
		return conf_open(l, CONF_LIST, line);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		conf_close(l);
		return 0;
	default:
		return 0;
	}
}

static int
conf_read(void *arg, unsigned char *to, size_t size, size_t *got)
{
	struct loader *l = arg;

	*got = fread(to, 1, size, l->in);
	l->read += *got;
	return !ferror(l->in) && l->read <= CONF_FILE_MAX;
}

static void
conf_events(struct loader *l)
{
	yaml_parser_t yaml;
	yaml_event_t event;
	int end = 0;

	if (!yaml_parser_initialize(&yaml)) {
		mistake(l->mistakes, l->file, 0, "out of memory");
		return;
	}
	yaml_parser_set_encoding(&yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input(&yaml, conf_read, l);
	while (end == 0) {
		if (!yaml_parser_parse(&yaml, &event)) {
			conf_syntax(l, &yaml);
			break;
		}
		end = conf_event(l, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&yaml);
}

static struct node *
conf_stream(const char *file, FILE *in, struct mistakes *m)
{
	struct loader l = { .file = file, .mistakes = m, .before = m->n, .in = in };
	char mark[3];

	if (fread(mark, 1, 3, in) != 3 || memcmp(mark, "\xef\xbb\xbf", 3) != 0)
		rewind(in);		/* a byte order mark is skipped */
	l.doc = xcalloc(1, sizeof(*l.doc));
	l.doc->root.kind = CONF_MAP;
	l.doc->root.line = 1;
	conf_events(&l);
	free(l.sorted);
	if (m->n == l.before)
		return &l.doc->root;
	conf_free(&l.doc->root);
	return NULL;
}

char *
conf_text(const char *file, size_t *len, struct mistakes *m)
{
	FILE *in = fopen(file, "re");
	struct stat st;
	char *text = NULL;

	if (in == NULL)
		mistake(m, file, 0, "cannot be opened: %s", strerror(errno));
	else if (fstat(fileno(in), &st) == -1 || !S_ISREG(st.st_mode))
		mistake(m, file, 0, "is no file");
	else if (st.st_size > (off_t)CONF_FILE_MAX)
		mistake(m, file, 0, "is larger than %u MiB", CONF_FILE_MAX >> 20);
	else {
		text = xmalloc((size_t)st.st_size + 1);
		*len = fread(text, 1, (size_t)st.st_size, in);
		text[*len] = '\0';
		if (ferror(in)) {
			mistake(m, file, 0, "cannot be read: %s", strerror(errno));
			free(text);
			text = NULL;
		}
	}
	if (in != NULL)
		fclose(in);
	return text;
}

struct node *
conf_parse(const char *name, const char *text, size_t len, struct mistakes *m)
{
	struct node *root;
	FILE *in;

	/* fmemopen() may refuse a length of 0; a line end alone means the same. */
	in = fmemopen((void *)(uintptr_t)(len > 0 ? text : "\n"), len > 0 ? len : 1, "r");
	if (in == NULL) {
		mistake(m, name, 0, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	root = conf_stream(name, in, m);
	fclose(in);
	return root;
}

void
conf_free(struct node *root)
{
	struct doc *doc = (struct doc *)root;

	if (doc == NULL)
		return;
	arena_free(&doc->arena);
	free(doc);
}

struct node *
conf_get(const struct node *map, const char *key)
{
	struct node *n;

	for (n = map->child; n != NULL; n = n->next)
		if (n->key != NULL && strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

int
conf_line(const struct node *map, const char *key, size_t nth, int otherwise)
{
	const struct node *n = map != NULL ? conf_get(map, key) : NULL, *item;

	if (n == NULL)
		return otherwise;
	for (item = n->child; item != NULL && nth > 0; nth--)
		item = item->next;
	return item != NULL ? item->line : n->line;
}
