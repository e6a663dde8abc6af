/* The files that a look-up of names and a check of certificates read: the only ones that the roles
 * fetch and send can open. */
#ifndef CORE_LOOKUP_H
#define CORE_LOOKUP_H
#include "ipc/roles.h"

/* Confines the role to these files and its system calls (ipc/confine.h). ca: a bundle of
 * certificates, or NULL. */
void		 lookup_confine(enum role_id, const char *ca);
/* A file that was put in the place of one of these, or another ca, which this process may not open:
 * the role has to begin anew. Borrowed; NULL: none. */
const char	*lookup_replaced(const char *ca);
#endif
