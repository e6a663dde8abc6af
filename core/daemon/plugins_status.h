/* The plugins as JSON. */
#ifndef CORE_PLUGINS_STATUS_H
#define CORE_PLUGINS_STATUS_H

struct core;
struct buf;

void	 plugins_json(const struct core *, struct buf *);

#endif
