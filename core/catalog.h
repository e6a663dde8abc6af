/* The plugins there are: found in the folders, checked, copied, and described by a short-lived
 * worker. Core and the command-line tool know a plugin only by this description. */
#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H
#include "option.h"

#include <stdint.h>

#define CATALOG_MAX	512		/* plugins */
#define CATALOG_FILE_MAX (64u << 20)	/* bytes of a .so */

enum plugin_does {			/* the callbacks that it has, or-ed */
	DOES_PARSE = 1, DOES_STREAM = 2, DOES_FILTER = 4, DOES_DELIVER = 8, DOES_CHECK = 16,
	DOES_PLAN = 32, DOES_REQUEST = 64,
};

/* All strings owned. options ends with CR_END; offsets are 0: values are checked, never filled. */
struct plugin {
	char			*name;		/* of the descriptor; file's stem when refused */
	char			*kind;		/* "source", "filter", "sink": "" when refused */
	char			*file;		/* where it was found */
	char			*copy;		/* what is loaded: state/plugins/SHA256.so, or file */
	char			*version, *help, *url, *headers;
	char			 hash[65];	/* SHA-256 of the file, hex */
	char			*error;		/* why it is refused, with what to do; NULL: it is fine */
	struct cr_option	*options;
	size_t			 noptions;
	struct { char *name, *options; } *defaults;
	size_t			 ndefaults;
	uint32_t		 does;		/* enum plugin_does */
	int			 minor, needs, wants, takes;
};

/* The description in MSG_W_ABOUT. write: by the worker, from the descriptor. */
void	 plugin_about_write(struct buf *, const struct cr_plugin *);
int	 plugin_about_read(struct wire *, struct plugin *);	/* -1: malformed or unfit: error is set */

/* What it is that wants (enum cr_wants) ask for, for people: "to open sockets, to run commands". */
void	 plugin_wants_text(struct buf *, uint32_t wants);

struct catalog;
struct catalog	*catalog_new(void);
void		 catalog_free(struct catalog *);
/* Looks into a folder: each *.so that is new or changed since the last look is checked (owned by root
 * or this user, not writable by others), copied to copies (NULL: loaded where it lies) and described.
 * Returns how many changed; -1: the folder cannot be read, and err says why. Blocks. */
int		 catalog_scan(struct catalog *, const char *folder, const char *copies, struct buf *err);
/* A plugin whose file changed is described anew, and what was known of it before stays for whoever runs
 * it: here what nobody uses any more is freed. */
void		 catalog_sweep(struct catalog *, int (*used)(const struct plugin *, void *), void *arg);
/* One file, wherever it is. Never NULL: look at error. */
const struct plugin *catalog_file(struct catalog *, const char *file, const char *copies);
/* A refused one is found by its file's stem, KIND_NAME: look at error. NULL: there is none. */
const struct plugin *catalog_find(const struct catalog *, const char *kind, const char *name);
size_t		 catalog_count(const struct catalog *);
const struct plugin *catalog_at(const struct catalog *, size_t);
#endif
