/* What is told to people and programs as JSON: members of objects, and what a plugin is. */
#ifndef CORE_TOLD_H
#define CORE_TOLD_H
#include "setup.h"

#include <jansson.h>

/* Text that may be no UTF-8, such as a file's name, which JSON is. */
json_t	*text_of(const char *);
/* A member; a text that is NULL or empty, and a time (ms) that is none, are left out. */
void	 set_text(json_t *, const char *name, const char *text);
void	 set_number(json_t *, const char *name, int64_t);
void	 set_time(json_t *, const char *name, int64_t ms);

/* All that a plugin says of itself, and whether it can be used ("good"). setup: the operator's word on what it wants; NULL: not known. */
json_t	*told_plugin(const struct plugin *, const struct setup *);
#endif
