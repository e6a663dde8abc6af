/* What is wrong, as records of the source SETUP_TROUBLE. */
#ifndef CORE_TROUBLE_H
#define CORE_TROUBLE_H
#include "base/buf.h"

struct core;
struct frame;
struct setup;

void	trouble_init(struct core *);
void	trouble_setup(struct core *, const struct setup *old);
void	trouble_ready(struct core *);
void	trouble_stop(struct core *);
void	trouble_end(struct core *);
/* Store's answer: the state of the source, KEY\0VALUE\0... */
void	trouble_stated(struct core *, struct bytes state);
void	trouble_silences(struct core *, const struct frame *);	/* MSG_SILENCES from store */
#endif
