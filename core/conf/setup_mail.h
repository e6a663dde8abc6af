/* Reads `mail`: the server to which mail is handed over, and from whom it is. */
#ifndef CORE_SETUP_MAIL_H
#define CORE_SETUP_MAIL_H
#include "setup_reader.h"

struct digest;

/* n: the map `mail`, or NULL. After `serve` is read: its `base` names the host in EHLO. */
void	 mail_read(struct setup_reader *, const struct node *n);
/* Adds all that they say to the digest. */
void	 mail_conf_means(const struct mail_conf *, struct digest *);
/* Whether two settings of `mail` say the same: processes that were started for one are of use for the
 * other. */
int	 mail_conf_same(const struct mail_conf *, const struct mail_conf *);
/* Overwrites the password. */
void	 mail_conf_forget(struct mail_conf *);
#endif
