/* What could keep the daemon from starting besides its configuration: checked, nothing is
 * written. */
#ifndef CORE_PRECHECK_H
#define CORE_PRECHECK_H
#include "conf/conf.h"

#define WHY_MAX	256			/* bytes of a reason */

struct passwd;
struct setup;

/* A socket bound to "ADDRESS:PORT" or "[ADDRESS]:PORT", not yet listening; or -1 and why. */
int	precheck_bind(const char *listen_on, char why[WHY_MAX]);
/* Adds a mistake if serve could not listen there; a port that a running daemon of this state folder
 * has is fine. listen_on NULL: serve is off. */
void	precheck_listen(const struct setup *, const struct node *tree, const char *listen_on,
	    struct mistakes *);
/* Adds a mistake if root would not give the state folder to the user. To be called as root. */
void	precheck_given(const struct setup *, const struct node *tree, const struct passwd *,
	    struct mistakes *);
/* Adds a mistake if the state folder, or a file in it, cannot be written. pw: the user that root
 * gives the folder to, or NULL. To be called as the user that the daemon runs as. */
void	precheck_state(const struct setup *, const struct node *tree, const struct passwd *pw,
	    struct mistakes *);
/* The same for the files of sinks. */
void	precheck_outputs(const struct setup *, struct mistakes *);
#endif
