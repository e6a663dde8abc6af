/* The start, before the loop: reads and checks the configuration, prepares folders, user and
 * socket, and gives up root. */
#ifndef CORE_BOOT_H
#define CORE_BOOT_H
struct core;
struct mistakes;
struct node;
struct setup;

#define EXIT_CONF	1		/* the configuration is refused */

/* courantd -n: prints to standard error what would keep the daemon, as that user, from starting.
 * Frees the setup and the tree. Returns an exit status. */
int		 boot_check(struct core *, struct setup *, struct node *, const char *user,
		    struct mistakes *);
/* The setup to run with: folders and socket are ready, root is given up. NULL: status is the exit
 * status, and the mistakes or the log say why. Frees the tree, and the setup that it is given. */
struct setup	*boot_begin(struct core *, struct setup *, struct node *, const char *user,
		    struct mistakes *, int *status);
#endif
