/* The parts of the running daemon, and the calls that go to all of them. */
#ifndef CORE_PARTS_H
#define CORE_PARTS_H
#include "ipc/roles.h"

struct core;
struct setup;

void	parts_init(struct core *);
void	parts_setup(struct core *, const struct setup *old);
void	parts_ready(struct core *);
void	parts_gone(struct core *, enum role_id);
void	parts_stop(struct core *);
int	parts_busy(const struct core *);
void	parts_end(struct core *);
#endif
