/* A plugin's descriptor: checked when a worker loads it, and described to processes that must not
 * load plugins. */
#ifndef CORE_DESCRIPTOR_H
#define CORE_DESCRIPTOR_H
#include "catalog.h"

struct cr_plugin;
struct plugin;

#define ABOUT_LINE_MAX	1000		/* bytes of a name, version, help */
#define ABOUT_TEXT_MAX	8192		/* of url, headers, a default source's options */
#define ABOUT_DEFAULTS	64		/* default sources of a plugin */

/* Checks and copies a descriptor, as many bytes as its size member says. -1: it is unfit for use,
 * and the reason, for its author or the operator, is in why. */
int	descriptor_take(struct cr_plugin *, const struct cr_plugin *found, struct buf *why);

/* The description in MSG_W_ABOUT, which the worker writes from the descriptor. */
void	 descriptor_write(struct buf *, const struct cr_plugin *);
int	 descriptor_read(struct wire *, struct plugin *);	/* -1: unfit; error is set */
#endif
