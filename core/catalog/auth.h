/* Authentication of a source's requests: options that every plugin with a parse() has besides its
 * own. */
#ifndef CORE_AUTH_H
#define CORE_AUTH_H
#include <courant/plugin.h>

/* A line of a descriptor's headers, sent when a user or a password is set (RFC 7617). */
#define AUTH_BASIC	"Authorization: Basic {auth_user}:{auth_password}"
/* The range of a secret whose value is a map, or a list of NAME=VALUE. */
#define AUTH_PAIRS	"NAME=VALUE"

/* Adds to a loaded descriptor, behind its own options, those of the following that it does not
 * declare: `auth_bearer`, `auth_header` with `auth_key`, `auth_user` with `auth_password`,
 * `headers`; and the headers made of them. The plugin does not see them: their members lie behind
 * options_size. Secrets are stand-ins. They are never freed: a descriptor lasts as long as its
 * process. */
void	auth_add(struct cr_plugin *);
/* Whether an option of this name says who asks: one of the above, or auth, or a name that begins with
 * auth_. */
int	auth_option(const char *name);
#endif
