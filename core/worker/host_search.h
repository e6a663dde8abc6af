/* search(): whether a search for a query finds the record that a filter judges. */
#ifndef CORE_HOST_SEARCH_H
#define CORE_HOST_SEARCH_H

struct cr;

void	host_search_table(struct cr *);
#endif
