/* What the files of the role serve offer each other: the role itself, connections, answers. */
#ifndef CORE_SERVE_H
#define CORE_SERVE_H
#include "buf.h"

#include <stdint.h>

struct event_base;
struct evhttp;
struct evhttp_request;
struct frame;
struct gate;
struct outputs;
struct peer;
struct proxies;
struct reader;
struct connections;
struct waiting;

#define SERVE_HEADERS_MAX	(16 << 10)	/* bytes of a request's headers */
#define SERVE_TIMEOUT		30		/* s for a request to come, a write to go on */
#define SERVE_SEND_TIMEOUT	600		/* s for a whole answer */
#define SERVE_HELD_MAX		(64u << 20)	/* bytes of answers in memory, of all visitors */
#define SERVE_ANSWER_MAX	(16u << 20)	/* bytes of one of them */

struct serve {
	struct event_base	*base;
	struct evhttp		*http;
	struct peer		*peer;
	struct reader		*reader;
	struct outputs		*outputs;
	struct connections	*connections;
	struct gate		*gate;
	struct proxies		*proxies;
	struct waiting		*waiting;	/* for what core tells */
	size_t			 held;		/* bytes of answers in memory */
	int			 stopping;
};

/* ---- connections.c: counted; evhttp has no limit of its own ---- */

/* From here on each connection that evhttp takes is counted: `total` at once, `each` from one
 * address (of IPv6: one /64) that is no proxy's. Those beyond are answered 503. */
struct connections *connections_new(struct serve *, uint32_t total, uint32_t each);
void		 connections_free(struct connections *);
/* A request came in. 1: it is to be answered; 0: too many connections, it has been. */
int		 connection_begin(struct serve *, struct evhttp_request *);
const char	*connection_peer(struct evhttp_request *);	/* its address */
size_t		 connections_busy(const struct connections *);	/* requests that are being answered */

/* ---- gate.c: requests below /x/, which plugins answer ---- */

struct gate	*gate_new(void);
void		 gate_free(struct gate *);
/* Hands it to core; path begins with /x/. */
void		 gate_answer(struct serve *, struct evhttp_request *, const char *path);
void		 gate_visited(struct serve *, struct frame *);	/* core's answer */
void		 gate_stop(struct serve *);	/* no answer comes any more */

/* ---- reply.c: answers ---- */

/* The headers that every answer has, unless it has others of their names. */
void	 reply_common(struct evhttp_request *);
void	 reply_header(struct evhttp_request *, const char *name, const char *value);
/* Answers with what b holds, and takes it: b is empty then. To HEAD without the body. 503 when too
 * much is held for slow readers already, or b is over. */
void	 reply_buf(struct serve *, struct evhttp_request *, int status, const char *type,
	    struct buf *b);
/* Without a body: 304, 204. */
void	 reply_empty(struct evhttp_request *, int status);
/* {"error": ...} below /api/, else a line of text. A 503 has a Retry-After: its own, or 5 s. */
void	 reply_error(struct serve *, struct evhttp_request *, int status, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
/* Bytes that many answers may share while they are on their way. */
struct shared {
	struct serve *serve;
	char	*data;
	size_t	 len;
	unsigned refs;
};
struct shared *shared_new(struct serve *, struct buf *b);	/* takes what b holds */
void	 shared_free(struct shared *);		/* gives one back; NULL is fine */
/* Answers 200 with the whole; the headers are the caller's. */
void	 reply_shared(struct evhttp_request *, struct shared *);
int	 is_head(struct evhttp_request *);
#endif
