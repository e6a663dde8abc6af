/* The plugins there are: found in the folders, checked, copied, and described by short-lived workers,
 * several at once and without blocking. Core and the command-line tool know a plugin only by this
 * description. Of a plugin that was replaced, the version that worked is kept to go back to. */
#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H
#include "option.h"

#include <stdint.h>

#define CATALOG_MAX	512		/* plugins */
#define CATALOG_LOOKS	4		/* that are looked at at once */
#define CATALOG_FILE_MAX (64u << 20)	/* bytes of a .so */
#define CATALOG_RETRY	10000		/* ms until one is tried again that found no room */

struct event_base;

enum plugin_does {			/* the callbacks that it has, or-ed */
	DOES_PARSE = 1, DOES_STREAM = 2, DOES_FILTER = 4, DOES_DELIVER = 8, DOES_CHECK = 16,
	DOES_PLAN = 32, DOES_REQUEST = 64,
};

/* One version of a plugin. All strings owned. options ends with CR_END; offsets are 0: values are
 * checked, never filled. */
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
	int			 unsafe;	/* others can write its file: nothing of it is loaded */
	int			 passing;	/* refused for what the daemon lacks: tried again */
	int			 removed;	/* its file is gone, which error says */
	int			 watched;	/* how its jobs end is to be told: catalog_job() */
};
struct plugin	*plugin_new(const char *file);
void		 plugin_free(struct plugin *);		/* NULL is fine */
/* Its name becomes the file's stem ("source_feed"). */
void		 plugin_refuse(struct plugin *, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));
/* What stays of one whose file is gone: its name and default sources, and that it is. */
struct plugin	*plugin_removed(const struct plugin *);

/* The description in MSG_W_ABOUT. write: by the worker, from the descriptor. */
void	 plugin_about_write(struct buf *, const struct cr_plugin *);
int	 plugin_about_read(struct wire *, struct plugin *);	/* -1: malformed or unfit: error is set */

/* What it is that wants (enum cr_wants) ask for, for people: "to open sockets, to run commands". */
void	 plugin_wants_text(struct buf *, uint32_t wants);

struct catalog;
struct catalog	*catalog_new(void);
void		 catalog_free(struct catalog *);
/* What is loaded is copied there, and what is known of versions is kept there. Without: it is loaded
 * where it lies. */
void		 catalog_copies(struct catalog *, const char *folder);
/* One more folder to look into. A second time: nothing. */
void		 catalog_folder(struct catalog *, const char *folder);
/* These alone from now on; what lies in others is forgotten. */
void		 catalog_folders(struct catalog *, const char *const *folder, size_t n);

/* The loop that does the work, and what is told of each change: before and now are NULL when there
 * was, or is, none. base NULL: none for now, nothing is under way. */
typedef void	catalog_cb(const struct plugin *before, const struct plugin *now, void *arg);
void		 catalog_bind(struct catalog *, struct event_base *, catalog_cb *, void *arg);
/* Looks into all folders: at each *.so that is new or changed since the last look. `done` comes from
 * the loop once nothing is left to look at but what found no room. anew: also at versions that failed. One at a time. */
void		 catalog_look(struct catalog *, int anew, void (*done)(void *arg), void *arg);
/* One file, by an event: it is there, changed, or gone. */
void		 catalog_touch(struct catalog *, const char *file);
/* The same on a loop of its own, until all is done. Blocks: for programs without a loop, or before
 * it. What is wrong with a folder is logged. */
void		 catalog_look_now(struct catalog *);
/* Looks into one folder, blocking. How many changed; -1: it cannot be read, and err says why. */
int		 catalog_scan(struct catalog *, const char *folder, const char *copies, struct buf *err);
/* One file, wherever it is, blocking. Never NULL: look at error. */
const struct plugin *catalog_file(struct catalog *, const char *file, const char *copies);

/* What is told of a job: done, or failed in a way that a plugin is to blame for where its instance
 * did well before, or two workers died of it. */
enum job_how { JOB_WELL, JOB_FAILED };
/* 1: the plugin goes back to another version: the job is to be tried again with that. */
int		 catalog_job(struct catalog *, const struct plugin *, enum job_how, const char *why);

/* Versions that are no longer the catalog's stay for whoever runs them: here what nobody uses is
 * freed, and its copy removed. */
void		 catalog_sweep(struct catalog *, int (*used)(const struct plugin *, void *), void *arg);
/* A refused one is found by its file's stem, KIND_NAME: look at error. NULL: there is none. */
const struct plugin *catalog_find(const struct catalog *, const char *kind, const char *name);
size_t		 catalog_count(const struct catalog *);
const struct plugin *catalog_at(const struct catalog *, size_t);

/* How a file stands besides the version that is used. */
enum catalog_state {
	CATALOG_PLAIN,
	CATALOG_TRIAL,		/* it replaced one that worked, and has not done a job yet */
	CATALOG_BACK,		/* it failed, or cannot be used: an earlier version goes on */
	CATALOG_REFUSED,
	CATALOG_REMOVED,
	CATALOG_BEHIND,		/* another file, which comes first, has the same kind and name */
};
/* why: of BACK, REFUSED, REMOVED; of BEHIND, the file. bad: of BACK, the version that is not used. */
enum catalog_state catalog_state(const struct catalog *, size_t, const char **why, const char **bad);
#endif
