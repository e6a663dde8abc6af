/* A plugin's state between its calls: state_get(), state_set(). */
#ifndef CORE_HOST_STATE_H
#define CORE_HOST_STATE_H
#include "base/buf.h"

#include <stddef.h>

struct cr;
struct result_state;
struct slot;

void	host_state_table(struct cr *);
/* begin: takes the stored state (KEY\0VALUE\0..., borrowed), with no changes; write: writes the
 * changes into the results. */
void	host_state_begin(struct bytes known);
void	host_state_write(void);
/* The same for a batch, in which each call is a job. given: an item of the stored state, for the
 * slot with its rule. enter: before a call. counts: after a call that succeeded; the next call gets
 * the state that it set. write: writes the changes so far into the results. */
void	host_batch_state_begin(struct slot *, size_t n);
void	host_batch_state_given(struct slot *, size_t n, const struct result_state *);
void	host_batch_state_enter(struct slot *);
void	host_batch_state_counts(struct slot *);
void	host_batch_state_write(struct slot *, size_t n);
void	host_batch_state_free(struct slot *);
#endif
