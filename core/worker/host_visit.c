/* The host's visit job: passes a visitor's HTTP request to a plugin's request(). The records and
 * state of the call are on disk before the answer is sent. */
#include "host_visit.h"
#include "host.h"
#include "host_slot.h"
#include "host_state.h"
#include "host_stream.h"
#include "html.h"
#include "base/buf.h"
#include "base/headers.h"
#include "base/text.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#define FORM		"application/x-www-form-urlencoded"
#define PLAIN		"text/plain; charset=utf-8"
#define TEXT_MAX	(4 * VISIT_BODY_MAX)	/* bytes of a text after cleaning */

static struct {
	struct buf	 path, headers, form, body;	/* of the request */
	struct buf	 part;				/* a decoded name or value of the form */
	struct buf	 type, answer;			/* of answer() */
	int		 status;			/* of answer(); 0: not called */
} visit;

/* ---- The request ---- */

static void
clean(struct buf *to, const char *text, size_t len)
{
	struct bytes b = host_clean(text, len, 0);

	buf_add(to, b.data != NULL ? b.data : "", b.len);
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : text_lower(c) - 'a' + 10;
}

/* Adds a name or value of the form, decoded (URL Standard 5.1), as one line. */
static void
put_decoded(const char *s, size_t len)
{
	size_t begun = visit.form.len, i;
	char *out;

	buf_clear(&visit.part);
	for (i = 0; i < len; i++)
		if (s[i] == '%' && i + 2 < len && isxdigit((unsigned char)s[i + 1]) &&
		    isxdigit((unsigned char)s[i + 2])) {
			buf_char(&visit.part, (char)(hex(s[i + 1]) << 4 | hex(s[i + 2])));
			i += 2;
		} else
			buf_char(&visit.part, s[i] == '+' ? ' ' : s[i]);
	if (visit.part.len > 0)
		clean(&visit.form, visit.part.data, visit.part.len);
	for (out = visit.form.data, i = begun; i < visit.form.len; i++)
		if (out[i] == '\r' || out[i] == '\n')
			out[i] = ' ';
}

static void
put_form(const char *s, size_t len)
{
	const char *end = s + len, *next, *equals;

	for (; s < end; s = next + 1) {
		if ((next = memchr(s, '&', (size_t)(end - s))) == NULL)
			next = end;
		if (next == s)
			continue;
		if ((equals = memchr(s, '=', (size_t)(next - s))) == NULL)
			equals = next;
		put_decoded(s, (size_t)(equals - s));
		buf_char(&visit.form, '=');
		if (equals < next)
			put_decoded(equals + 1, (size_t)(next - equals) - 1);
		buf_char(&visit.form, '\n');
	}
}

static int
is_form(const char *headers)
{
	struct buf type, charset;
	int is;

	buf_init(&type, HEADERS_MAX);
	buf_init(&charset, HEADERS_MAX);
	headers_type(headers, &type, &charset);
	is = type.data != NULL && strcmp(type.data, FORM) == 0;
	buf_free(&type);
	buf_free(&charset);
	return is;
}

/* Copies the request's body to visit.body, NUL-terminated. */
static void
take_body(const struct visit_ask *asked, int fd)
{
	const char *map;
	size_t size;

	if (asked->len == 0) {
		buf_add(&visit.body, asked->body.data, asked->body.len);
		return;
	}
	map = asked->len > VISIT_BODY_MAX ? NULL : memfd_map(fd, (size_t)asked->len + 1, &size);
	if (map == NULL)
		_exit(70);
	buf_add(&visit.body, map, (size_t)asked->len);
	memfd_unmap(map, size);
}

static const char *
text_of(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

static void
begin(const struct visit_ask *asked, int fd)
{
	struct buf *const all[] = { &visit.path, &visit.headers, &visit.form, &visit.body, &visit.part,
		&visit.type, &visit.answer };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		buf_free(all[i]);
		buf_init(all[i], TEXT_MAX);
	}
	visit.status = 0;
	take_body(asked, fd);
	clean(&visit.path, asked->path, strlen(asked->path));
	clean(&visit.headers, asked->headers, strlen(asked->headers));
	if (asked->query != NULL)
		put_form(asked->query, strlen(asked->query));
	if (visit.body.len > 0 && is_form(text_of(&visit.headers)))
		put_form(visit.body.data, visit.body.len);
}

/* ---- The answer ---- */

/* Why the answer cannot be sent; NULL: it can. */
static const char *
wrong(int status, const char *type, const char *body, size_t len)
{
	const char *s;

	if (status < 200 || status > 599)
		return "takes a status from 200 to 599";
	if (len > VISIT_ANSWER_MAX || (body == NULL && len > 0))
		return "takes a body of at most 1 MiB";
	for (s = type; s != NULL && *s != '\0'; s++)
		if (*s < ' ' || *s > '~' || s - type >= VISIT_TYPE_MAX)
			return "takes a type such as text/html; charset=utf-8";
	return NULL;
}

static int
cr_answer(struct cr *cr, int status, const char *type, const char *body, size_t len)
{
	const char *why = wrong(status, type, body, len);

	(void)cr;
	if (host.phase != PHASE_REQUEST)
		return -1;
	if (why != NULL) {
		host_say("answer() %s", why);
		return -1;
	}
	visit.status = status;
	buf_clear(&visit.type);
	buf_str(&visit.type, type != NULL && type[0] != '\0' ? type : PLAIN);
	buf_clear(&visit.answer);
	buf_add(&visit.answer, body, len);
	return 0;
}

/* Writes the answer's body to the memfd that would get the next results. */
static void
write_answer(void)
{
	size_t at, n;

	for (at = 0; at < visit.answer.len; at += n) {
		n = visit.answer.len - at < HOST_FLUSH ? visit.answer.len - at : HOST_FLUSH;
		buf_add(&host.out.b, visit.answer.data + at, n);
		if (out_flush() == -1)
			_exit(74);
	}
}

/* ---- The job ---- */

/* Calls request(). 500: it failed without fail(); else 0. */
static uint32_t
request(struct slot *s, const struct visit_ask *asked)
{
	const struct cr_visit v = { .size = sizeof(v), .method = asked->method,
		.path = text_of(&visit.path), .headers = text_of(&visit.headers),
		.form = text_of(&visit.form), .body = text_of(&visit.body),
		.len = visit.body.len, .peer = asked->peer };
	uint32_t status = 0;

	host_enter(s, PHASE_REQUEST);
	if (s->plugin.request(&host.cr, s->opts, &v) != 0 && host.failed == 0)
		status = 500;
	if (status != 0 || host.failed != 0)
		host_blame("request");
	host_leave();
	return status;
}

void
host_visit(struct slot *s, const struct visit_job *job, const struct visit_ask *asked, int body,
    int out, struct visit_done *done)
{
	*done = (struct visit_done){ .retry = -1 };
	host.html = job->strip != 0 ? HTML_STRIP_TRACKERS : 0;
	host_stream_begin(job->state, job->url, out, -1);
	begin(asked, body);
	if (body != -1)
		close(body);
	if (slot_ready(s, job->options, job->hash) == 0)
		done->status = request(s, asked);
	if (host.failed != 0)
		host_state_begin(host.known);	/* drop the state it set */
	host_stream_end();
	host_stream_settle();
	if (host.failed != 0) {
		done->failed = host.failed;
		done->retry = host.retry;
		done->error = host.error;
	} else {
		write_answer();
		done->status = (uint32_t)visit.status;
		done->type = text_of(&visit.type);
		done->len = visit.answer.len;
	}
	close(host.out.fd);
	host.out.fd = -1;
}

void
host_visit_table(struct cr *cr)
{
	cr->answer = cr_answer;
}
