/* The state of the role serve, which its files share. */
#ifndef CORE_SERVE_H
#define CORE_SERVE_H
#include "base/buf.h"

#include <stdint.h>
#include <stddef.h>

struct event_base;
struct evhttp;
struct evhttp_request;
struct frame;
struct visit_forward;
struct outputs;
struct peer;
struct proxies;
struct reader;
struct connections;
struct consents;
struct waiting;

#define SERVE_HEADERS_MAX	(16 << 10)	/* bytes of a request's headers */
#define SERVE_TIMEOUT		30		/* s to receive a request, or without progress */
#define SERVE_SEND_TIMEOUT	600		/* s to make and send an answer */
#define SERVE_HELD_MAX		(64u << 20)	/* bytes of all answers held in memory */
#define SERVE_ANSWER_MAX	(16u << 20)	/* bytes of one answer */

struct serve {
	struct event_base	*base;
	struct evhttp		*http;
	struct peer		*peer;
	struct reader		*reader;
	char			*title, *zone;	/* of the site, owned */
	struct outputs		*outputs;
	struct connections	*connections;
	struct visit_forward		*visits;
	struct proxies		*proxies;
	struct consents		*consents;	/* requests that subscribe, confirm, leave */
	struct waiting		*waiting;	/* requests for the daemon's status */
	size_t			 held;		/* bytes of answers held in memory */
	int			 stopping;
};
#endif
