/* The output files that the routes write, or wrote under an earlier configuration. Core stores the
 * list over restarts and sends it to serve (MSG_SERVE_FILES). */
#ifndef CORE_WRITTEN_H
#define CORE_WRITTEN_H
#include "wire.h"

#include <stddef.h>

#define WRITTEN_MAX	50000		/* files of the list */

struct written_file {
	char	*file, *route;		/* owned; file below the folder of outputs: "sub/all.rss" */
	int	 active;		/* a route of the configuration writes it */
};
struct written {
	struct written_file	*v;	/* sorted by file */
	size_t			 n;
};

/* Adds a file, or replaces its route and `active`. */
void	written_put(struct written *, const char *file, const char *route, int active);
void	written_drop(struct written *, const char *file);
/* The file itself, or the file of which this is a rotated part ("all.jsonl.2026-11-21" of
 * "all.jsonl"); NULL: none. Borrowed until the next change. */
struct written_file *written_find(const struct written *, const char *file);
void	written_free(struct written *);		/* leaves an empty list, ready for use */

/* The payload of MSG_SERVE_FILES. read: replaces the list; -1: malformed. */
void	written_write(const struct written *, struct buf *);
int	written_read(struct written *, struct wire *);
#endif
