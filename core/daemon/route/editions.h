/* When editions are due: core tells store to seal them. */
#ifndef CORE_EDITIONS_H
#define CORE_EDITIONS_H
#include "base/calendar.h"

#include <stdint.h>

struct buf;
struct core;
struct frame;
struct route;
struct setup;

void	editions_init(struct core *);
void	editions_setup(struct core *, const struct setup *old);
void	editions_ready(struct core *);			/* store has read the setup */
void	editions_end(struct core *);
/* Looks at the clock, which may have been set, and seals what is due. */
void	editions_wake(struct core *);
void	editions_sealed(struct core *, const struct frame *);	/* MSG_SEALED */
/* When the route's edition was due for which store has given no answer for EDITIONS_OVERDUE, and its name; 0: there
 * is none. Of what was due before the daemon ran, the hour begins with the daemon. */
#define EDITIONS_OVERDUE	INT64_C(3600000)	/* ms */
int64_t	editions_overdue(const struct core *, const struct route *, char name[CALENDAR_NAME]);

/* What `courant editions` asks, JSON (store/edition_show.h). Appends to out what store is asked in its stead: the
 * same, with what the clock tells. 0; -1: out says what is wrong. */
int	editions_question(struct core *, const char *arg, struct buf *out);
#endif
