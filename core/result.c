/* The items in the memfds that pass between workers and store, and the memfds themselves. */
#include "result.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SEAL_TRIES	3
#define HEAD	(sizeof(uint32_t) + sizeof(uint8_t))

#define F(m, t)	WIRE(result_state, m, t)
const struct wire_field result_state[] = {
	F(key, STR), F(value, STR), F(rule, STR), F(done, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(result_verdict, m, t)
const struct wire_field result_verdict[] = {
	F(verdict, U32), F(rule, STR), F(why, STR), F(changes, BYTES), F(trail, BYTES), WIRE_END
};
#undef F
#define F(m, t)	WIRE(result_said, m, t)
const struct wire_field result_said[] = {
	F(verdict, U32), F(rule, STR), F(why, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(result_item, m, t)
const struct wire_field result_item[] = {
	F(n, I64), F(revision, U32), F(id, STR), F(delivery, STR), F(source, STR),
	F(record, BYTES), F(changes, BYTES), F(seen, I64), F(sources, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(result_request, m, t)
const struct wire_field result_request[] = {
	F(next, U32), F(url, STR), F(method, STR), F(headers, STR), F(tag, STR), F(body, BYTES),
	WIRE_END
};

static int
utf8(const char *s)
{
	return text_valid(s, strlen(s)) == strlen(s);
}

int
result_state_read(struct wire *w, struct result_state *st)
{
	wire_get(w, result_state, st);
	return wire_end(w) == -1 || st->key == NULL || st->key[0] == '\0' ||
	    strlen(st->key) > RESULT_KEY_MAX || !utf8(st->key) ||
	    (st->value != NULL && !utf8(st->value)) ? -1 : 0;
}

/* Whether a text has control characters, but for secrets' marks and those of `but`. */
static int
controls(const char *s, const char *but)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < ' ' || *s == 0x7f) && *s != 1 && strchr(but, *s) == NULL)
			return 1;
	return 0;
}

const char *
result_request_bad(const struct result_request *q)
{
	size_t url = q->url != NULL ? strlen(q->url) : 0, tag = q->tag != NULL ? strlen(q->tag) : 0;
	size_t lines = q->headers != NULL ? strlen(q->headers) : 0;

	if (url == 0 || url > RESULT_URL_MAX || controls(q->url, "") ||
	    (strncasecmp(q->url, "http://", 7) != 0 && strncasecmp(q->url, "https://", 8) != 0))
		return "its url is none that can be fetched";
	if (q->method != NULL && strcmp(q->method, "GET") != 0 && strcmp(q->method, "POST") != 0)
		return "its method is neither GET nor POST";
	if (q->body.len > 0 && q->method != NULL && strcmp(q->method, "GET") == 0)
		return "a GET has no body";
	if (lines > RESULT_LINES_MAX || (lines > 0 && controls(q->headers, "\t\n")))
		return "its headers are too long, or no lines \"Name: value\"";
	if (tag > RESULT_TAG_MAX)
		return "its tag is longer than 255 bytes";
	if (url + lines + tag + q->body.len > RESULT_REQUEST_MAX)
		return "it is longer than 64 KiB";
	return NULL;
}

size_t
result_begin(struct buf *b, enum result_kind kind)
{
	size_t begun = b->len;

	wire_put_u32(b, 0);
	wire_put_u8(b, (uint8_t)kind);
	return begun;
}

void
result_end(struct buf *b, size_t begun)
{
	uint32_t len;

	if (b->over)
		return;
	len = (uint32_t)(b->len - begun - HEAD);
	memcpy(b->data + begun, &len, sizeof(len));
}

int
result_next(struct wire *all, enum result_kind *kind, struct wire *body)
{
	uint32_t len;

	if (!all->bad && all->at == all->end)
		return 0;
	len = wire_u32(all);
	*kind = (enum result_kind)wire_u8(all);
	if (all->bad || *kind < RESULT_RECORD || *kind > RESULT_REQUEST ||
	    (size_t)(all->end - all->at) < len)
		return -1;
	wire_init(body, all->at, len);
	all->at += len;
	return 1;
}

int
result_fd(const void *p, size_t n)
{
	const char *at = p;
	int fd = memfd_create("courant", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t w;

	while (fd != -1 && n > 0) {
		w = write(fd, at, n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0) {
			close(fd);
			return -1;
		}
		at += w;
		n -= (size_t)w;
	}
	return fd;
}

int
result_seal(int fd)
{
	int rc;

	/* Busy as long as another processor still holds a page that was just written. */
	for (int i = 0; (rc = fcntl(fd, F_ADD_SEALS, SEALS)) == -1 && errno == EBUSY &&
	    i < SEAL_TRIES; i++)
		usleep(1000);
	return rc;
}

const void *
result_map(int fd, size_t len, size_t *size)
{
	static const char nothing[1] = "";
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *p;

	if (seals == -1 || (seals & SEALS) != SEALS || fstat(fd, &st) == -1 ||
	    (len != SIZE_MAX && (size_t)st.st_size < len)) {
		errno = EINVAL;
		return NULL;
	}
	*size = len != SIZE_MAX ? len : (size_t)st.st_size;
	if (*size == 0)
		return nothing;
	p = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
	return p != MAP_FAILED ? p : NULL;
}

void
result_unmap(const void *p, size_t size)
{
	if (p != NULL && size > 0)
		munmap((void *)(uintptr_t)p, size);
}
