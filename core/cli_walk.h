/* What `courant parse` and `fetch` share: a source plugin's job of several pages, from its plan to the
 * last one that it asks for, as core and store walk it. */
#ifndef CORE_CLI_WALK_H
#define CORE_CLI_WALK_H
#include "cli_job.h"
#include "result.h"

#include <sys/queue.h>

/* A page to be had: the source's own (url NULL), or one that the plugin asked for. In url and headers a
 * secret stands as setup_keep() puts it. */
struct wanted {
	STAILQ_ENTRY(wanted)	 entry;
	char			*url, *method, *headers, *tag;	/* tag: "" for none */
	char			*body;
	size_t			 len;
	uint32_t		 nth;
};
STAILQ_HEAD(wanteds, wanted);

/* Adds a page at the end: what q asks for, or (NULL) the source's own. */
void	wanted_add(struct wanteds *, const struct result_request *q, uint32_t nth);
/* The first, taken out, to be freed by the caller; NULL: no more. */
struct wanted *wanted_take(struct wanteds *);
void	wanted_free(struct wanted *);		/* NULL is fine */

/* A job of this source's, but for what is told of a page. */
struct parse_job walk_job(const struct source *);
/* Runs a page, or (body -1) the plan, of the source in the worker; results go into out. 0, or -1 and
 * why: then there is no worker any more. done is borrowed until the next job. */
int	walk_run(struct cli_job *, const struct source *, struct parse_job *, int body, int out,
	    struct parse_done *done, struct buf *why);
#endif
