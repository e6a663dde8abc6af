/* done() of a sink: how many records of the batch under way its receiver has confirmed. */
#ifndef CORE_HOST_DONE_H
#define CORE_HOST_DONE_H
#include <stddef.h>
#include <stdint.h>

struct cr;
struct host_batch;

void	host_done_table(struct cr *);		/* done() */
/* Before and after a call of deliver() with a batch of n records. host_done_end() returns how many the
 * plugin confirmed by done(). */
void	 host_done_begin(const struct host_batch *, uint32_t n);
uint32_t host_done_end(void);
/* The first n records of the batch are confirmed; less than before is nothing. Core hears of it at most
 * each DONE_MS: at once, or by host_done_tell(). */
void	host_done(size_t n);
/* ms until host_done_tell() has something to do; -1: nothing. A blocking wait has to be no longer. */
int	host_done_due(void);
void	host_done_tell(void);			/* sends what is due */
#endif
