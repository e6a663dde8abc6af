/* Answers to HTTP requests, with a limit on the bytes held for slow readers. */
#ifndef CORE_REPLY_H
#define CORE_REPLY_H
#include <stddef.h>

struct buf;
struct evhttp_request;
struct serve;

/* Adds the security headers of every answer, except those that the answer has set itself. */
void	 reply_common(struct evhttp_request *);
void	 reply_header(struct evhttp_request *, const char *name, const char *value);
/* Answers with the bytes of b, takes their ownership and leaves b empty. HEAD: without the body.
 * 503 if too many bytes are held for slow readers, or if b is over its maximum. */
void	 reply_buf(struct serve *, struct evhttp_request *, int status, const char *type,
	    struct buf *b);
/* Answers without a body: 304, 204. */
void	 reply_empty(struct evhttp_request *, int status);
/* Answers {"error": ...} below /api/, else a line of text. A 503 gets Retry-After: 5 unless the
 * caller has set the header. */
void	 reply_error(struct serve *, struct evhttp_request *, int status, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/* Answers with 503 and why the database cannot be read. */
void	 reply_unreadable(struct serve *, struct evhttp_request *);
/* Whether the client has it already: its If-None-Match has the entity tag (quoted; RFC 9110 13.1.2). */
int	 reply_matches(struct evhttp_request *, const char *etag);

/* Bytes that several answers share while they are sent; counted by references. */
struct shared {
	struct serve *serve;
	char	*data;
	size_t	 len;
	unsigned refs;
};

struct shared *shared_new(struct serve *, struct buf *b);	/* takes the bytes of b */
void	 shared_free(struct shared *);		/* drops one reference; NULL is fine */
/* Answers 200 with all the bytes; the caller has set the headers. */
void	 reply_shared(struct evhttp_request *, struct shared *);
int	 is_head(struct evhttp_request *);
#endif
