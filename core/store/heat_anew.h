/* Heat begins anew: when its settings change, or when a database gets it. */
#ifndef CORE_HEAT_ANEW_H
#define CORE_HEAT_ANEW_H
#include <stdint.h>

struct book;
struct roster;
struct store_heat;

#define HEAT_ANEW_MS	(14 * INT64_C(86400000))	/* mentions so old count again */

/* Takes the settings, in the open transaction. If they are not those of the stored heat, the heat of
 * all stories will be computed by heat_anew_some(), from their mentions of the last HEAT_ANEW_MS. */
void	heat_take(struct book *, const struct store_heat *);
/* Whether there is something to compute. */
int	heat_anew_left(const struct book *);
/* Computes some of it, in the open transaction, until date_ticks() says so. */
void	heat_anew_some(struct book *, struct roster *, int64_t until);
#endif
