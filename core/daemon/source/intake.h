/* Results that arrive outside of polls, held until they are on disk. */
#ifndef CORE_INTAKE_H
#define CORE_INTAKE_H
#include "ipc/roles.h"

#include <stdint.h>

struct commit;
struct committed;
struct core;
struct mark;

typedef void intake_cb(struct core *, const struct committed *, void *arg);

void	 intake_init(struct core *);
/* Has store commit results (a sealed memfd, taken; -1: the mark alone): now or once store is back,
 * and again when store dies before it answers. The commit's flags have COMMIT_ASIDE. done is called
 * once the results are on disk. The id of the commit, never 0. */
uint32_t intake_put(struct core *, const struct commit *, const struct mark *, int fd, intake_cb *done,
	    void *arg);
/* done is not called; the results are stored all the same. 0 is fine. */
void	 intake_forget(struct core *, uint32_t id);
void	 intake_committed(struct core *, uint32_t id, const struct committed *);
void	 intake_gone(struct core *, enum role_id);
void	 intake_ready(struct core *);		/* store is back */
int	 intake_busy(const struct core *);	/* a commit is under way */
#endif
