/* Which version of each plugin worked last, and which did not: kept beside the copies, so that a
 * restart does not try again what failed. */
#ifndef CORE_KNOWN_H
#define CORE_KNOWN_H
#include <stddef.h>

#define KNOWN_MAX	1024		/* files */

struct event_base;

/* Of the plugin in one file. Versions are the SHA-256 of a copy, hex; "": none. */
struct known {
	char	*file;
	char	 good[65];		/* to go back to */
	char	 bad[65];		/* what was gone back from: not tried again */
	char	*why;			/* it failed; or NULL */
	int	 proven;		/* good did a job */
};
struct knowns;				/* opaque */

struct knowns	*knowns_load(const char *folder);	/* of the copies; what is missing is empty */
void		 knowns_free(struct knowns *);		/* NULL is fine */
struct known	*knowns_get(struct knowns *, const char *file);	/* NULL: nothing is known of it */
struct known	*knowns_add(struct knowns *, const char *file);	/* the same, made when missing */
int		 knowns_need(const struct knowns *, const char *hash);	/* somebody's good version */
void		 knowns_drop(struct knowns *, const char *file);	/* the file is no longer there */
/* Each that is known, by the place; NULL behind the last. */
const struct known *knowns_at(const struct knowns *, size_t);
/* Writes it all, soon, without waiting for the disk. */
void		 knowns_save(struct knowns *, struct event_base *);
int		 knowns_busy(const struct knowns *);		/* a save is under way */
#endif
