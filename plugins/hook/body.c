/* Bodies of webhooks: records as JSON, by a preset for a chat, or by a template. */
#include "hook.h"
#include "../out/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN_MAX	31		/* bytes between { and } */
#define ROOM		4096		/* bytes that a text begins with */

/* ---- Text ---- */

void
text_add(struct text *t, const char *s, size_t len)
{
	size_t cap = t->cap > 0 ? t->cap : ROOM;
	char *p;

	if (t->bad || len == 0)
		return;
	while (cap - t->len <= len)
		cap *= 2;
	if (cap > t->cap) {
		if ((p = realloc(t->data, cap)) == NULL) {
			t->bad = 1;
			return;
		}
		t->data = p;
		t->cap = cap;
	}
	memcpy(t->data + t->len, s, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void
text_str(struct text *t, const char *s)
{
	if (s != NULL)
		text_add(t, s, strlen(s));
}

void
text_clear(struct text *t)
{
	t->len = 0;
	t->bad = 0;
}

void
text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){ NULL, 0, 0, 0 };
}

/* ---- Escapes ---- */

/* The inside of a JSON string (RFC 8259 section 7). */
static void
json_inside(struct text *t, const char *s)
{
	char code[8];
	size_t n;

	for (; *s != '\0'; s++) {
		n = 0;
		while ((unsigned char)s[n] >= ' ' && s[n] != '"' && s[n] != '\\')
			n++;
		text_add(t, s, n);
		s += n;
		if (*s == '\0')
			return;
		if (*s == '"' || *s == '\\')
			snprintf(code, sizeof(code), "\\%c", *s);
		else
			snprintf(code, sizeof(code), "\\u%04x", (unsigned char)*s);
		text_str(t, code);
	}
}

/* A value of application/x-www-form-urlencoded, percent-encoded throughout. */
static void
form(struct text *t, const char *s)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._*";
	char code[4];

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL) {
			text_add(t, s, 1);
			continue;
		}
		snprintf(code, sizeof(code), "%%%02X", (unsigned char)*s);
		text_add(t, code, 3);
	}
}

static void
escape(struct text *t, const char *s, enum body_escape how)
{
	if (s == NULL)
		return;
	if (how == BODY_JSON)
		json_inside(t, s);
	else if (how == BODY_FORM)
		form(t, s);
	else
		text_str(t, s);
}

/* ---- What names stand for ---- */

/* What of a title would be markup: of Markdown's links and emphasis, of Slack's. */
static void
chat_safe(struct text *t, const char *s, int slack)
{
	for (; s != NULL && *s != '\0'; s++) {
		if (slack && *s == '&')
			text_str(t, "&amp;");
		else if (slack && *s == '<')
			text_str(t, "&lt;");
		else if (slack && *s == '>')
			text_str(t, "&gt;");
		else if (!slack && strchr("\\`*_[]~|@#", *s) != NULL) {
			text_add(t, "\\", 1);
			text_add(t, s, 1);
		} else
			text_add(t, s, 1);
	}
}

/* A record as one line of a chat. */
static void
chat_line(struct text *t, struct cr *cr, const struct cr_record *r, int slack)
{
	const char *title = cr->get(r, CR_TITLE, 0), *link = cr->get(r, CR_LINK, 0);
	const char *source = cr->get(r, CR_SOURCE, 0);

	if (title == NULL)
		title = link != NULL ? link : "(no title)";
	text_str(t, link == NULL ? "" : slack ? "<" : "[");
	if (link != NULL && slack) {
		for (; *link != '\0'; link++)
			if (strchr("|<>", *link) == NULL)
				text_add(t, link, 1);
		text_str(t, "|");
	}
	chat_safe(t, title, slack);
	if (link != NULL && !slack) {
		text_str(t, "](");
		for (; *link != '\0'; link++)
			if (*link == '(' || *link == ')')
				text_str(t, *link == '(' ? "%28" : "%29");
			else
				text_add(t, link, 1);
		text_str(t, ")");
	} else if (link != NULL)
		text_str(t, ">");
	if (source != NULL) {
		text_str(t, " · ");
		chat_safe(t, source, slack);
	}
}

static void
put_field(struct text *t, struct cr *cr, const struct cr_record *r, int field,
    enum body_escape how)
{
	escape(t, cr->get(r, field, 0), how);
}

static void
put_plain(struct text *t, struct cr *cr, const struct cr_record *r, int field,
    enum body_escape how)
{
	char *out = malloc(SUMMARY_MAX + PLAIN_SPARE);
	const char *html = cr->get(r, field, 0);

	if (out == NULL)
		t->bad = 1;
	else if (html != NULL)
		escape(t, plain(out, SUMMARY_MAX, html), how);
	free(out);
}

static void
put_list(struct text *t, struct cr *cr, const struct cr_record *r, int field,
    enum body_escape how)
{
	const char *s;

	for (size_t i = 0; (s = cr->get(r, field, i)) != NULL; i++) {
		escape(t, i > 0 ? ", " : NULL, how);
		escape(t, s, how);
	}
}

/* The whole of it: as JSON it stands for itself, not inside a string. */
static void
put_json(struct text *t, struct cr *cr, const struct cr_record *r, int field, enum body_escape how)
{
	(void)field;
	escape(t, cr->json(r), how == BODY_JSON ? BODY_PLAIN : how);
}

/* The id of this delivery: the record's, with its revision. */
static void
put_id(struct text *t, struct cr *cr, const struct cr_record *r, int field, enum body_escape how)
{
	const char *id = json_member(cr->json(r), "id");

	(void)field;
	(void)how;
	if (id != NULL && *id == '"')
		text_add(t, id + 1, strcspn(id + 1, "\""));
}

static void
put_chat(struct text *t, struct cr *cr, const struct cr_record *r, int slack, enum body_escape how)
{
	struct text line = { NULL, 0, 0, 0 };

	chat_line(&line, cr, r, slack);
	escape(t, line.data, how);
	t->bad |= line.bad;
	text_free(&line);
}

static const struct {
	const char	*name;
	void		(*put)(struct text *, struct cr *, const struct cr_record *, int,
			    enum body_escape);
	int		 field;
} names[] = {
	{ "id", put_id, 0 }, { "json", put_json, 0 }, { "title", put_field, CR_TITLE },
	{ "link", put_field, CR_LINK }, { "source", put_field, CR_SOURCE },
	{ "guid", put_field, CR_GUID }, { "published", put_field, CR_PUBLISHED },
	{ "updated", put_field, CR_UPDATED }, { "language", put_field, CR_LANGUAGE },
	{ "image", put_field, CR_IMAGE }, { "comments", put_field, CR_COMMENTS },
	{ "authors", put_list, CR_AUTHOR }, { "categories", put_list, CR_CATEGORY },
	{ "summary", put_plain, CR_SUMMARY }, { "content", put_plain, CR_CONTENT },
	{ "summary_html", put_field, CR_SUMMARY }, { "content_html", put_field, CR_CONTENT },
	{ "markdown", put_chat, 0 }, { "mrkdwn", put_chat, 1 },
};

/* ---- Templates ---- */

static const struct { const char *name, *template; int joins; } presets[] = {
	{ "json", "{json}", 0 },
	{ "mattermost", "{\"text\":\"{markdown}\"}", 1 },
	{ "slack", "{\"text\":\"{mrkdwn}\"}", 1 },
	{ "discord", "{\"content\":\"{markdown}\"}", 1 },
};

const char *
body_preset(const char *name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (strcmp(presets[i].name, name) == 0)
			return presets[i].template;
	return NULL;
}

int
body_joins(const char *name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (strcmp(presets[i].name, name) == 0)
			return presets[i].joins;
	return 0;
}

/* Length of the name that the brace at p opens; 0: it is a brace like any other. */
static size_t
name_at(const char *p)
{
	size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");

	return n <= NAME_LEN_MAX && p[1 + n] == '}' ? n : 0;
}

/* Its place in the table; -1: there is none. */
static int
name_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0)
			return (int)i;
	return -1;
}

int
body_unknown(const char *template, char name[32])
{
	size_t n;

	for (; *template != '\0'; template++) {
		n = *template == '{' ? name_at(template) : 0;
		if (n == 0 || name_find(template + 1, n) != -1)
			continue;
		memcpy(name, template + 1, n);
		name[n] = '\0';
		return 1;
	}
	return 0;
}

enum body_escape
body_escape_for(const char *type)
{
	if (strncmp(type, "application/x-www-form-urlencoded", 33) == 0)
		return BODY_FORM;
	return strstr(type, "json") != NULL ? BODY_JSON : BODY_PLAIN;
}

/* A name for each record; joined by line ends when there are several. */
static void
fill_name(struct text *t, struct cr *cr, int at, enum body_escape how,
    const struct cr_record *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		escape(t, i > 0 ? "\n" : NULL, how);
		names[at].put(t, cr, items[i], names[at].field, how);
	}
}

static void
fill(struct text *t, struct cr *cr, const char *template, enum body_escape how,
    const struct cr_record *const *items, size_t n)
{
	size_t len;
	int at;

	while (*template != '\0') {
		len = *template == '{' ? name_at(template) : 0;
		at = len > 0 ? name_find(template + 1, len) : -1;
		if (at != -1) {
			fill_name(t, cr, at, how, items, n);
			template += len + 2;
			continue;
		}
		len = 1 + strcspn(template + 1, "{");
		text_add(t, template, len);
		template += len;
	}
}

void
body_write(struct text *t, struct cr *cr, const char *template, enum body_escape how,
    const struct cr_record *const *items, size_t n, int array, int join)
{
	if (join || (n == 1 && !array)) {
		fill(t, cr, template, how, items, n);
		return;
	}
	text_str(t, array ? "[" : "");
	for (size_t i = 0; i < n; i++) {
		text_str(t, i == 0 ? "" : array ? "," : "\n");
		fill(t, cr, template, how, &items[i], 1);
	}
	text_str(t, array ? "]" : "");
}
