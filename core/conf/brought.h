/* The sources that a plugin brings: what they may set. */
#ifndef CORE_BROUGHT_H
#define CORE_BROUGHT_H
#include "conf.h"
#include "base/buf.h"

struct cr_option;
struct plugin;

/* Parses the nth default source of a plugin, and checks that it sets nothing but `every`, `url` and
 * options that the plugin declares: nothing that reads a file, that is a credential, or that is for
 * the operator alone. daemon: the keys of a source that the daemon itself handles. 0, and the tree,
 * freed by conf_free(); -1, and the reason is added to why. */
int	brought_parse(const struct plugin *, size_t nth, const struct cr_option *daemon,
	    struct node **tree, struct buf *why);
/* The key by which such a tree chooses where requests go, other than to the plugin's own url: secrets
 * go where an option of type URL leads, and where a secret does that is a URL. NULL: there is none. */
const char	*brought_leads(const struct plugin *, const struct node *tree);
#endif
