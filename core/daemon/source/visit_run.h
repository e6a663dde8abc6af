/* A visit in its worker. */
#ifndef CORE_VISIT_RUN_H
#define CORE_VISIT_RUN_H
#include "base/buf.h"

#include <stdint.h>

struct source;
struct visit;

/* Gives the visit to its seat's worker. state: the plugin's, as stored: KEY\0VALUE\0... */
void	 visit_give(struct visit *, const struct source *, uint32_t grants, struct bytes state);
#endif
