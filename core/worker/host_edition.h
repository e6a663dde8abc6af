/* The edition that a batch is of. */
#ifndef CORE_HOST_EDITION_H
#define CORE_HOST_EDITION_H
#include "record/result.h"

#include <courant/plugin.h>

struct host_edition {
	struct result_edition	 of;		/* borrowed from the batch; name NULL: the batch is of none */
	struct cr_section	*section;
	const struct cr_section	**list;
	size_t			 n;
	char			*page;		/* its URL; NULL: none */
};

/* Reads a RESULT_EDITION. -1: malformed, or its sections are not those of a batch of so many items. */
int	host_edition_read(struct host_edition *, struct wire *body, uint32_t items);
/* archive: URL of the pages of editions; NULL: there are none. */
void	host_edition_page(struct host_edition *, const char *archive);
void	host_edition_free(struct host_edition *);
/* Fills in the members of the batch that tell of its edition; of none they are empty. */
void	host_edition_put(const struct host_edition *, struct cr_batch *);
#endif
