/* Reading a configuration: what the files setup*.c share while it is under way. */
#ifndef CORE_SETUP_READER_H
#define CORE_SETUP_READER_H
#include "digest.h"
#include "setup.h"

#define SETUP_NAME_MAX	200		/* bytes of a source's or route's name */
#define SETUP_TEXT_FILE	(4u << 20)	/* bytes of a file of values */

/* What `defaults` says of one plugin. */
struct preset {
	char		*name;		/* KIND_NAME */
	struct instance	 instance;	/* its options */
	struct options	 own;		/* of those that we handle: every, keep... */
	struct options	 start;		/* autostart */
	const char	*held;		/* why its plugin's instances wait; or NULL */
};

struct reader {
	struct setup		*setup;
	struct mistakes		*mistakes;
	const struct catalog	*catalog;	/* NULL: not known yet; every plugin waits */
	const char		*file;		/* that the nodes being read are of */
	int			 brought;	/* what is read is a plugin's default source */
	int			 each;		/* {each} in a value stands for an entry */
	char			 where[320];	/* "source x: ", before each mistake */
	const char		*held;		/* why the plugin being read of is none; or NULL */
	struct preset		*presets;
	size_t			 npresets;
	struct digest		*digest;

	/* Sources, while there are more to come. */
	size_t			 room;
	const char		**files;	/* beside setup->sources: where each was written */
	uint32_t		*by_name;	/* places in setup->sources, sorted by name */
	struct instance		**shared;	/* hash table of instances, a power of two */
	uint64_t		*shared_hash;
	size_t			 nshared, shared_room;
	const struct node	*named;		/* the map `sources` */
	const struct node	*routes;	/* the map `routes` */
	struct node		*defaulted;	/* trees of plugins' default sources */
};

/* setup_value.c: values by option tables */
void	 wrong(struct reader *, int line, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
char	*keep_text(struct reader *, const char *);	/* in the setup's memory; NULL stays */
char	*setup_path(struct reader *, const char *path);	/* absolute, in the setup's memory */
/* A small text file; NULL and a mistake. Freed by the caller. */
char	*text_file(struct reader *, int line, const char *path, int secret);

/* The node's values, when its key is an option of the table or NAME_file of one: added to `to`
 * after checking. 1, or 0: it is no option of it. */
int	 value_read(struct reader *, const struct cr_option *table, const struct node *,
	    struct options *to);
/* Says that a key is unknown, with the nearest of the tables' (each may be NULL). */
void	 value_unknown(struct reader *, const struct node *, const struct cr_option *,
	    const struct cr_option *);
/* A map of options whose defaults suffice, into a zeroed struct: see option_fill(). Keys that
 * `nodes` has are left to the caller. `given` may be NULL. */
void	 section_read(struct reader *, const struct node *map, const struct cr_option *table,
	    const struct cr_option *nodes, void *to, size_t size, struct options *given);
int	 is_map(struct reader *, const struct node *, const char *what);	/* or a mistake */

/* setup_plugin.c: instances */
/* Around what concerns one plugin, when the setup is made again: failed() tells that there were
 * mistakes, which are dropped; held then says why, and it is to be read once more without the plugin.
 * Otherwise mistakes stay mistakes. */
struct attempt {
	struct mistakes	*mistakes, own;
	size_t		 nchecks;
	char		 where[320];
};
void	 attempt_begin(struct reader *, struct attempt *);
int	 attempt_failed(struct reader *, struct attempt *);
const struct cr_option *plugin_options(const struct instance *);	/* or NULL */
/* Finds the plugin; fills name, plugin, waiting. */
void	 instance_begin(struct reader *, struct instance *, const char *kind, const char *name,
	    int line);
/* Reads its options out of a map (NULL: none), those of `own` to `mine`, then the preset's. */
void	 instance_read(struct reader *, struct instance *, const char *kind, const struct node *map,
	    const struct cr_option *own, struct options *mine);
/* Moves it into the setup. share: an equal one that is there already is taken instead. */
struct instance *instance_keep(struct reader *, struct instance *, int share);
struct instance *setup_instance(struct setup *, const struct instance *);	/* a copy in its list */
void	 presets_read(struct reader *, const struct node *);
const struct preset *preset_find(const struct reader *, const char *kind, const char *name);
void	 instance_clear(struct instance *);

/* setup_check.c: the plugin, if it has a check(), is to be asked about the instance, or about src with
 * {each} filled in; not when there are more mistakes than those by now. drop: all but the first. */
void	 check_later(struct reader *, struct instance *, const struct source *src, int line,
	    size_t mistakes);
void	 checks_drop(struct setup *, size_t had);

/* setup_source.c, setup_route.c, setup_sink.c */
extern const struct cr_option source_own[], leg_own[];
void	 sources_read(struct reader *, const struct node *);
int	 source_find(const struct reader *, const char *name, uint32_t *place);	/* 1: there is */
/* Sources whose name begins with prefix: by_name[*first], *n of them. */
void	 source_range(const struct reader *, const char *prefix, size_t *first, size_t *n);
int	 name_check(struct reader *, const char *name, const char *what, int line);
void	 routes_read(struct reader *, const struct node *);
void	 route_clear(struct route *);
void	 leg_read(struct reader *, struct route *, const struct node *, const char *backlog);
void	 outputs_check(struct reader *);

/* setup_fill.c: templates */
/* {each} alone. */
void	 fill_each(struct buf *, const char *template, const char *each);
/* A URL's template: {each}, {OPTION}; secrets as {secret:NAME}, or as themselves. */
void	 fill_url(struct buf *, const char *template, const struct source *, int secrets);
#endif
