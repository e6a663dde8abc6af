/* fetch() and next(): the pages that a source plugin asks for, by plan() and parse(). */
#ifndef CORE_HOST_ASK_H
#define CORE_HOST_ASK_H
struct cr;

void	host_ask_table(struct cr *);
void	host_ask_write(void);			/* writes the requests into the results */
#endif
