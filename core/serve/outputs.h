/* Serves over HTTP the files that sinks write: validators, ranges, compression. */
#ifndef CORE_OUTPUTS_H
#define CORE_OUTPUTS_H
#include "base/buf.h"

struct evhttp_request;
struct outputs;				/* opaque */
struct serve;

#define OUTPUTS_GZIP_MAX	(4u << 20)	/* bytes of a file that is sent compressed */
#define OUTPUTS_CACHE_BYTES	(16u << 20)	/* of compressed files in the cache */
#define OUTPUTS_CACHE_FILES	64
#define OUTPUTS_LISTED		200		/* names that outputs_list() returns */
#define OUTPUTS_DEPTH		4		/* levels of sub-folders that are listed */
#define OUTPUTS_EDITIONS	"edition"	/* the folder of archives, which is not listed */

struct outputs	*outputs_new(const char *folder);
void		 outputs_free(struct outputs *);	/* NULL is fine */

struct wire;
/* Reads MSG_SERVE_FILES, the list of written files. Files that no route of the configuration writes
 * any more are answered with 410 and not listed. -1: malformed. */
int		 outputs_take(struct outputs *, struct wire *);
/* Answers GET or HEAD of the decoded path, which begins with "/". Does not follow symbolic links;
 * names that begin with a dot are answered with 404. Cache-Control and Content-Security-Policy stay if the caller
 * has set them. */
void		 outputs_answer(struct serve *, struct evhttp_request *, const char *path);
/* Opens a file as outputs_answer() does, to be closed by the caller. -1: there is none. */
int		 outputs_open(struct outputs *, const char *path);

/* Appends the names of the output files of known types, sorted, with their sub-folders:
 * "all.atom\nall.rss\n". */
void		 outputs_list(struct outputs *, struct buf *);
/* The media type and charset for a file's name. */
const char	*outputs_type(const char *name);
#endif
