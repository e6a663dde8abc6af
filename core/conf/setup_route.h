/* Reading `routes`. */
#ifndef CORE_SETUP_ROUTE_H
#define CORE_SETUP_ROUTE_H
#include "setup_reader.h"

/* Reads the map `routes` (NULL: there is none) into the setup; to be called after sources_read().
 * */
void	 routes_read(struct setup_reader *, const struct node *map);
#endif
