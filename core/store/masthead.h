/* Mastheads: public metadata of feeds (title, link, self), for the sinks of lists. */
#ifndef CORE_MASTHEAD_H
#define CORE_MASTHEAD_H
struct buf;
struct ledger;
struct cursor;

/* Appends a RESULT_FEED for each feed from which a record of the cursor's batch came. */
void	mastheads_give(struct ledger *, const struct cursor *, struct buf *items);
#endif
