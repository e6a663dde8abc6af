/* Part of <courant/fakehost.h>: the functions of struct cr. */
#ifndef COURANT_FAKE_CR_H
#define COURANT_FAKE_CR_H
#include <poll.h>
#include <stdarg.h>

/* ---- Small parts ---- */

/* Makes room for one more element in an array of n, each of size bytes. Returns the array, which
 * may have moved. */
static inline void *
cr_fake_more(struct cr_fake *f, void *array, size_t n, size_t size)
{
	void *longer;

	if ((n & (n - 1)) != 0)
		return array;
	longer = cr_fake_alloc(&f->mem, 2 * (n + 1) * size);
	if (n > 0)
		memcpy(longer, array, n * size);
	return longer;
}

static inline const char *
cr_fake_string(struct cr_fake *f, const char *s)
{
	return s != NULL ? cr_fake_copy(&f->mem, s, strlen(s)) : "";
}

static inline int
cr_fake_in(const struct cr *cr, int phases)
{
	return (((const struct cr_fake *)(const void *)cr)->phase & (unsigned)phases) != 0;
}

static inline struct cr_fake *
cr_fake_of(struct cr *cr)
{
	return (struct cr_fake *)(void *)cr;
}

static inline __attribute__((format(printf, 2, 0))) const char *
cr_fake_line(struct cr_fake *f, const char *fmt, va_list ap)
{
	struct cr_fake_text t = { .mem = &f->mem };
	char line[1000];

	vsnprintf(line, sizeof(line), fmt, ap);
	cr_fake_clean(&t, line, strlen(line), 1);
	return t.data;
}

static inline void CR_PRINTF(2, 3)
cr_fake_log(struct cr *cr, const char *fmt, ...)
{
	struct cr_fake *f = cr_fake_of(cr);
	va_list ap;

	va_start(ap, fmt);
	cr_fake_str(&f->log, cr_fake_line(f, fmt, ap));
	cr_fake_str(&f->log, "\n");
	va_end(ap);
}

static inline int CR_PRINTF(3, 4)
cr_fake_fail(struct cr *cr, int why, const char *fmt, ...)
{
	struct cr_fake *f = cr_fake_of(cr);
	va_list ap;

	va_start(ap, fmt);
	f->error = cr_fake_line(f, fmt, ap);
	va_end(ap);
	f->failed = why >= CR_BAD_DATA && why <= CR_REJECTED ? why : CR_BAD_DATA;
	return -1;
}

static inline int CR_PRINTF(3, 4)
cr_fake_retry(struct cr *cr, int64_t ms, const char *fmt, ...)
{
	struct cr_fake *f = cr_fake_of(cr);
	va_list ap;

	va_start(ap, fmt);
	f->error = cr_fake_line(f, fmt, ap);
	va_end(ap);
	f->failed = CR_FAKE_RETRY;
	f->retry = ms >= 0 ? ms : -1;
	return -1;
}

static inline void
cr_fake_blame(struct cr_fake *f, const char *callback)
{
	if (f->failed == 0)
		f->failed = CR_BAD_DATA;
	if (f->error == NULL) {
		f->error = cr_fake_string(f, callback);
		cr_fake_log(&f->cr, "%s() failed without saying why", callback);
	}
}

/* ---- struct cr: time, text, state ---- */

static inline int64_t
cr_fake_host_now(struct cr *cr)
{
	return cr_fake_of(cr)->now;
}

static inline int64_t
cr_fake_host_time(struct cr *cr, const char *text)
{
	(void)cr;
	return text != NULL ? cr_fake_time(text) : CR_NO_TIME;
}

static inline const char *
cr_fake_host_convert(struct cr *cr, const char *charset, const char *text, size_t size,
    size_t *len, size_t *bad)
{
	struct cr_fake_text t = { .mem = &cr_fake_of(cr)->mem };
	size_t i, n, wrong, count = 0;
	int latin = charset != NULL && (cr_fake_is(charset, strlen(charset), "iso-8859-1") ||
	    cr_fake_is(charset, strlen(charset), "latin1"));
	uint32_t cp;

	if (text == NULL || charset == NULL || (!latin &&
	    !cr_fake_is(charset, strlen(charset), "utf-8") &&
	    !cr_fake_is(charset, strlen(charset), "us-ascii")))
		return NULL;
	cr_fake_add(&t, "", 0);
	for (i = 0; i < size; i += n) {
		n = cr_fake_char(text + i, size - i, &cp, &wrong);
		if (latin && (unsigned char)text[i] >= 0x80) {
			cr_fake_add(&t, (char[]){ (char)(0xc0 | ((unsigned char)text[i] >> 6)),
			    (char)(0x80 | (text[i] & 0x3f)) }, 2);
			n = 1;
		} else if (n > 0) {
			cr_fake_add(&t, text + i, n);
		} else {
			cr_fake_add(&t, "\xef\xbf\xbd", 3);
			n = wrong;
			count++;
		}
	}
	*len = t.len;
	if (bad != NULL)
		*bad = count;
	return t.data;
}

/* The state's value of a key; NULL: none. */
static inline const char *
cr_fake_state(const struct cr_fake *f, const char *key)
{
	size_t i;

	for (i = f->nstate; i > 0; i--)
		if (strcmp(f->state[i - 1].key, key) == 0)
			return f->state[i - 1].value;
	return NULL;
}

/* Sets state as an earlier job would have; value NULL unsets the key. */
static inline void
cr_fake_set_state(struct cr_fake *f, const char *key, const char *value)
{
	f->state = cr_fake_more(f, f->state, f->nstate, sizeof(*f->state));
	f->state[f->nstate++] = (struct cr_fake_state){ cr_fake_string(f, key),
		value != NULL ? cr_fake_string(f, value) : NULL };
}

static inline const char *
cr_fake_host_state_get(struct cr *cr, const char *key)
{
	return key != NULL && cr_fake_in(cr, ~0) ? cr_fake_state(cr_fake_of(cr), key) : NULL;
}

static inline int
cr_fake_host_state_set(struct cr *cr, const char *key, const char *value)
{
	struct cr_fake *f = cr_fake_of(cr);
	size_t used = 0, i;

	if (!cr_fake_in(cr, ~0) || key == NULL || *key == '\0' || strlen(key) > 255)
		return -1;
	for (i = 0; i < f->npending; i++)
		if (f->pending[i].value != NULL && strcmp(f->pending[i].key, key) != 0)
			used += strlen(f->pending[i].key) + strlen(f->pending[i].value) + 3;
	if (used + strlen(key) + (value != NULL ? strlen(value) : 0) + 3 > CR_FAKE_STATE)
		return -1;
	f->pending = cr_fake_more(f, f->pending, f->npending, sizeof(*f->pending));
	f->pending[f->npending++] = (struct cr_fake_state){ cr_fake_string(f, key),
		value != NULL ? cr_fake_string(f, value) : NULL };
	return 0;
}

/* ---- struct cr: records ---- */

/* A test's own record, for cr_fake_filter() and cr_fake_deliver(). cr_fake_set() and the other
 * setters fill it, also CR_ID and CR_SOURCE. */
static inline struct cr_record *
cr_fake_record(struct cr_fake *f, const char *guid)
{
	struct cr_record *r = cr_fake_alloc(&f->mem, sizeof(*r));
	size_t len;

	r->mem = &f->mem;
	r->base = &f->base;
	r->arrived = &f->arrived;
	r->time[CR_PUBLISHED] = r->time[CR_UPDATED] = r->time[CR_SEEN] = CR_NO_TIME;
	r->time[CR_FAKE_REVISED] = CR_NO_TIME;
	guid = guid != NULL ? guid : "";
	while (cr_fake_space(*guid))
		guid++;
	for (len = strlen(guid); len > 0 && cr_fake_space(guid[len - 1]); len--)
		;
	if (len > 0)
		cr_fake_set(r, CR_GUID, cr_fake_copy(&f->mem, guid, len));
	return r;
}

/* Whether a guid is CR_BY_TITLE, which a plugin.h before 1.2 does not have. */
static inline int
cr_fake_by_title(const char *guid)
{
	return guid != NULL && strcmp(guid, "\x01" "title") == 0;
}

static inline struct cr_record *
cr_fake_host_record(struct cr *cr, const char *guid)
{
	struct cr_fake *f = cr_fake_of(cr);
	struct cr_record *r;

	if (!cr_fake_in(cr, CR_FAKE_PARSE | CR_FAKE_STREAM | CR_FAKE_VISIT) ||
	    f->nopen == CR_FAKE_OPEN)
		return NULL;
	r = cr_fake_record(f, cr_fake_by_title(guid) ? NULL : guid);
	r->by_title = cr_fake_by_title(guid);
	r->open = ++f->nopen > 0;
	return r;
}

/* Whether the record is new, by its guid, else link, else title. */
static inline int
cr_fake_is_new(struct cr_fake *f, const struct cr_record *r)
{
	static const int keys[] = { CR_GUID, CR_LINK, CR_TITLE };
	const char *key = NULL;
	size_t i;

	for (i = 0; i < 3 && key == NULL; i++)
		key = cr_fake_get(r, keys[i], 0);
	if (key == NULL)
		return 1;
	for (i = 0; i < f->nknown; i++)
		if (strcmp(f->known[i], key) == 0)
			return 0;
	f->known = cr_fake_more(f, f->known, f->nknown, sizeof(*f->known));
	f->known[f->nknown++] = key;
	return 1;
}

static inline int
cr_fake_emit(struct cr *cr, struct cr_record *r)
{
	struct cr_fake *f = cr_fake_of(cr);
	const char *why = NULL;

	if (!cr_fake_in(cr, CR_FAKE_PARSE | CR_FAKE_STREAM | CR_FAKE_VISIT))
		return -1;
	if (r == NULL || !r->open)
		why = "it is none that record() made, or was emitted before";
	else if (r->bad != NULL)
		why = r->bad;
	else if (cr_fake_get(r, CR_GUID, 0) == NULL && cr_fake_get(r, CR_LINK, 0) == NULL &&
	    !r->by_title)
		why = "it has neither guid nor link, of which its id is made";
	if (r != NULL && r->open) {
		r->open = 0;
		f->nopen--;
	}
	if (why != NULL) {
		cr_fake_log(cr, "record %zu refused: %s", f->nrecords + ++f->refused, why);
		return -1;
	}
	f->fresh += cr_fake_is_new(f, r);
	f->records = cr_fake_more(f, f->records, f->nrecords, sizeof(*f->records));
	f->records[f->nrecords++] = r;
	return 0;
}

/* Setters and getters of struct cr get no host: the host, and its phase, are found by the record's
 * memory. */
static inline int
cr_fake_may(const struct cr_record *r, int phases)
{
	return r != NULL && ((const struct cr_fake *)(const void *)((const char *)r->mem -
	    offsetof(struct cr_fake, mem)))->phase & (unsigned)phases ? 1 : 0;
}
#define CR_FAKE_SETS	(CR_FAKE_PARSE | CR_FAKE_STREAM | CR_FAKE_VISIT | CR_FAKE_FILTER)
#define CR_FAKE_GETS	(CR_FAKE_FILTER | CR_FAKE_DELIVER)

static inline int
cr_fake_host_set(struct cr_record *r, int field, const char *text)
{
	if (!cr_fake_may(r, CR_FAKE_SETS))
		return -1;
	if (text != NULL && (field == CR_ID || field == CR_SOURCE || field == CR_GUID))
		return cr_fake_mark(r, "a text for what is no field that can be set");
	return cr_fake_set(r, field, text);
}

static inline int
cr_fake_host_set_time(struct cr_record *r, int field, int64_t ms)
{
	if (!cr_fake_may(r, CR_FAKE_SETS))
		return -1;
	if (field == CR_SEEN || field == CR_FAKE_DATE || field == CR_FAKE_REVISED)
		return cr_fake_mark(r, "a time for what is no field of time");
	return cr_fake_set_time(r, field, ms);
}

static inline int
cr_fake_host_set_extra(struct cr_record *r, const char *name, const char *text)
{
	return cr_fake_may(r, CR_FAKE_SETS) ? cr_fake_set_extra(r, name, text) : -1;
}

/* Whether only the host gives a number of that name. */
static inline int
cr_fake_reserved(const char *name)
{
	static const char *const names[] = { "sources", "heat", "score", "rank" };
	int is = name != NULL && strncmp(name, "story.", 6) == 0;

	for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		is = is || strcmp(name, names[i]) == 0;
	return is;
}

static inline int
cr_fake_host_set_number(struct cr_record *r, const char *name, double number)
{
	return cr_fake_may(r, CR_FAKE_SETS) && !cr_fake_reserved(name) ?
	    cr_fake_set_number(r, name, number) : -1;
}

static inline int
cr_fake_host_set_counter(struct cr_record *r, const char *name, int64_t count)
{
	return cr_fake_may(r, CR_FAKE_SETS) && !cr_fake_reserved(name) ?
	    cr_fake_set_counter(r, name, count) : -1;
}

static inline int
cr_fake_host_add_author(struct cr_record *r, const char *name, const char *mail, const char *uri)
{
	return cr_fake_may(r, CR_FAKE_SETS) ? cr_fake_add_person(r, CR_AUTHOR, name, mail, uri) : -1;
}

static inline int
cr_fake_host_add_enclosure(struct cr_record *r, const char *url, const char *type, int64_t size)
{
	return cr_fake_may(r, CR_FAKE_SETS) ? cr_fake_add_enclosure(r, url, type, size) : -1;
}

static inline const char *
cr_fake_host_get(const struct cr_record *r, int field, size_t nth)
{
	return cr_fake_may(r, CR_FAKE_GETS) ? cr_fake_get(r, field, nth) : NULL;
}

static inline int64_t
cr_fake_host_get_time(const struct cr_record *r, int field)
{
	return cr_fake_may(r, CR_FAKE_GETS) ? cr_fake_get_time(r, field) : CR_NO_TIME;
}

static inline const char *
cr_fake_host_get_extra(const struct cr_record *r, const char *name)
{
	return name != NULL && cr_fake_may(r, CR_FAKE_GETS) ? cr_fake_get_extra(r, name) : NULL;
}

static inline int
cr_fake_host_get_number(const struct cr_record *r, const char *name, double *number)
{
	double n = name != NULL && cr_fake_may(r, CR_FAKE_GETS) ? cr_fake_get_number(r, name) : NAN;

	if (isnan(n))
		return 0;
	*number = n;
	return 1;
}

static inline const char *
cr_fake_host_json(const struct cr_record *r)
{
	return cr_fake_may(r, CR_FAKE_GETS) ? cr_fake_json(r) : NULL;
}

static inline const struct cr_record *
cr_fake_host_feed_of(const struct cr_record *r)
{
	return cr_fake_may(r, CR_FAKE_DELIVER) ? r->feed : NULL;
}

/* TeX stays as it is: what the host makes of it is the host's to test. */
static inline const char *
cr_fake_host_tex(struct cr *cr, const char *text, int html)
{
	struct cr_fake_text t = { .mem = &cr_fake_of(cr)->mem };

	if (text == NULL || !html)
		return text;
	cr_fake_str(&t, "");
	for (; *text != '\0'; text++)
		cr_fake_escape(&t, *text);
	return t.data;
}

static inline int CR_PRINTF(3, 4)
cr_fake_host_verdict(struct cr *cr, int verdict, const char *fmt, ...)
{
	va_list ap;

	if (!cr_fake_in(cr, CR_FAKE_FILTER))
		return -1;
	va_start(ap, fmt);
	cr_fake_of(cr)->why = cr_fake_line(cr_fake_of(cr), fmt, ap);
	va_end(ap);
	return verdict;
}

static inline int
cr_fake_host_wait_for(struct cr *cr, const char *name, double value)
{
	if (!cr_fake_in(cr, CR_FAKE_FILTER) || name == NULL || !isfinite(value))
		return -1;
	return 0;
}

/* The fake host searches nothing: found of struct cr_fake is the answer. */
static inline int
cr_fake_host_search(struct cr *cr, const char *query, const char **why)
{
	if (why != NULL)
		*why = NULL;
	if (query == NULL)
		return -1;
	return cr_fake_of(cr)->phase == CR_FAKE_FILTER ? cr_fake_of(cr)->found : 0;
}

/* ---- struct cr: pages ---- */

static inline struct cr_record *
cr_fake_host_feed(struct cr *cr)
{
	struct cr_fake *f = cr_fake_of(cr);

	if (!cr_fake_in(cr, CR_FAKE_PARSE))
		return NULL;
	if (f->feed == NULL)
		f->feed = cr_fake_record(f, NULL);
	return f->feed;
}

static inline int CR_PRINTF(2, 3)
cr_fake_host_partial(struct cr *cr, const char *fmt, ...)
{
	struct cr_fake *f = cr_fake_of(cr);
	va_list ap;

	if (!cr_fake_in(cr, CR_FAKE_PARSE))
		return -1;
	va_start(ap, fmt);
	if (f->partial == NULL)
		f->partial = cr_fake_line(f, fmt, ap);
	va_end(ap);
	return 0;
}

static inline int
cr_fake_host_base(struct cr *cr, const char *url)
{
	struct cr_fake *f = cr_fake_of(cr);
	struct cr_fake_text t = { .mem = &f->mem };

	if (!cr_fake_in(cr, CR_FAKE_PARSE) ||
	    (url != NULL && cr_fake_resolve(&t, f->page->url, url) == -1))
		return -1;
	f->base = url != NULL ? t.data : f->page->url;
	return 0;
}

static inline void
cr_fake_ask(struct cr_fake *f, const struct cr_request *rq, int nth)
{
	f->requests = cr_fake_more(f, f->requests, f->nrequests, sizeof(*f->requests));
	f->requests[f->nrequests++] = (struct cr_fake_request){
		.url = cr_fake_string(f, rq->url), .headers = cr_fake_string(f, rq->headers),
		.method = rq->method != NULL ? cr_fake_string(f, rq->method) :
		    rq->body != NULL ? "POST" : "GET",
		.body = rq->body != NULL ? cr_fake_copy(&f->mem, rq->body, rq->len) : "",
		.len = rq->len, .tag = cr_fake_string(f, rq->tag), .nth = nth };
}

static inline int
cr_fake_web(const char *url)
{
	return url != NULL && (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0);
}

static inline int
cr_fake_host_fetch(struct cr *cr, const struct cr_request *rq)
{
	struct cr_fake *f = cr_fake_of(cr);

	if (!cr_fake_in(cr, CR_FAKE_PLAN | CR_FAKE_PARSE) || rq == NULL || !cr_fake_web(rq->url) ||
	    (rq->tag != NULL && strlen(rq->tag) > 255))
		return -1;
	cr_fake_ask(f, rq, f->page != NULL ? f->page->nth : 0);
	return 0;
}

static inline int
cr_fake_host_next(struct cr *cr, const char *url)
{
	struct cr_fake *f = cr_fake_of(cr);
	struct cr_fake_text t = { .mem = &f->mem };

	if (!cr_fake_in(cr, CR_FAKE_PARSE))
		return -1;
	if (url == NULL)
		return 0;
	if (cr_fake_resolve(&t, f->page->url, url) == -1 || !cr_fake_web(t.data))
		return -1;
	f->next = t.data;
	return 0;
}

/* The nth header with the name; NULL: none. */
static inline const char *
cr_fake_header(struct cr_fake *f, const char *lines, const char *name, size_t nth)
{
	size_t n = strlen(name), len;

	for (; lines != NULL && *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		if (len <= n || lines[n] != ':' || !cr_fake_is(lines, n, name) || nth-- > 0)
			continue;
		n += 1 + strspn(lines + n + 1, " \t");
		return n < len ? cr_fake_copy(&f->mem, lines + n, len - n) : "";
	}
	return NULL;
}

static inline const char *
cr_fake_host_header(struct cr *cr, const char *name)
{
	struct cr_fake *f = cr_fake_of(cr);

	return name != NULL && cr_fake_in(cr, CR_FAKE_PARSE) ?
	    cr_fake_header(f, f->headers, name, 0) : NULL;
}

/* Whether the parameters of a Link, up to its comma, have rel=REL or rel="OTHER REL". */
static inline int
cr_fake_has_rel(const char *s, size_t n, const char *rel)
{
	size_t len;

	for (; n > 4 && !cr_fake_is(s, 4, "rel="); s++, n--)
		;
	for (s += 4, n = n > 4 ? n - 4 : 0; n > 0; s += len + 1, n -= len + 1) {
		len = strcspn(s, " \";,");
		len = len < n ? len : n;
		if (len > 0 && cr_fake_is(s, len, rel))
			return 1;
		if (len == n || (s[len] != ' ' && s[len] != '"'))
			break;
	}
	return 0;
}

static inline const char *
cr_fake_host_link(struct cr *cr, const char *rel)
{
	struct cr_fake *f = cr_fake_of(cr);
	struct cr_fake_text t = { .mem = &f->mem };
	const char *s, *end, *stop;
	size_t nth;

	if (rel == NULL || !cr_fake_in(cr, CR_FAKE_PARSE))
		return NULL;
	for (nth = 0; (s = cr_fake_header(f, f->headers, "link", nth)) != NULL; nth++)
		while ((s = strchr(s, '<')) != NULL && (end = strchr(s, '>')) != NULL) {
			stop = strchr(end, '<') != NULL ? strchr(end, '<') : end + strlen(end);
			if (cr_fake_has_rel(end, (size_t)(stop - end), rel))
				return cr_fake_resolve(&t, f->page->url, cr_fake_copy(&f->mem,
				    s + 1, (size_t)(end - s - 1))) == 0 ? t.data : NULL;
			s = stop;
		}
	return NULL;
}

/* ---- struct cr: HTTP, mail, streams, visits ---- */

static inline int
cr_fake_host_http(struct cr *cr, const struct cr_request *rq, struct cr_response *rs, size_t n)
{
	struct cr_fake *f = cr_fake_of(cr);
	const struct cr_fake_served *a;
	const char *after;
	size_t i;
	int came = 0;

	if (!cr_fake_in(cr, ~(CR_FAKE_CHECK | CR_FAKE_CLOSE)) || (f->plugin->wants & CR_HTTP) == 0)
		return -1;
	for (i = 0; i < n; i++) {
		cr_fake_ask(f, &rq[i], 0);
		rs[i] = (struct cr_response){ .size = sizeof(rs[i]), .headers = "", .body = "",
			.error = "no answer was scripted: cr_fake_answer()", .retry_after = -1 };
		if (f->answered == f->nanswers)
			continue;
		a = &f->answers[f->answered++];
		after = cr_fake_header(f, a->headers, "retry-after", 0);
		rs[i].status = a->status;
		rs[i].error = a->status == 0 ? a->body : NULL;
		rs[i].headers = a->headers;
		rs[i].body = a->status == 0 ? "" : a->body;
		rs[i].len = strlen(rs[i].body);
		rs[i].retry_after = after != NULL ? strtoll(after, NULL, 10) * 1000 : -1;
		came += a->status != 0;
	}
	return came;
}

/* Why a server would refuse the message, or NULL. */
static inline const char *
cr_fake_mail_wrong(const char *message, size_t len)
{
	size_t i, line = 0;

	if (message == NULL || len == 0 || len > CR_FAKE_MAIL_MAX)
		return "a message has 1 byte to 10 MiB";
	for (i = 0; i < len; i++) {
		if (message[i] == '\0' || (unsigned char)message[i] >= 0x80)
			return "a message has a NUL or a byte of 8 bits";
		if ((message[i] == '\n') != (i > 0 && message[i - 1] == '\r') ||
		    (message[i] == '\r' && (i + 1 == len || message[i + 1] != '\n')))
			return "a message has a CR or a LF alone";
		line = message[i] == '\n' ? 0 : line + (message[i] != '\r');
		if (line > CR_FAKE_MAIL_LINE)
			return "a message has a line of more than 998 bytes";
	}
	return message[len - 1] == '\n' ? NULL : "a message does not end with CRLF";
}

/* mails(): all of them are in f->mails, also those that f->unaccepted says are not accepted. */
static inline int
cr_fake_host_mails(struct cr *cr, const struct cr_mail *mails, size_t n)
{
	struct cr_fake *f = cr_fake_of(cr);
	const char *why = NULL;
	size_t i;
	int accepted = 0;

	if (!cr_fake_in(cr, CR_FAKE_DELIVER) || (f->plugin->wants & CR_MAIL) == 0)
		return -1;
	for (i = 0; i < n && why == NULL; i++) {
		why = cr_fake_mail_wrong(mails[i].message, mails[i].len);
		if (mails[i].to >= f->nrecipients)
			why = "no recipient of the batch has that place";
	}
	if (why != NULL) {
		cr_fake_log(cr, "mails: message %zu: %s", i, why);
		return -1;
	}
	for (i = 0; i < n; i++) {
		f->mails = cr_fake_more(f, f->mails, f->nmails, sizeof(*f->mails));
		f->mails[f->nmails++] = (struct cr_fake_mail){ f->sender,
			f->recipients[mails[i].to]->address,
			cr_fake_copy(&f->mem, mails[i].message, mails[i].len) };
		if (f->unaccepted > 0)
			f->unaccepted--;
		else
			accepted++;
	}
	return accepted;
}

static inline int
cr_fake_host_mail(struct cr *cr, const char *from, const char *to, const char *message, size_t len)
{
	struct cr_fake *f = cr_fake_of(cr);
	struct cr_mail mail = { .size = sizeof(mail), .message = message, .len = len };

	if (to == NULL || (from != NULL && strcmp(from, f->sender) != 0))
		return -1;
	while (mail.to < f->nrecipients && strcmp(f->recipients[mail.to]->address, to) != 0)
		mail.to++;
	return cr_fake_host_mails(cr, &mail, 1) == 1 ? 0 : -1;
}

/* done(): remembers the largest number for cr_fake_deliver(). */
static inline int
cr_fake_host_done(struct cr *cr, size_t n)
{
	struct cr_fake *f = cr_fake_of(cr);

	if (!cr_fake_in(cr, CR_FAKE_DELIVER))
		return -1;
	if (n > f->confirmed)
		f->confirmed = n;
	return 0;
}

/* wait(): waits for a file descriptor, for at most ms and at most CR_FAKE_WAIT; then advances the
 * clock by ms at once. A sink is never told to stop. */
static inline int
cr_fake_host_wait(struct cr *cr, int fd, int64_t ms)
{
	struct cr_fake *f = cr_fake_of(cr);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (!cr_fake_in(cr, CR_FAKE_STREAM | CR_FAKE_DELIVER) ||
	    (f->phase == CR_FAKE_STREAM && f->waits-- <= 0))
		return -1;
	if (fd >= 0 && poll(&p, 1, ms >= 0 && ms < CR_FAKE_WAIT ? (int)ms : CR_FAKE_WAIT) > 0)
		return 1;
	f->now += ms > 0 ? ms : 0;
	return 0;
}

static inline int
cr_fake_host_stored(struct cr *cr)
{
	return cr_fake_in(cr, CR_FAKE_STREAM | CR_FAKE_VISIT) ? 0 : -1;
}

static inline int
cr_fake_host_answer(struct cr *cr, int status, const char *type, const char *body, size_t len)
{
	struct cr_fake *f = cr_fake_of(cr);
	const char *s;

	if (!cr_fake_in(cr, CR_FAKE_VISIT) || status < 200 || status > 599 || len > (1u << 20) ||
	    (body == NULL && len > 0))
		return -1;
	for (s = type; s != NULL && *s != '\0'; s++)
		if (*s < ' ' || *s > '~' || s - type >= 255)
			return -1;
	f->status = status;
	f->type = type != NULL && type[0] != '\0' ? cr_fake_string(f, type) :
	    "text/plain; charset=utf-8";
	f->body = body != NULL ? cr_fake_copy(&f->mem, body, len) : "";
	return 0;
}
#endif
