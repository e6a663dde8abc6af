/* Shared by `courant parse` and `fetch`: a source plugin's job of several pages, from its plan to
 * the last page that it requests, in the order in which the daemon reads them. */
#ifndef CORE_CLI_WALK_H
#define CORE_CLI_WALK_H
#include "cli_job.h"
#include "record/result.h"

#include <sys/queue.h>

/* A page to read: the source's own (url NULL), or one that the plugin requested. Secrets in url and
 * headers are as secret_mark() writes them. */
struct wanted {
	STAILQ_ENTRY(wanted)	 entry;
	char			*url, *method, *headers, *tag;	/* tag: "" for none */
	char			*body;
	size_t			 len;		/* of body */
	uint32_t		 nth;		/* how many next() led here */
};
STAILQ_HEAD(wanteds, wanted);

/* Adds a page at the end: that of the request q, which is copied, or (NULL) the source's own. */
void	wanted_add(struct wanteds *, const struct result_request *q, uint32_t nth);
/* Removes the first page; freed by the caller. NULL: there are no more. */
struct wanted *wanted_take(struct wanteds *);
void	wanted_free(struct wanted *);		/* NULL is fine */

/* A job of this source, without the members that describe a page. */
struct parse_job walk_job(const struct source *);
/* Runs a page, or (body -1) plan(), in the worker; results go into the memfd out. 0; or -1, the
 * reason in why, and the worker is stopped. The strings of done are valid until the next job. */
int	walk_run(struct cli_job *, const struct source *, struct parse_job *, int body, int out,
	    struct parse_done *done, struct buf *why);
#endif
