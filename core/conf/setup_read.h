/* Reads a configuration, a file or the text of an earlier one, into a setup. */
#ifndef CORE_SETUP_READ_H
#define CORE_SETUP_READ_H
#include "setup.h"

/* Parses the file and reads the settings at its top, which scanning for plugins needs: state, user,
 * plugins. On mistakes in those, NULL; m then also has the mistakes of the rest that show without
 * plugins. Other mistakes in m do not fail here: setup_read() adds its own and fails, so that one
 * list holds all. *tree is for setup_read(), or conf_free(); NULL on failure. */
struct setup	*setup_open(const char *file, struct mistakes *, struct node **tree);
/* The same from the text of a setup that was read before, against plugins that have changed since.
 * */
struct setup	*setup_again(const struct setup *, struct mistakes *, struct node **tree);
/* Reads the rest of the tree and frees it. The catalog has to outlive the setup. 0, or -1 and the
 * mistakes; in either case, next let the plugins check their options (check.h), then call
 * setup_checked(). A missing plugin is no mistake (instance->waiting says what waits), but is
 * listed beside mistakes when there are any. */
int		 setup_read(struct setup *, struct node *tree, const struct catalog *,
		    struct mistakes *);
#endif
