/* The history of plugins: which version of each worked last, and which failed. It is stored beside
 * the copies, so that a restart does not try a failed version again. */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H
#include <stddef.h>
#include <stdint.h>

#define HISTORY_MAX	1024		/* files */

struct event_base;

/* The history of one file. A version is the SHA-256 of a copy, hex; "": none. */
struct history_entry {
	char	*file;
	char	 good[65];		/* the version to fall back to */
	char	 bad[65];		/* the version that failed: not tried again */
	char	*why;			/* why `bad` failed; or NULL */
	int	 proven;		/* `good` did a job without failing */
	int64_t	 since;			/* of struct entry; 0: the file is not there */
};
struct history;				/* opaque */

struct history	*history_load(const char *folder);	/* of the copies; may be empty */
void		 history_free(struct history *);		/* NULL is fine */
/* The file's entry, added when missing. */
struct history_entry	*history_add(struct history *, const char *file);
int		 history_need(const struct history *, const char *hash);	/* is a `good` */
/* Takes `since` from all files for which there() returns 0. */
void		 history_leave(struct history *, int (*there)(const char *file, void *), void *arg);
void		 history_drop(struct history *, const char *file);	/* removes its entry */
/* The nth entry; NULL: there are fewer. */
const struct history_entry *history_at(const struct history *, size_t);
/* Writes the history to its file without waiting for the disk. */
void		 history_save(struct history *, struct event_base *);
#endif
