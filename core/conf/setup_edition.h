/* Reading `edition` of a route. */
#ifndef CORE_SETUP_EDITION_H
#define CORE_SETUP_EDITION_H
#include "setup_reader.h"

struct edition;

/* Reads the map. NULL, and mistakes: it is wrong. Freed by the caller; what it points to is the setup's. */
struct edition	*edition_read(struct setup_reader *, const struct node *map);
#endif
