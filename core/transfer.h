/* One HTTP request and its answer: libcurl's multi interface on the event loop. Follows no redirect,
 * keeps no cookie, asks each address of the policy before it connects. */
#ifndef CORE_TRANSFER_H
#define CORE_TRANSFER_H
#include "buf.h"
#include "msg.h"

#include <stdint.h>

#define TRANSFER_CONNECT	15000	/* ms to connect, TLS included */
#define TRANSFER_STALL		30	/* seconds with next to no byte, after which it has failed */
#define TRANSFER_BODY_MAX	(UINT64_C(16) << 20)	/* decoded bytes, unless told */
#define TRANSFER_RATIO		100	/* decoded to received bytes, at most, after RATIO_FROM */
#define TRANSFER_RATIO_FROM	(UINT64_C(1) << 20)
#define TRANSFER_DISCARD	(UINT64_C(64) << 10)	/* bytes read of a body that nobody wants */
#define TRANSFER_SHORT		(UINT64_C(16) << 10)	/* bytes of a short body */

struct event_base;
struct transfers;			/* opaque: all of them */

/* Borrowed until transfer_start() returns. */
struct request {
	const char	*url, *method;		/* method NULL: GET */
	const char	*headers;		/* "Name: value\n" lines, or NULL */
	int		 whole;			/* the body is wanted whatever the status, cut at max */
	int		 plain;			/* of headers, only Accept is sent */
	const char	*etag, *modified;	/* sent as they are; or NULL */
	struct bytes	 body;			/* unless GET or HEAD */
	uint64_t	 max;			/* decoded bytes; 0: TRANSFER_BODY_MAX */
	int64_t		 timeout;		/* ms */
};
/* Borrowed for the callback. why is FETCH_OK for every status that came whole. */
struct answer {
	enum fetch_why	 why;
	uint32_t	 status;		/* 0: none came */
	const char	*error;			/* one line for people; "" with FETCH_OK */
	const char	*headers;		/* headers.h */
	int		 fd;			/* a body with 2xx: unsealed; -1: none came. The
						 * callback may take it, by setting it to -1 */
	struct bytes	 body;			/* `whole`: a short body, and fd -1 */
	uint64_t	 len;			/* of the body; a NUL lies behind it */
	int		 cut;			/* `whole`: it was over max */
};
typedef void	transfer_cb(struct answer *, void *arg);

/* Takes the place of `old`, which nobody uses any more; it goes when its last request is done.
 * NULL: there was none. Not from within a callback. */
struct transfers *transfers_new(struct event_base *, const struct fetch_start *,
		    struct transfers *old);
void		 transfers_free(struct transfers *);	/* those under way end without a callback */
/* Calls back later, never from within. */
void		 transfer_start(struct transfers *, const struct request *, transfer_cb *, void *arg);
#endif
