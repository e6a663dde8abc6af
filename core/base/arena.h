/* Memory for many small objects that are freed together: nodes and texts of a configuration. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H
#include <stddef.h>

#define ARENA_FIRST	4096		/* bytes of the first chunk; the size doubles */
#define ARENA_CHUNK	(256u << 10)	/* up to this size */

struct arena_chunk;
struct arena {				/* zeroed: empty */
	struct arena_chunk	*chunks;	/* the newest first */
	size_t			 used, cap;	/* of the newest */
};

void	*arena_zero(struct arena *, size_t);	/* zeroed, aligned for anything */
char	*arena_text(struct arena *, const char *, size_t len);	/* with a NUL behind */
void	 arena_free(struct arena *);		/* all of it */
#endif
