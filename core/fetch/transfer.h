/* One HTTP request and its answer: libcurl's multi interface on the event loop. Follows no
 * redirect, stores no cookie, and checks each address with policy_address() before it connects. */
#ifndef CORE_TRANSFER_H
#define CORE_TRANSFER_H
#include "base/buf.h"
#include "ipc/msg.h"

#include <stdint.h>

#define TRANSFER_CONNECT	15000	/* ms to connect, TLS included */
#define TRANSFER_STALL		30	/* seconds under 1 byte/s, after which it has failed */
#define TRANSFER_BODY_MAX	(UINT64_C(16) << 20)	/* decoded bytes, by default */
#define TRANSFER_RATIO		100	/* decoded bytes per received byte, at most, after
					 * TRANSFER_RATIO_FROM decoded bytes */
#define TRANSFER_RATIO_FROM	(UINT64_C(1) << 20)
#define TRANSFER_DISCARD	(UINT64_C(64) << 10)	/* bytes read of a body that is not used */
#define TRANSFER_SHORT		(UINT64_C(16) << 10)	/* bytes of a body that goes into no
							 * memfd */

struct event_base;
struct transfers;			/* opaque: curl's handles and connections */

/* Borrowed until transfer_start() returns. */
struct request {
	const char	*url, *method;		/* method NULL: GET */
	const char	*headers;		/* "Name: value\n" lines, or NULL */
	int		 whole;			/* take the body whatever the status, cut at max */
	int		 plain;			/* of headers, only Accept is sent */
	const char	*etag, *modified;	/* validators, sent verbatim; or NULL */
	struct bytes	 body;			/* unless GET or HEAD */
	uint64_t	 max;			/* decoded bytes; 0: TRANSFER_BODY_MAX */
	int64_t		 timeout;		/* ms */
};
/* Borrowed for the callback. why is FETCH_OK for every complete answer, whatever its status. */
struct answer {
	enum fetch_why	 why;
	uint32_t	 status;		/* 0: no answer */
	const char	*error;			/* one line for people; NULL with FETCH_OK */
	const char	*headers;		/* as headers.h stores them */
	int		 fd;			/* the body: an unsealed memfd; -1: none. The
						 * callback takes it over by setting fd to -1 */
	struct bytes	 body;			/* `whole`: a short body; then fd is -1 */
	uint64_t	 len;			/* of the body; in fd, a NUL follows it */
	int		 cut;			/* `whole`: the body was cut at max */
};
typedef void	transfer_cb(struct answer *, void *arg);

/* Replaces `old` (NULL: none), which the caller no longer uses and which frees itself when its last
 * request is done. Not to be called from a transfer_cb. */
struct transfers *transfers_new(struct event_base *, const struct fetch_start *,
		    struct transfers *old);
void		 transfers_free(struct transfers *);	/* no callback for those under way */
/* Starts a request. The callback runs from the event loop, never before transfer_start()
 * returns. */
void		 transfer_start(struct transfers *, const struct request *, transfer_cb *, void *arg);
#endif
