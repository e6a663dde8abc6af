/* The roles' main functions: each takes its channel on descriptor 3 and returns an exit status. */
#ifndef CORE_ROLES_H
#define CORE_ROLES_H
int	store_main(int debug);
int	fetch_main(int debug);
int	send_main(int debug);
int	serve_main(int debug);
#endif
