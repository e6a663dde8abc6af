/* The files that a look-up of names and a check of certificates read: the only ones that the roles
 * fetch, send and mail can open. */
#ifndef CORE_LOOKUP_H
#define CORE_LOOKUP_H
#include "roles.h"

/* Confines the role to these files and its system calls (confine.h). ca: a bundle of certificates, or
 * NULL. bundle, folder: those that the library for TLS trusts by itself; or NULL. */
void		 lookup_confine(enum role_id, const char *ca, const char *bundle, const char *folder);
/* A file that was put in the place of one of these, or another ca, which this process may not open:
 * the role has to begin anew. Borrowed; NULL: none. */
const char	*lookup_replaced(const char *ca);
#endif
