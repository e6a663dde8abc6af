/* The files that sinks write, as HTTP offers them: validators, ranges, compression. */
#ifndef CORE_OUTPUTS_H
#define CORE_OUTPUTS_H
#include "buf.h"

struct evhttp_request;
struct outputs;				/* opaque */
struct serve;

#define OUTPUTS_GZIP_MAX	(4u << 20)	/* bytes of a file that is sent compressed */
#define OUTPUTS_CACHE_BYTES	(16u << 20)	/* of compressed files, kept */
#define OUTPUTS_CACHE_FILES	64
#define OUTPUTS_LISTED		200		/* names that outputs_list() gives */
#define OUTPUTS_DEPTH		4		/* folders below the first that it looks in */

struct outputs	*outputs_new(const char *folder);
void		 outputs_free(struct outputs *);	/* NULL is fine */

/* Answers GET or HEAD of the decoded path, which begins with "/". Symbolic links are not followed;
 * names that begin with a dot are not there. */
void		 outputs_answer(struct serve *, struct evhttp_request *, const char *path);

/* The feeds and the like that there are, sorted: "all.atom\nall.rss\n" with their sub-folders. */
void		 outputs_list(struct outputs *, struct buf *);
/* The media type of a file by its name, with its charset. */
const char	*outputs_type(const char *name);
#endif
