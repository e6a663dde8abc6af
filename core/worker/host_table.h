/* The table `struct cr`, filled in with the functions of the host's other files. */
#ifndef CORE_HOST_TABLE_H
#define CORE_HOST_TABLE_H
struct w_start;

/* Sets up the host's table, grants and buffers. Call once, before any other function of the
 * host. */
void	host_init(const struct w_start *);
#endif
