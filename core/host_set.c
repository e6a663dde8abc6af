/* The host's side of filling and reading records: text made clean, URLs resolved, HTML sanitised,
 * dates read. What foreign bytes become is decided here, once for all plugins. */
#include "host.h"
#include "date.h"
#include "html.h"
#include "mem.h"
#include "text.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAY_SET	(MAY_EMIT | PHASE_FILTER)
#define MAY_GET	(PHASE_FILTER | PHASE_DELIVER)

/* ---- Clean text ---- */

/* Whether there is a sign that embeds or isolates a direction of writing (U+202A to U+202E, U+2066 to
 * U+2069). */
static int
has_bidi(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + len;

	while ((s = memchr(s, 0xe2, (size_t)(end - s))) != NULL && end - s >= 3) {
		if ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) ||
		    (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9))
			return 1;
		s++;
	}
	return 0;
}

struct bytes
host_clean(const char *text, size_t len, int fold)
{
	if (fold && text_folded(text, len))
		return (struct bytes){ text, len };
	if (text_clean(text, len) < len) {
		buf_clear(&host.clean);
		host.replaced += text_utf8(&host.clean, text, len);
		if (host.clean.over)
			return (struct bytes){ NULL, 0 };
		text = host.clean.data != NULL ? host.clean.data : "";
		len = host.clean.len;
	}
	if (fold) {
		buf_clear(&host.folded);
		text_fold(&host.folded, text, len);
		if (host.folded.over)
			return (struct bytes){ NULL, 0 };
		text = host.folded.data != NULL ? host.folded.data : "";
		len = host.folded.len;
	}
	if (has_bidi(text, len)) {
		buf_clear(&host.balanced);
		text_bidi(&host.balanced, text, len);
		text = host.balanced.data != NULL ? host.balanced.data : "";
		len = host.balanced.len;
	}
	return (struct bytes){ text, len };
}

/* Schemes that lead to something to read or to hear; others run something where they are followed,
 * start a program, or hold their own page. A resolved address has its scheme in lower case. */
static int
scheme_leads(const char *url)
{
	static const char *const leads[] = { "https:", "http:", "mailto:", "magnet:", "tag:" };

	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (strncmp(url, leads[i], strlen(leads[i])) == 0)
			return 1;
	return 0;
}

int
host_url(const char *text)
{
	struct bytes b = host_clean(text, strlen(text), 1);

	buf_clear(&host.made);
	if (b.data == NULL || b.len == 0)
		return -1;
	if (b.data[b.len] != '\0')
		b.data = host_lend_text(b.data, b.len);
	if (url_resolve(&host.made, host.base.data, b.data) == -1 || host.made.len == 0)
		return -1;
	return scheme_leads(host.made.data) ? 0 : -1;
}

static int
too_long(struct cr_record *r)
{
	record_mark(r, "a text is over 16 MiB");
	return -1;
}

/* ---- One field: how its text becomes what is kept ---- */

static int
put_line(struct cr_record *r, int field, const char *text, size_t len)
{
	struct bytes b = host_clean(text, len, 1);

	return b.data != NULL ? record_set(r, field, b.data, b.len) : too_long(r);
}

static int
put_made(struct cr_record *r, int field)
{
	if (host.made.over)
		return too_long(r);
	return record_set(r, field, host.made.data != NULL ? host.made.data : "", host.made.len);
}

/* A URL that cannot be resolved is as good as none. */
static int
put_url(struct cr_record *r, int field, const char *text, size_t len)
{
	if (host_url(text) == 0)
		return put_made(r, field);
	return len == 0 && field != CR_ENCLOSURE ? record_set(r, field, "", 0) : 0;
}

static int
put_html(struct cr_record *r, int field, const char *text, size_t len)
{
	struct bytes b = host_clean(text, len, 0);

	if (b.data == NULL)
		return too_long(r);
	buf_clear(&host.made);
	html_sanitise(&host.made, b.data, b.len, host.base.data, host.html);
	return put_made(r, field);
}

/* Of a field that is plain text: the extra that keeps its markup, if there is any worth it. */
static const char *
markup_name(int field)
{
	return field == CR_TITLE ? "title-html" : "rights-html";
}

/* What is set as plain text has none. */
static int
put_plain(struct cr_record *r, int field, const char *text, size_t len)
{
	if (record_get_extra(r, markup_name(field)) != NULL || host.phase == PHASE_FILTER)
		record_set_extra(r, markup_name(field), "");
	return put_line(r, field, text, len);
}

/* The markup, sanitised, goes into an extra: an italic name, a formula, a picture. So does what has
 * no tag, but would look as if it had when it is read as text. */
static int
put_markup(struct cr_record *r, int field, const char *text, size_t len)
{
	const char *name = markup_name(field);

	buf_clear(&host.made);
	html_sanitise(&host.made, text, len, host.base.data, host.html);
	if (host.made.over)
		return too_long(r);
	if (host.made.len == 0 || (memchr(host.made.data, '<', host.made.len) == NULL &&
	    memmem(host.made.data, host.made.len, "&lt;", 4) == NULL))
		return 0;
	buf_char(&host.made, '\0');
	return record_set_extra(r, name, host.made.data);
}

static int
put_tags(struct cr_record *r, int field, const char *text, size_t len)
{
	struct bytes b = host_clean(text, len, 0);

	if (b.data == NULL)
		return too_long(r);
	if (strpbrk(b.data, "<&") != NULL && put_markup(r, field, b.data, b.len) == -1)
		return -1;
	buf_clear(&host.made);
	text_of_html(&host.made, b.data, b.len);
	if (host.made.over)
		return too_long(r);
	return host.made.len > 0 ? put_line(r, field, host.made.data, host.made.len) :
	    record_set(r, field, "", 0);
}

static int
put_escaped(struct cr_record *r, int field, const char *text, size_t len)
{
	struct bytes b = host_clean(text, len, 0);

	if (b.data == NULL)
		return too_long(r);
	buf_clear(&host.made);
	text_xml(&host.made, b.data, b.len);
	return put_made(r, field);
}

/* A time that lies ahead of the page by more than clocks and zones explain is the page's. */
static int
put_time(struct cr_record *r, int field, int64_t ms)
{
	int64_t now = host.cr.now(&host.cr);

	if (host.phase == PHASE_PARSE && ms != CR_NO_TIME && ms > host.latest)
		ms = host.page->when;
	else if ((host.phase & IN_BATCHES) != 0 && ms != CR_NO_TIME && ms > now + HOST_AHEAD)
		ms = now;
	return record_set_time(r, field, ms);
}

static int
put_date(struct cr_record *r, int field, const char *text, size_t len)
{
	struct bytes b;
	int64_t ms;

	if (date_parse(text, &ms) == 0 && ms >= 0)	/* before 1970: no feed was there to say it */
		return put_time(r, field, ms);
	b = host_clean(text, len, 1);
	if (b.data == NULL)
		return too_long(r);
	if (b.len == 0)
		return host.phase == PHASE_FILTER ? record_set_time(r, field, CR_NO_TIME) : 0;
	return record_set_extra(r, field == CR_PUBLISHED ? "published-text" : "updated-text",
	    host_lend_text(b.data, b.len));
}

/* ---- Persons ---- */

/* len bytes without the white space around them, as a string; NULL: nothing is left. */
static const char *
trimmed(const char *text, size_t len)
{
	while (len > 0 && text_space((unsigned char)*text)) {
		text++;
		len--;
	}
	while (len > 0 && text_space((unsigned char)text[len - 1]))
		len--;
	return len > 0 ? host_lend_text(text, len) : NULL;
}

static int
is_mail(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);

	return at != NULL && at > text && at + 1 < text + len && memchr(text, ' ', len) == NULL &&
	    memchr(text, '/', len) == NULL;
}

/* Takes `<mail>` or `<URL>` off the end of a text; its length without it, or len when there is none. */
static size_t
take_end(const char *text, size_t len, const char **mail, const char **uri)
{
	const char *open = len > 0 && text[len - 1] == '>' ? memrchr(text, '<', len) : NULL;
	const char *inner;

	if (open == NULL)
		return len;
	inner = trimmed(open + 1, (size_t)(text + len - 1 - (open + 1)));
	if (*mail == NULL && inner != NULL && is_mail(inner, strlen(inner)))
		*mail = inner;
	else if (*uri == NULL && inner != NULL && strstr(inner, "://") != NULL)
		*uri = inner;
	else
		return len;
	for (len = (size_t)(open - text); len > 0 && text_space((unsigned char)text[len - 1]);)
		len--;
	return len;
}

/* `Name <mail> <URL>` with any of the three left out, `mail (Name)`, `mail`. */
static int
put_person(struct cr_record *r, int field, const char *text, size_t len)
{
	struct bytes b = host_clean(text, len, 1);
	const char *mail = NULL, *uri = NULL, *name, *open;
	size_t n;

	if (b.data == NULL)
		return too_long(r);
	if (b.len == 0)
		return 0;
	b.data = host_lend_text(b.data, b.len);	/* host_url() below makes text clean too */
	n = take_end(b.data, b.len, &mail, &uri);
	n = take_end(b.data, n, &mail, &uri);
	name = trimmed(b.data, n);
	open = name != NULL && name[strlen(name) - 1] == ')' ? strchr(name, '(') : NULL;
	if (open != NULL && mail == NULL && is_mail(name, (size_t)(open - name) - (open > name &&
	    open[-1] == ' '))) {
		mail = trimmed(name, (size_t)(open - name));
		name = trimmed(open + 1, strlen(open) - 2);
	} else if (name != NULL && mail == NULL && is_mail(name, strlen(name))) {
		mail = name;
		name = NULL;
	}
	if (uri != NULL && host_url(uri) == -1)
		uri = NULL;
	return mail == NULL && uri == NULL ?
	    (name != NULL ? record_set(r, field, name, strlen(name)) : 0) :
	    record_add_author(r, field, name, mail, uri != NULL ? host.made.data : NULL);
}

/* ---- Setters ---- */

static const struct {
	int	(*put)(struct cr_record *, int field, const char *, size_t);
	int	 to;
} sets[] = {
	[CR_LINK] = { put_url, CR_LINK },
	[CR_TITLE] = { put_plain, CR_TITLE },
	[CR_SUMMARY] = { put_html, CR_SUMMARY },
	[CR_CONTENT] = { put_html, CR_CONTENT },
	[CR_TITLE_HTML] = { put_tags, CR_TITLE },
	[CR_SUMMARY_TEXT] = { put_escaped, CR_SUMMARY },
	[CR_CONTENT_TEXT] = { put_escaped, CR_CONTENT },
	[CR_PUBLISHED] = { put_date, CR_PUBLISHED },
	[CR_UPDATED] = { put_date, CR_UPDATED },
	[CR_LANGUAGE] = { put_line, CR_LANGUAGE },
	[CR_IMAGE] = { put_url, CR_IMAGE },
	[CR_COMMENTS] = { put_url, CR_COMMENTS },
	[CR_CATEGORY] = { put_line, CR_CATEGORY },
	[CR_AUTHOR] = { put_person, CR_AUTHOR },
	[CR_ENCLOSURE] = { put_url, CR_ENCLOSURE },
	[CR_CONTRIBUTOR] = { put_person, CR_CONTRIBUTOR },
	[CR_RIGHTS] = { put_plain, CR_RIGHTS },
	[CR_RIGHTS_HTML] = { put_tags, CR_RIGHTS },
};

/* Whether r may be written to now. */
static int
writable(struct cr_record *r)
{
	return r != NULL && (host.phase & MAY_SET) != 0;
}

static int
cr_set(struct cr_record *r, int field, const char *text)
{
	struct lent *before = host.lent;
	int rc;

	if (!writable(r))
		return -1;
	if (text == NULL)
		return 0;
	if (field < 0 || (size_t)field >= sizeof(sets) / sizeof(sets[0]) ||
	    sets[field].put == NULL) {
		record_mark(r, "a text for what is no field that can be set");
		return -1;
	}
	rc = sets[field].put(r, sets[field].to, text, strlen(text));
	host_unlend(before);
	return rc;
}

static int
cr_set_time(struct cr_record *r, int field, int64_t ms)
{
	return writable(r) ? put_time(r, field, ms) : -1;
}

static int
cr_set_extra(struct cr_record *r, const char *name, const char *text)
{
	struct lent *before = host.lent;
	struct bytes b;
	int rc;

	if (!writable(r))
		return -1;
	if (name == NULL || text == NULL)
		return 0;
	b = host_clean(name, strlen(name), 1);
	if (b.data == NULL)
		return too_long(r);
	if (b.data != name)
		name = host_lend_text(b.data, b.len);
	b = host_clean(text, strlen(text), 0);
	rc = b.data != NULL ? record_set_extra(r, name, b.data) : too_long(r);
	host_unlend(before);
	return rc;
}

static int
cr_set_number(struct cr_record *r, const char *name, double value)
{
	struct bytes b;

	if (!writable(r))
		return -1;
	if (name == NULL)
		return 0;
	b = host_clean(name, strlen(name), 1);
	return b.data != NULL ? record_set_number(r, b.data, value) : too_long(r);
}

static int
cr_set_counter(struct cr_record *r, const char *name, int64_t value)
{
	struct bytes b;

	if (!writable(r))
		return -1;
	if (name == NULL)
		return 0;
	b = host_clean(name, strlen(name), 1);
	return b.data != NULL ? record_set_counter(r, b.data, value) : too_long(r);
}

/* A part of a person or a file, clean and folded; NULL: none. */
static const char *
part(const char *text)
{
	struct bytes b;

	if (text == NULL)
		return NULL;
	b = host_clean(text, strlen(text), 1);
	if (b.data == NULL || b.len == 0)
		return NULL;
	return b.data == text ? text : host_lend_text(b.data, b.len);
}

static int
cr_add_author(struct cr_record *r, const char *name, const char *mail, const char *uri)
{
	struct lent *before = host.lent;
	int rc;

	if (!writable(r))
		return -1;
	name = part(name);
	mail = part(mail);
	if (mail != NULL && strncasecmp(mail, "mailto:", 7) == 0)
		mail += 7;
	uri = uri != NULL && host_url(uri) == 0 ? host.made.data : NULL;
	rc = record_add_author(r, CR_AUTHOR, name, mail, uri);
	host_unlend(before);
	return rc;
}

static int
cr_add_enclosure(struct cr_record *r, const char *url, const char *type, int64_t size)
{
	struct lent *before = host.lent;
	int rc = 0;

	if (!writable(r))
		return -1;
	type = part(type);
	if (url != NULL && host_url(url) == 0)
		rc = record_add_enclosure(r, host.made.data, type, size);
	host_unlend(before);
	return rc;
}

/* ---- Getters ---- */

static int64_t
cr_get_time(const struct cr_record *r, int field)
{
	if (r == NULL || (host.phase & MAY_GET) == 0)
		return CR_NO_TIME;
	return field == CR_SEEN ? record_about(r)->seen : record_get_time(r, field);
}

static const char *
get_seen(const struct cr_record *r)
{
	char text[DATE_MAX];
	int64_t seen = record_about(r)->seen;

	if (seen == CR_NO_TIME)
		return NULL;
	date_rfc3339(text, seen);
	return host_lend_text(text, strlen(text));
}

static const char *
cr_get(const struct cr_record *r, int field, size_t nth)
{
	if (r == NULL || (host.phase & MAY_GET) == 0)
		return NULL;
	if (field == CR_SEEN)
		return nth == 0 ? get_seen(r) : NULL;
	return record_get(r, field, nth);
}

static const char *
cr_get_extra(const struct cr_record *r, const char *name)
{
	return r != NULL && name != NULL && (host.phase & MAY_GET) != 0 ?
	    record_get_extra(r, name) : NULL;
}

/* What is told of its story, unless the record has such a number itself. */
static int
story_number(const struct cr_record *r, const char *name, double *value)
{
	const struct record_story *story = record_story(r);

	if (story->sources == 0 || strcmp(name, "sources") != 0)
		return 0;
	*value = story->sources;
	return 1;
}

static int
cr_get_number(const struct cr_record *r, const char *name, double *value)
{
	return r != NULL && name != NULL && (host.phase & MAY_GET) != 0 &&
	    (record_get_number(r, name, value) || story_number(r, name, value));
}

static const char *
cr_json(const struct cr_record *r)
{
	const char *text = NULL;
	struct buf b;

	if (r == NULL || (host.phase & MAY_GET) == 0)
		return NULL;
	buf_init(&b, 8 * RECORD_MAX);
	record_json(r, record_about(r), &b);
	if (!b.over)
		text = host_lend_text(b.data, b.len);
	buf_free(&b);
	return text;
}

void
host_set_table(struct cr *cr)
{
	cr->set = cr_set;
	cr->set_time = cr_set_time;
	cr->set_extra = cr_set_extra;
	cr->set_number = cr_set_number;
	cr->set_counter = cr_set_counter;
	cr->add_author = cr_add_author;
	cr->add_enclosure = cr_add_enclosure;
	cr->get = cr_get;
	cr->get_time = cr_get_time;
	cr->get_extra = cr_get_extra;
	cr->get_number = cr_get_number;
	cr->json = cr_json;
}

/* ---- Records that a plugin holds ---- */

struct cr_record *
host_record_take(void)
{
	struct cr_record *r;

	if (host.nopen == HOST_OPEN)
		return NULL;
	r = host.nspare > 0 ? host.spare[--host.nspare] : record_new();
	host.open[host.nopen++] = r;
	return r;
}

int
host_record_open(const struct cr_record *r)
{
	size_t i;

	for (i = 0; i < host.nopen; i++)
		if (host.open[i] == r)
			return 1;
	return 0;
}

void
host_record_drop(struct cr_record *r)
{
	size_t i;

	for (i = 0; i < host.nopen; i++)
		if (host.open[i] == r) {
			host.open[i] = host.open[--host.nopen];
			record_clear(r);
			host.spare[host.nspare++] = r;
			return;
		}
}
