/* The roles: each is a process of its own, `courantd --role NAME`, with its channel on file
 * descriptor 3. */
#ifndef CORE_ROLES_H
#define CORE_ROLES_H

/* One row a role: its id, its name, and whether it starts only once the database is open. Roles
 * start in this order and stop in reverse order, so that store stops last. NAME_main(debug) is the
 * role's main function, which returns an exit status; daemon/dispatch.c has NAME_setup(),
 * NAME_frame() and NAME_gone(). */
#define ROLES_EACH(ROLE) \
	ROLE(STORE, store, 0) \
	ROLE(FETCH, fetch, 0) \
	ROLE(SEND, send, 0) \
	ROLE(SERVE, serve, 1) \
	ROLE(INDEX, index, 1)

/* Roles of which there are as many processes as there is work for, each with one connection:
 * daemon/supervise/mailers.c starts them. */
#define ROLES_POOLED(ROLE) \
	ROLE(MAIL, mail, 1)

#define ROLE_ID(id, name, late)		ROLE_##id,
#define ROLE_MAIN(id, name, late)	int name##_main(int debug);
/* ROLES: those of which there is one; ROLES_ALL: with the pooled ones behind them. */
enum role_id { ROLES_EACH(ROLE_ID) ROLES, ROLES_LAST = ROLES - 1, ROLES_POOLED(ROLE_ID) ROLES_ALL };
ROLES_EACH(ROLE_MAIN)
ROLES_POOLED(ROLE_MAIN)
#undef ROLE_ID
#undef ROLE_MAIN
#endif
