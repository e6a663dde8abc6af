/* `courant` started by root: root is given up before plugin code runs. */
#ifndef CORE_CLI_USER_H
#define CORE_CLI_USER_H
#include "catalog/option.h"

#include <sys/types.h>

struct setup;

/* As root: the user to become, the `user:` of the settings, or without settings (NULL) nobody; ends
 * the program with 1 when there is no such user. Otherwise does nothing. Returns the user's id, from
 * then on that of this program. */
uid_t	cli_user(const struct setup *);
/* As root: opens files of the command line now, for cli_file(); "-" is none. NULL ends the list. */
void	cli_user_files(char *const *paths);
/* As root: the same for what options NAME_file name. */
void	cli_user_options(const struct options *);
/* As root: becomes the user of cli_user() for good, or ends the program with 1. An option NAME_file
 * whose file that user cannot read gets a copy of it. */
void	cli_user_drop(struct options *);

/* Opens a file for reading, or takes it if it was opened before. -1 with errno. */
int	cli_file(const char *path);
/* " as user NAME", behind an error of a file; "" if this program did not start as root. */
const char *cli_user_as(void);
#endif
