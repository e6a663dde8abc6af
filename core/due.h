/* The sources by when they are due: a heap of places in runs. */
#ifndef CORE_DUE_H
#define CORE_DUE_H
#include <stdint.h>

struct core;

void		due_clear(struct core *);	/* empty, with room for all sources of the setup */
/* Puts the source where its mark.due belongs; one that is never due (INT64_MAX) is left out. */
void		due_set(struct core *, uint32_t place);
void		due_remove(struct core *, uint32_t place);
uint32_t	due_first(const struct core *);	/* UINT32_MAX: none */
#endif
