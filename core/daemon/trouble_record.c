/* The records of the source SETUP_TROUBLE: their titles, texts and names, kind by kind. */
#include "trouble_record.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/shown.h"
#include "base/text.h"
#include "record/record.h"
#include "record/result.h"

#include <courant/plugin.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TITLE_WHY	160		/* bytes of the reason in a title */
#define TEXT_MAX	(16u << 10)	/* bytes of a text; reasons have 2 kB at most */
#define SINCE_MAX	24		/* bytes of a time in the state */

/* before, then the name, then a verb. help: what a person does about it, with $ for the name. */
static const struct {
	const char	*key, *before, *begun, *ended, *help;
} kinds[TROUBLE_KINDS] = {
	[TROUBLE_FAILING] = { "source-failing", "", "fails", "is well again",
		"courant refresh $ polls it now; courant fetch $ polls it once and prints what it brings." },
	[TROUBLE_GONE] = { "source-gone", "", "is gone, and not polled any more",
		"is well again",
		"courant refresh $ polls it once more; else take it out of the configuration." },
	[TROUBLE_MOVED] = { "source-moved", "", "has moved for good", "is where its url says again",
		"Change its url in the configuration; until then each poll is redirected." },
	[TROUBLE_SILENT] = { "source-silent", "", "is silent", "has something new again",
		"courant fetch $ polls it once and prints what it brings." },
	[TROUBLE_PAUSED] = { "sink-paused", "", "is paused", "is not paused any more",
		"courant resume $ lets it go on, with all that it has missed." },
	[TROUBLE_DEAD] = { "sink-dead", "", "has dead letters: records that it will not deliver",
		"has no dead letters any more",
		"courant dead $ lists them, courant replay $ --dead delivers them again, and "
		"courant drop $ --dead gives them up." },
	[TROUBLE_BEHIND] = { "sink-behind", "", "is behind", "has caught up",
		"courant status shows its state; courant resume $ lets it try at once." },
	[TROUBLE_REFUSED] = { "plugin-refused", "plugin ", "is refused", "is not refused any more",
		"courant plugins lists the plugins, and why one is refused." },
	[TROUBLE_BACK] = { "plugin-back", "plugin ", "failed: its earlier version is in use",
		"is in use in its present version", "Install a version that works; courant plugins "
		"lists what is in use." },
	[TROUBLE_RESTARTED] = { "role-restarted", "role ", "died and was started again",
		"has run well since", "The daemon's log says what happened before." },
	[TROUBLE_MANY] = { "trouble-many", "", "has more trouble than is announced one by one",
		"has less trouble: all of it is announced one by one again",
		"courant status lists all sources, sinks and roles." },
};

void
trouble_key(char key[TROUBLE_KEY], enum trouble_kind kind, const char *name)
{
	snprintf(key, TROUBLE_KEY, "%s:%s", kinds[kind].key, name);
}

enum trouble_kind
trouble_key_read(const char *key, const char **name)
{
	for (int i = 0; i < TROUBLE_KINDS; i++) {
		size_t n = strlen(kinds[i].key);

		if (strncmp(key, kinds[i].key, n) == 0 && key[n] == ':') {
			*name = key + n + 1;
			return (enum trouble_kind)i;
		}
	}
	return TROUBLE_KINDS;
}

/* ---- Texts ---- */

/* Adds at most n bytes of s as one clean line. */
static void
add_line(struct buf *b, const char *s, size_t n)
{
	struct buf shown;

	buf_init(&shown, TEXT_MAX);
	if (strlen(s) <= n)
		shown_add(&shown, s, strlen(s), 0);
	else {
		while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
		shown_add(&shown, s, n, 0);
		buf_str(&shown, "...");
	}
	if (shown.data != NULL)
		text_fold(b, shown.data, shown.len);
	buf_free(&shown);
}

/* "45 s", "12 min", "3 h", "4 d". */
static void
add_duration(struct buf *b, int64_t ms)
{
	static const struct { int64_t ms; const char *unit; } units[] = {
		{ INT64_C(86400000), "d" }, { 3600000, "h" }, { 60000, "min" }, { 1000, "s" },
	};
	size_t i = 0;

	while (i < 3 && ms < 2 * units[i].ms)
		i++;
	buf_fmt(b, "%" PRId64 " %s", (ms > 0 ? ms : 0) / units[i].ms, units[i].unit);
}

/* Adds a paragraph of the content: `what`, then text, which may be NULL. */
static void
add_part(struct buf *html, const char *what, const char *text)
{
	struct buf line;

	buf_init(&line, TEXT_MAX);
	if (text != NULL)
		add_line(&line, text, TEXT_MAX / 4);
	buf_str(html, "<p>");
	buf_str(html, what);
	if (line.data != NULL)
		text_xml(html, line.data, line.len);
	buf_str(html, "</p>");
	buf_free(&line);
}

/* A paragraph with a time; none for no time. */
static void
add_time(struct buf *html, const char *what, int64_t ms)
{
	char date[DATE_MAX];

	if (ms > 0 && ms < INT64_MAX)
		add_part(html, what, date_rfc3339(date, ms / 1000 * 1000));
}

static void
add_count(struct buf *html, const char *what, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	if (n > 0)
		add_part(html, what, text);
}

static void
add_help(struct buf *html, const char *help, const char *name)
{
	struct buf text;

	buf_init(&text, TEXT_MAX / 4);
	for (; *help != '\0'; help++)
		if (*help == '$')
			buf_str(&text, name);
		else
			buf_char(&text, *help);
	add_part(html, "", text.data);
	buf_free(&text);
}

/* ---- Records ---- */

/* Adds the record, and the state: value NULL: the condition is over. */
static void
put(struct buf *results, struct cr_record *r, const char *key, const char *value)
{
	const struct result_state st = { .key = key, .value = value };
	size_t begun = result_begin(results, RESULT_RECORD);

	if (record_bad(r) != NULL)
		log_warn("the record of %s: %s", key, record_bad(r));
	record_write(r, results);
	result_end(results, begun);
	begun = result_begin(results, RESULT_STATE);
	wire_put(results, result_state, &st);
	result_end(results, begun);
	log_info("%s", record_get(r, CR_TITLE, 0));
}

/* A record with all but title and content. suffix: of its guid. */
static struct cr_record *
begin(enum trouble_kind kind, const char *key, const char *name, int64_t since, const char *suffix,
    int64_t now)
{
	struct cr_record *r = record_new();
	char date[DATE_MAX];
	struct buf b;

	buf_init(&b, TEXT_MAX);
	date_rfc3339(date, since);
	add_line(&b, key, TROUBLE_KEY);
	buf_fmt(&b, ":%s%s", date, suffix);
	record_set(r, CR_GUID, b.data, b.len);
	record_set_time(r, CR_PUBLISHED, now);
	record_set(r, CR_LANGUAGE, "en", 2);
	record_set(r, CR_CATEGORY, kinds[kind].key, strlen(kinds[kind].key));
	buf_clear(&b);
	add_line(&b, name, TROUBLE_NAME);
	record_set_extra(r, "name", b.data != NULL ? b.data : "");
	record_set_extra(r, "since", date);
	record_set_extra(r, "state", *suffix != '\0' ? "over" : "begun");
	buf_free(&b);
	return r;
}

static void
finish(struct buf *results, struct cr_record *r, struct buf *title, struct buf *html, const char *key,
    const char *value)
{
	record_set(r, CR_TITLE, title->data, title->len);
	record_set(r, CR_CONTENT, html->data, html->len);
	put(results, r, key, value);
	buf_free(title);
	buf_free(html);
	record_free(r);
}

void
trouble_begun(struct buf *results, const struct trouble_seen *t, int64_t since, int64_t now)
{
	char key[TROUBLE_KEY], value[SINCE_MAX];
	struct cr_record *r;
	struct buf title, html;

	buf_init(&title, TEXT_MAX);
	buf_init(&html, 16 * TEXT_MAX);
	trouble_key(key, t->kind, t->name);
	snprintf(value, sizeof(value), "%" PRId64, since);
	buf_str(&title, kinds[t->kind].before);
	add_line(&title, t->name, TROUBLE_NAME);
	buf_fmt(&title, " %s", kinds[t->kind].begun);
	if (t->kind == TROUBLE_FAILING && t->ok > 0) {
		buf_str(&title, ", not read for ");
		add_duration(&title, now - t->ok);
	}
	if (t->kind == TROUBLE_SILENT) {
		buf_str(&title, ", nothing new for ");
		add_duration(&title, now - t->ok);
		buf_str(&title, ": usually no longer than ");
		add_duration(&title, t->rhythm);
	} else if (t->why != NULL && *t->why != '\0') {
		buf_str(&title, ": ");
		add_line(&title, t->why, TITLE_WHY);
		add_part(&html, t->kind == TROUBLE_MOVED ? "New address: " : "Reason: ", t->why);
	}
	add_time(&html, "Since: ", since);
	if (t->url != NULL && *t->url != '\0')
		add_part(&html, "Address: ", t->url);
	add_time(&html, t->kind == TROUBLE_BEHIND ? "Oldest record that it has not confirmed: " :
	    t->kind == TROUBLE_SILENT ? "Last new record: " : "Last read well: ", t->ok);
	add_count(&html, "Failures in a row: ", t->failures);
	add_count(&html, "HTTP status of the last answer: ", t->status);
	add_time(&html, "Next try: ", t->due);
	add_count(&html, t->kind == TROUBLE_RESTARTED ? "Restarts since the daemon started: " :
	    t->kind == TROUBLE_MANY ? "Further conditions: " : "Records: ", t->count);
	add_help(&html, kinds[t->kind].help, t->name);
	r = begin(t->kind, key, t->name, since, "", now);
	finish(results, r, &title, &html, key, value);
}

void
trouble_ended(struct buf *results, enum trouble_kind kind, const char *name, int64_t since, int64_t now,
    int removed)
{
	char key[TROUBLE_KEY];
	struct buf title, html;
	struct cr_record *r;

	buf_init(&title, TEXT_MAX);
	buf_init(&html, 16 * TEXT_MAX);
	trouble_key(key, kind, name);
	buf_str(&title, kinds[kind].before);
	add_line(&title, name, TROUBLE_NAME);
	buf_fmt(&title, " %s", removed ? "is not in the configuration any more" : kinds[kind].ended);
	buf_str(&title, ", after ");
	add_duration(&title, now - since);
	add_part(&html, kinds[kind].key, NULL);
	add_time(&html, "It began: ", since);
	add_time(&html, "It is over: ", now);
	r = begin(kind, key, name, since, ":over", now);
	record_set_extra(r, "until", record_get(r, CR_PUBLISHED, 0));
	finish(results, r, &title, &html, key, NULL);
}
