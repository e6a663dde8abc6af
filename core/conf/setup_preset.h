/* Reading `defaults`: options given once for all instances of a plugin. */
#ifndef CORE_SETUP_PRESET_H
#define CORE_SETUP_PRESET_H
#include "setup_reader.h"

/* Reads the map `defaults` (NULL: there is none) into reader->presets; to be called before any
 * instance is read. */
void	 presets_read(struct setup_reader *, const struct node *map);
#endif
