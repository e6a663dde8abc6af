/* Reading the sources that plugins bring. */
#ifndef CORE_SETUP_DEFAULT_H
#define CORE_SETUP_DEFAULT_H
#include "setup_reader.h"

/* Adds the default sources of plugins to the setup, behind the configured ones; to be called when those
 * are read. */
void	 defaults_read(struct setup_reader *);
/* Whether a plugin says of itself only what it may: its default sources (see brought.h), its url. -1, and
 * the reasons are added to why. For catalog_new(). */
int	 defaults_fit(const struct plugin *, struct buf *why);
#endif
