/* A version of a plugin: its description, as the catalog holds it. */
#ifndef CORE_PLUGIN_H
#define CORE_PLUGIN_H
#include <courant/plugin.h>

#include <stddef.h>
#include <stdint.h>

struct buf;

enum plugin_does {			/* the callbacks that it has, or-ed */
	DOES_PARSE = 1, DOES_STREAM = 2, DOES_FILTER = 4, DOES_DELIVER = 8, DOES_CHECK = 16,
	DOES_PLAN = 32, DOES_REQUEST = 64,
};

/* One version of a plugin. All strings owned. options ends with CR_END; offsets are 0: values are
 * checked, never filled. Kind and name are those of its file, KIND_NAME.so, whatever the plugin says:
 * grants, secrets and sources are given to a name. */
struct plugin {
	char			*name;		/* the file's stem when its name is no plugin's */
	char			*kind;		/* "source", "filter", "sink"; else "" */
	char			*file;		/* the operator's file */
	char			*copy;		/* file to load: state/plugins/SHA256.so; or file */
	int			 fd;		/* what is loaded if copy is file: a sealed copy in memory;
						 * or -1 */
	char			*own;		/* its own libraries, a path a line; NULL: none */
	char			*libraries;	/* their folders for loading, a colon between */
	char			*version, *help, *url, *headers;
	char			 hash[65];	/* SHA-256, hex, of file and own libraries */
	char			*error;		/* why it is refused, with what to do; or NULL */
	struct cr_option	*options;
	size_t			 noptions;
	struct { char *name, *options; } *defaults;
	size_t			 ndefaults;
	uint32_t		 does;		/* enum plugin_does */
	int			 minor, needs, wants, takes;
	int			 unsafe;	/* others can write its file: nothing is loaded */
	int			 passing;	/* refused for lack of resources: tried again */
	int			 removed;	/* its file was removed, as error says */
	int			 watched;	/* the ends of its jobs go to catalog_job() */
	int64_t			 since;		/* of its file, see struct entry */
};

struct plugin	*plugin_new(const char *file);		/* takes kind and name from the file's name */
void		 plugin_free(struct plugin *);		/* NULL is fine */
/* Whether text is the name of a plugin, [a-z][a-z0-9_]{0,31}. */
int		 plugin_is_name(const char *);
/* Sets error. */
void		 plugin_refuse(struct plugin *, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));
/* A plugin whose file was removed: its name, its default sources, and the error that says so. */
struct plugin	*plugin_removed(const struct plugin *);
/* Adds the grants of wants (enum cr_wants), for people: "to open sockets, to run commands". */
void	 plugin_wants_text(struct buf *, uint32_t wants);
/* Whether a sink's plugin gets lists where there are no editions. */
static inline int
plugin_lists(const struct plugin *p)
{
	return (p->takes & (CR_BATCH_RECORDS | CR_BATCH_LIST)) == CR_BATCH_LIST;
}
#endif
