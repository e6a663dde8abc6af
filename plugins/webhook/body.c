/* Bodies of webhooks: records as JSON, by a preset for a chat, or by a template. */
#include "webhook.h"
#include "feed_out/feed_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN_MAX	31		/* bytes of a name in braces */
#define CUT_MAX		10000		/* characters of {summary:CHARACTERS} */

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

static void
put_field(struct text *t, struct cr *cr, const struct cr_record *r, int field)
{
	text_str(t, cr->get(r, field, 0));
}

static void
put_title(struct text *t, struct cr *cr, const struct cr_record *r, int field)
{
	(void)field;
	title_put(t, cr, r);
}

static void
put_plain(struct text *t, struct cr *cr, const struct cr_record *r, int field)
{
	plain_put_html(t, cr->get(r, field, 0));
}

static void
put_list(struct text *t, struct cr *cr, const struct cr_record *r, int field)
{
	const char *s;

	for (size_t i = 0; (s = cr->get(r, field, i)) != NULL; i++) {
		text_str(t, i > 0 ? ", " : NULL);
		text_str(t, s);
	}
}

static void
put_json(struct text *t, struct cr *cr, const struct cr_record *r, int field)
{
	(void)field;
	text_str(t, cr->json(r));
}

/* The id of this delivery: the record's, with its revision. */
static void
put_id(struct text *t, struct cr *cr, const struct cr_record *r, int field)
{
	const char *id = json_member(cr->json(r), "id");

	(void)field;
	if (id != NULL && *id == '"')
		text_add(t, id + 1, strcspn(id + 1, "\""));
}

enum name_kind {
	NAME_TEXT,		/* can be cut */
	NAME_WHOLE,		/* cannot */
	NAME_OBJECT,		/* stands for itself in JSON, not inside a string */
	NAME_LINE,		/* a chat's: its title can be cut */
	NAME_CHANNEL,		/* the same for all records of a message */
};
static const struct name {
	const char	*name;
	enum name_kind	 kind;
	void		(*put)(struct text *, struct cr *, const struct cr_record *, int);
	int		 field;		/* or enum chat */
	const char	*joint;		/* between those of several records; NULL: a line's end */
} names[] = {
	{ "id", NAME_WHOLE, put_id, 0, NULL }, { "json", NAME_OBJECT, put_json, 0, NULL },
	{ "title", NAME_TEXT, put_title, 0, NULL },
	{ "link", NAME_WHOLE, put_field, CR_LINK, NULL },
	{ "source", NAME_TEXT, put_field, CR_SOURCE, NULL },
	{ "guid", NAME_WHOLE, put_field, CR_GUID, NULL },
	{ "published", NAME_WHOLE, put_field, CR_DATE, NULL },
	{ "updated", NAME_WHOLE, put_field, CR_UPDATED, NULL },
	{ "language", NAME_WHOLE, put_field, CR_LANGUAGE, NULL },
	{ "image", NAME_WHOLE, put_field, CR_IMAGE, NULL },
	{ "comments", NAME_WHOLE, put_field, CR_COMMENTS, NULL },
	{ "authors", NAME_TEXT, put_list, CR_AUTHOR, NULL },
	{ "categories", NAME_TEXT, put_list, CR_CATEGORY, NULL },
	{ "summary", NAME_TEXT, put_plain, CR_SUMMARY, NULL },
	{ "content", NAME_TEXT, put_plain, CR_CONTENT, NULL },
	{ "summary_html", NAME_WHOLE, put_field, CR_SUMMARY, NULL },
	{ "content_html", NAME_WHOLE, put_field, CR_CONTENT, NULL },
	{ "markdown", NAME_LINE, NULL, CHAT_MARKDOWN, NULL },
	{ "mrkdwn", NAME_LINE, NULL, CHAT_MRKDWN, NULL },
	{ "html", NAME_LINE, NULL, CHAT_HTML, "<br>" },
	{ "html_line", NAME_LINE, NULL, CHAT_HTML, NULL },
	{ "text", NAME_LINE, NULL, CHAT_PLAIN, NULL },
	{ "channel", NAME_CHANNEL, NULL, 0, NULL },
};

/* ---- Presets ---- */

/* A service's message and what it takes of it. Where each limit is from:
 * Mattermost: MaxPostSize of its server, 16,383 code points. Slack: longer texts than 4,000 are
 * parted into several messages. Discord: Create Message, and Embed Limits for a title. Telegram:
 * sendMessage, after entities. Matrix: an event has 65,536 bytes, with both texts as JSON and what
 * servers add. ntfy: a longer message becomes an attachment. */
struct preset {
	const char	*name, *template;
	const char	*channel;	/* the member that names it; NULL: there is none */
	const char	*joint;		/* between lines; NULL: records are not joined */
	enum chat	 chat;		/* the line that is the longest in it */
	struct limit	 limit;
	const char	*type;		/* NULL: JSON */
};
static const struct preset presets[] = {
	{ "json", "{json}", NULL, NULL, CHAT_PLAIN, { NO_LIMIT, NO_LIMIT, UNITS_BYTES }, NULL },
	{ "mattermost", "{\"text\":\"{markdown}\"}", "channel", "\n", CHAT_MARKDOWN,
	    { 16383, NO_LIMIT, UNITS_CODE_POINTS }, NULL },
	{ "slack", "{\"text\":\"{mrkdwn}\"}", "channel", "\n", CHAT_MRKDWN,
	    { 4000, NO_LIMIT, UNITS_UTF16 }, NULL },
	{ "discord", "{\"content\":\"{markdown}\",\"allowed_mentions\":{\"parse\":[]}}", NULL, "\n",
	    CHAT_MARKDOWN, { 2000, 256, UNITS_UTF16 }, NULL },
	{ "telegram", "{\"text\":\"{html_line}\",\"parse_mode\":\"HTML\"}", "chat_id", "\n",
	    CHAT_HTML, { 4096, NO_LIMIT, UNITS_UTF16 }, NULL },
	{ "matrix", "{\"body\":\"{text}\",\"msgtype\":\"m.notice\","
	    "\"format\":\"org.matrix.custom.html\",\"formatted_body\":\"{html}\","
	    "\"m.mentions\":{}}", NULL, "<br>", CHAT_HTML, { 16000, NO_LIMIT, UNITS_BYTES }, NULL },
	{ "ntfy", "{text}", NULL, "\n", CHAT_PLAIN, { 4096, NO_LIMIT, UNITS_BYTES },
	    "text/plain; charset=utf-8" },
};

const struct preset *
preset_find(const char *name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

int
preset_joins(const struct preset *p)
{
	return p != NULL && p->joint != NULL;
}

const char *
body_type(const struct preset *p, const char *told)
{
	return p != NULL && p->type != NULL ? p->type : told;
}

const char *
preset_channel(const struct preset *p)
{
	return p != NULL ? p->channel : NULL;
}

/* ---- Templates ---- */

/* A name in a template, {NAME} or {NAME:CHARACTERS}. */
struct use {
	const char	*name;
	size_t		 name_len, len;		/* of all, with its braces; 0: it is none */
	size_t		 max;			/* NO_LIMIT: not told; 0: it cannot be */
};

/* What the brace at p opens: a name, or a brace like any other. */
static struct use
use_at(const char *p)
{
	size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_"), digits;
	struct use u = { p + 1, n, 0, NO_LIMIT };

	if (n == 0 || n > NAME_LEN_MAX)
		return u;
	if (p[1 + n] == '}')
		u.len = n + 2;
	if (p[1 + n] != ':' || (digits = strspn(p + n + 2, "0123456789")) == 0 ||
	    p[n + 2 + digits] != '}')
		return u;
	u.len = n + digits + 3;
	u.max = digits > 5 ? 0 : strtoul(p + n + 2, NULL, 10);
	u.max = u.max > CUT_MAX ? 0 : u.max;
	return u;
}

/* Its place in the table; NULL: there is none. */
static const struct name *
name_find(const struct use *u)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == u->name_len &&
		    memcmp(names[i].name, u->name, u->name_len) == 0)
			return &names[i];
	return NULL;
}

int
body_wrong(const char *template, char why[BODY_WHY])
{
	const struct name *name;
	struct use u;

	for (; *template != '\0'; template++) {
		if (*template != '{' || (u = use_at(template)).len == 0)
			continue;
		name = name_find(&u);
		if (name == NULL)
			snprintf(why, BODY_WHY,
			    "there is no {%.*s}; there are {json}, {id}, {title}, "
			    "{link}, {source}, {summary}, {content}, {published}, {authors}, "
			    "{categories}, ...",
			    (int)u.name_len, u.name);
		else if (u.max == 0)
			snprintf(why, BODY_WHY, "%.*s: a text is cut to 1 to %d characters",
			    (int)u.len, template, CUT_MAX);
		else if (u.max != NO_LIMIT && name->kind != NAME_TEXT && name->kind != NAME_LINE)
			snprintf(why, BODY_WHY,
			    "%.*s: {%s} cannot be cut; texts can, such as {title} "
			    "and {summary}",
			    (int)u.len, template, name->name);
		else
			continue;
		return -1;
	}
	return 0;
}

enum body_escape
body_escape_for(const struct preset *p, const char *type)
{
	if (p != NULL)
		return p->type != NULL ? BODY_PLAIN : BODY_JSON;
	if (strncmp(type, "application/x-www-form-urlencoded", 33) == 0)
		return BODY_FORM;
	return strstr(type, "json") != NULL ? BODY_JSON : BODY_PLAIN;
}

/* What a name stands for in one record. */
static void
fill_one(struct text *t, const struct body *b, const struct name *name, size_t max,
    const struct cr_record *r)
{
	const struct limit free_line = { NO_LIMIT, max, UNITS_SEEN };
	struct text value = { NULL, 0, 0, 0 };

	if (name->kind == NAME_LINE)
		(void)chat_line(&value, b->cr, r, (enum chat)name->field,
		    b->preset != NULL ? &b->preset->limit : &free_line);
	else
		name->put(&value, b->cr, r, name->field);
	if (max != NO_LIMIT && name->kind == NAME_TEXT)
		text_cut(&value, max, UNITS_SEEN);
	else if (name->put == put_plain)
		text_cut(&value, SUMMARY_MAX, UNITS_BYTES);
	escape(
	    t, value.data, name->kind == NAME_OBJECT && b->how == BODY_JSON ? BODY_PLAIN : b->how);
	t->bad |= value.bad;
	text_free(&value);
}

/* A name for each record; joined when there are several. */
static void
fill_name(struct text *t, const struct body *b, const struct use *u, const struct name *name,
    const struct cr_record *const *items, size_t n)
{
	if (name->kind == NAME_CHANNEL) {
		escape(t, b->channel, b->how);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		escape(t, i == 0 ? NULL : name->joint != NULL ? name->joint : "\n", b->how);
		fill_one(t, b, name, u->max, items[i]);
	}
}

static void
fill(struct text *t, const struct body *b, const struct cr_record *const *items, size_t n)
{
	const char *template = b->preset != NULL ? b->preset->template : b->template;
	const struct name *name;
	struct use u;
	size_t len;

	while (*template != '\0') {
		u = *template == '{' ? use_at(template) : (struct use){ .len = 0 };
		name = u.len > 0 ? name_find(&u) : NULL;
		if (name != NULL) {
			fill_name(t, b, &u, name, items, n);
			template += u.len;
			continue;
		}
		len = 1 + strcspn(template + 1, "{");
		text_add(t, template, len);
		template += len;
	}
}

/* Says in a preset's object for which channel it is. */
static void
fill_channel(struct text *t, const struct body *b)
{
	if (b->preset == NULL || b->preset->channel == NULL || b->channel == NULL ||
	    *b->channel == '\0' || t->bad)
		return;
	t->len--;			/* the brace that ends it */
	text_str(t, ",\"");
	text_str(t, b->preset->channel);
	text_str(t, "\":\"");
	escape(t, b->channel, BODY_JSON);
	text_str(t, "\"}");
}

size_t
body_fits(const struct body *b, const struct cr_record *const *items, size_t n)
{
	const struct preset *p = b->preset;
	struct text line = { NULL, 0, 0, 0 };
	size_t used = 0, i;

	if (p == NULL || p->limit.max == NO_LIMIT)
		return n;
	for (i = 0; i < n; i++) {
		text_clear(&line);
		if (chat_line(&line, b->cr, items[i], p->chat, &p->limit) == -1)
			break;
		used += text_units(line.data, line.len, p->limit.units) +
		    (i > 0 ? strlen(p->joint) : 0);
		if (used > p->limit.max)
			break;
	}
	text_free(&line);
	return i;
}

void
body_write(struct text *t, const struct body *b, const struct cr_record *const *items, size_t n)
{
	if (preset_joins(b->preset) || (n == 1 && !b->array)) {
		fill(t, b, items, n);
		fill_channel(t, b);
		return;
	}
	text_str(t, b->array ? "[" : "");
	for (size_t i = 0; i < n; i++) {
		text_str(t, i == 0 ? "" : b->array ? "," : "\n");
		fill(t, b, &items[i], 1);
	}
	text_str(t, b->array ? "]" : "");
}
