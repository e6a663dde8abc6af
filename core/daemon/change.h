/* Plugins that change while the daemon runs. */
#ifndef CORE_CHANGE_H
#define CORE_CHANGE_H
struct core;

void	change_init(struct core *);
void	change_setup(struct core *);		/* a new setup: watches its plugin folders */
void	change_end(struct core *);
#endif
