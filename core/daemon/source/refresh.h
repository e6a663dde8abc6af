/* Polls that an operator asks for. */
#ifndef CORE_REFRESH_H
#define CORE_REFRESH_H

struct core;
struct buf;

/* An operator asks for a poll of a source, a group, or what `NAME*` matches. 0; -1: at least one
 * source is not polled. said gets the reasons and, for several sources, how many are polled. */
int	 refresh_now(struct core *, const char *which, struct buf *said);

#endif
