/* The setters and getters of records. Setters clean text, resolve URLs, sanitise HTML and parse
 * dates, in the same way for all plugins. */
#include "host_record.h"
#include "host.h"
#include "html.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/text.h"
#include "base/url.h"
#include "ipc/msg.h"
#include "record/field.h"
#include "record/record.h"
#include "record/record_json.h"

#include <string.h>
#include <strings.h>

#define MAY_SET	(MAY_EMIT | PHASE_FILTER)
#define MAY_GET	(PHASE_FILTER | PHASE_DELIVER)

/* ---- URLs ---- */

/* Resolves a URL into host.made. -1: it is invalid, or its scheme is not allowed. */
static int
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
	return field_url_leads(host.made.data) ? 0 : -1;
}

static int
too_long(struct cr_record *r)
{
	record_mark(r, "a text is over 16 MiB");
	return -1;
}

/* ---- Fields: from the plugin's text to the stored value ---- */

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

/* A URL that cannot be resolved is ignored, and an image that is not on the web. */
static int
put_url(struct cr_record *r, int field, const char *text, size_t len)
{
	if (host_url(text) == 0)
		return record_fields[field].holds == HOLDS_WEB && !field_web_leads(host.made.data) ?
		    0 : put_made(r, field);
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

/* The extra with the markup of a plain text field (field_markup()). */
static const char *
markup_name(int field)
{
	return field == CR_TITLE ? "title-html" : "rights-html";
}

/* Plain text has no markup: an earlier extra of it is unset. */
static int
put_plain(struct cr_record *r, int field, const char *text, size_t len)
{
	if (record_get_extra(r, markup_name(field)) != NULL || host.phase == PHASE_FILTER)
		record_set_extra(r, markup_name(field), "");
	return put_line(r, field, text, len);
}

/* Stores the sanitised markup (an italic name, a formula, a picture) in an extra. Also text without
 * tags but with "&lt;", whose plain form looks like a tag. */
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
	if (strcasestr(b.data, "math") != NULL && strchr(b.data, '<') != NULL &&
	    host.made.len > 0) {	/* the sanitiser makes text of a formula */
		b.len = strlen(host.made.data);
		b.data = host_lend_text(host.made.data, b.len);
	}
	buf_clear(&host.made);
	text_of_html(&host.made, b.data, b.len);
	if (host.made.over)
		return too_long(r);
	return host.made.len > 0 ? put_line(r, field, host.made.data, host.made.len) :
	    record_set(r, field, "", 0);
}

/* Plain text as HTML, with <br/> for line ends. */
static int
put_escaped(struct cr_record *r, int field, const char *text, size_t len)
{
	struct bytes b = host_clean(text, len, 0);
	const char *s, *end;
	size_t n;

	if (b.data == NULL)
		return too_long(r);
	s = b.data;
	end = s + b.len;
	while (end > s && text_space((unsigned char)end[-1]))
		end--;
	while (s < end && text_space((unsigned char)*s))
		s++;
	buf_clear(&host.made);
	for (; s < end; s += n) {
		for (n = 0; s + n < end && s[n] != '\n' && s[n] != '\r'; n++)
			;
		text_xml(&host.made, s, n);
		if (s + n == end)
			break;
		buf_str(&host.made, "<br/>\n");
		n += s[n] == '\r' && s[n + 1] == '\n' ? 2 : 1;
	}
	return put_made(r, field);
}

/* A time after the page's by more than FIELD_AHEAD, which wrong clocks and time zones do not
 * explain, becomes the page's. One outside of the calendar is none. */
static int
put_time(struct cr_record *r, int field, int64_t ms)
{
	int64_t now = host.cr.now(&host.cr);

	if (ms < FIELD_TIME_MIN || (ms > FIELD_TIME_MAX && host.phase == PHASE_FILTER))
		ms = CR_NO_TIME;
	if (host.phase == PHASE_PARSE && ms != CR_NO_TIME && ms > host.latest)
		ms = host.page->when;
	else if ((host.phase & IN_BATCHES) != 0 && ms != CR_NO_TIME && ms > now + FIELD_AHEAD)
		ms = now;
	return record_set_time(r, field, ms);
}

static int
put_date(struct cr_record *r, int field, const char *text, size_t len)
{
	struct bytes b;
	int64_t ms;

	if (date_parse(text, &ms) == 0 && ms >= 0)	/* before 1970: not a feed's date */
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

/* A lent copy of a part of a text, without white space around it, its bidirectional embeddings
 * balanced anew; NULL: empty. */
static const char *
trimmed(const char *text, size_t len)
{
	struct bytes b;

	while (len > 0 && text_space((unsigned char)*text)) {
		text++;
		len--;
	}
	while (len > 0 && text_space((unsigned char)text[len - 1]))
		len--;
	b = host_clean(text, len, 1);
	return b.len > 0 ? host_lend_text(b.data, b.len) : NULL;
}

static int
is_mail(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);

	return at != NULL && at > text && at + 1 < text + len && memchr(text, ' ', len) == NULL &&
	    memchr(text, '/', len) == NULL;
}

/* Splits `<mail>` or `<URL>` off the end of a text. Returns the length of the rest; len: none. */
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
	b.data = host_lend_text(b.data, b.len);	/* host_url() below reuses the buffers of
						 * host_clean() */
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

/* Whether the running callback may change r. */
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

/* An extra that is nothing but an http or https URL, as a URI without user and password; any other
 * text unchanged. */
static const char *
extra_url(const char *text)
{
	if ((strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0) ||
	    text[strcspn(text, " \t\r\n")] != '\0')
		return text;
	buf_clear(&host.made);
	return url_resolve(&host.made, NULL, text) == 0 ? host.made.data : text;
}

static int
put_extra_html(struct cr_record *r, const char *name, struct bytes b)
{
	buf_clear(&host.made);
	html_sanitise(&host.made, b.data, b.len, host.base.data, host.html);
	if (host.made.over)
		return too_long(r);
	return record_set_extra(r, name, host.made.data != NULL ? host.made.data : "");
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
	rc = b.data == NULL ? too_long(r) : field_markup(name) ? put_extra_html(r, name, b) :
	    record_set_extra(r, name, extra_url(b.data));
	host_unlend(before);
	return rc;
}

/* The clean name of a number or counter that a plugin may set; NULL: it may not. */
static const char *
number_name(struct cr_record *r, const char *name)
{
	struct bytes b = host_clean(name, strlen(name), 1);

	if (b.data == NULL) {
		too_long(r);
		return NULL;
	}
	if (record_number_reserved(b.data)) {
		host_say("a number named %s is left out: only the host gives sources, heat, score, rank "
		    "and story.NAME", b.data);
		return NULL;
	}
	return b.data;
}

static int
cr_set_number(struct cr_record *r, const char *name, double value)
{
	if (!writable(r))
		return -1;
	if (name == NULL)
		return 0;
	name = number_name(r, name);
	return name != NULL ? record_set_number(r, name, value) : -1;
}

static int
cr_set_counter(struct cr_record *r, const char *name, int64_t value)
{
	if (!writable(r))
		return -1;
	if (name == NULL)
		return 0;
	value = value > FIELD_WHOLE_MAX ? FIELD_WHOLE_MAX :
	    value < -FIELD_WHOLE_MAX ? -FIELD_WHOLE_MAX : value;
	name = number_name(r, name);
	return name != NULL ? record_set_counter(r, name, value) : -1;
}

/* A part of an author or enclosure, clean and folded; NULL: none. */
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
		rc = record_add_enclosure(r, host.made.data, type,
		    size <= FIELD_WHOLE_MAX ? size : -1);
	host_unlend(before);
	return rc;
}

/* ---- Getters ---- */

static int64_t
cr_get_time(const struct cr_record *r, int field)
{
	if (r == NULL || (host.phase & MAY_GET) == 0)
		return CR_NO_TIME;
	if (field == CR_DATE)
		return record_date(r, record_about(r)->seen);
	if (field == CR_REVISED)
		return record_story(r)->revised;
	return field == CR_SEEN ? record_about(r)->seen : record_get_time(r, field);
}

/* As RFC 3339; NULL: none. */
static const char *
get_date(int64_t ms)
{
	char text[DATE_MAX];

	if (ms == CR_NO_TIME)
		return NULL;
	date_rfc3339(text, ms);
	return host_lend_text(text, strlen(text));
}

static const char *
cr_get(const struct cr_record *r, int field, size_t nth)
{
	if (r == NULL || (host.phase & MAY_GET) == 0)
		return NULL;
	if (field == CR_SEEN || field == CR_DATE || field == CR_REVISED)
		return nth == 0 ? get_date(cr_get_time(r, field)) : NULL;
	return record_get(r, field, nth);
}

static const char *
cr_get_extra(const struct cr_record *r, const char *name)
{
	return r != NULL && name != NULL && (host.phase & MAY_GET) != 0 ?
	    record_get_extra(r, name) : NULL;
}

static int
cr_get_number(const struct cr_record *r, const char *name, double *value)
{
	return r != NULL && name != NULL && (host.phase & MAY_GET) != 0 &&
	    record_number_read(r, name, value);
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

static const struct cr_record *
cr_feed_of(const struct cr_record *r)
{
	return r != NULL && host.phase == PHASE_DELIVER ? record_story(r)->feed : NULL;
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
	cr->feed_of = cr_feed_of;
}

/* ---- Open records ---- */

struct cr_record *
host_record_take(void)
{
	struct cr_record *r;

	if (host.nopen == HOST_OPEN)
		return NULL;
	r = host.nspare > 0 ? host.spare[--host.nspare] : record_new();
	host.by_title[host.nopen] = 0;
	host.open[host.nopen++] = r;
	return r;
}

int
host_record_open(const struct cr_record *r)
{
	int i;

	for (i = 0; i < (int)host.nopen; i++)
		if (host.open[i] == r)
			return i + 1;
	return 0;
}

void
host_record_drop(struct cr_record *r)
{
	size_t i;

	for (i = 0; i < host.nopen; i++)
		if (host.open[i] == r) {
			host.open[i] = host.open[--host.nopen];
			host.by_title[i] = host.by_title[host.nopen];
			record_clear(r);
			host.spare[host.nspare++] = r;
			return;
		}
}
