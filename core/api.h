/* The JSON API: what is answered below /api/v1/, and /healthz.
 *
 * /api/v1/records?limit=50&after=N&before=N&source=NAME&route=NAME&since=TIME
 *	{"records": [...], "next": N, "older": N}: each record as in JSON Lines (record.h). Without
 *	`after` the newest first; with it those after place N of the log, oldest first. `next`: give
 *	it as `after` to get what comes later; `older`: as `before`, for the page of older ones;
 *	there is none when it is missing. A page may have fewer than `limit`, even none: the cursors
 *	count, not the number. `since`: first seen then or later, RFC 3339 or ms since 1970.
 *	`route`: those that its filters kept, as they came in (a filter's changes are the route's).
 * /api/v1/records/ID	one record
 * /api/v1/sources?limit=100&after=NAME	{"sources": [...], "next": NAME}
 * /api/v1/status	what core tells (serve.c)
 * Errors: {"error": "..."} with 400, 404, 405, 503, 504. */
#ifndef CORE_API_H
#define CORE_API_H

struct evhttp_request;
struct serve;

#define API_LIMIT		50	/* records of a page, unless told */
#define API_LIMIT_MAX		1000
#define API_SOURCES		100
#define API_PAGE_BYTES		(4u << 20)	/* a page ends when it has so many */

void	api_health(struct serve *, struct evhttp_request *, const char *path);
void	api_records(struct serve *, struct evhttp_request *, const char *path);
void	api_record(struct serve *, struct evhttp_request *, const char *path);
void	api_sources(struct serve *, struct evhttp_request *, const char *path);
#endif
