/* What a configuration means: settings, sources and routes, with every option checked. */
#ifndef CORE_SETUP_H
#define CORE_SETUP_H
#include "catalog.h"
#include "conf.h"
#include "msg.h"

#include <stdint.h>

#define SETUP_SOURCES	200000
#define SETUP_ROUTES	1000
#define SETUP_LEGS	16		/* sinks of one route */
#define SETUP_FILTERS	64		/* filters of one route */

/* One plugin with its options: shared by all sources of a group. */
struct instance {
	const struct plugin	*plugin;	/* NULL: missing or refused; `waiting` says why */
	char			*name;		/* of the plugin, as written */
	char			*waiting;
	struct options		 options;	/* NAME_file resolved, {each} not yet */
	struct option_value	*secrets;	/* by name, of options whose type is secret */
	size_t			 nsecrets;
};
struct source {
	char			*name;		/* GROUP/ENTRY or NAME */
	char			*url;		/* "" when the plugin plans */
	const char		*each;		/* the entry, in name; NULL */
	char			*was;
	struct instance		*instance;
	int64_t			 every_min, every_max;	/* ms; the same: fixed */
	uint64_t		 hash;		/* of all that makes its results: plugin, url, options */
	int			 line;
};
struct filter { struct instance *instance; char *rule; /* "match#1" */ };
struct leg {
	struct instance		*instance;
	char			*name;		/* plugin, "#2" for its second in the route */
	enum backlog		 backlog;
	int64_t			 backlog_n;
	uint32_t		 keep;
};
struct route {
	char			*name, *title;
	int			 all;		/* from: ["*"] */
	uint32_t		*from;		/* places in sources */
	size_t			 nfrom;
	uint32_t		*routes;	/* places in routes, all before this one */
	size_t			 nroutes;
	struct filter		*filters;
	size_t			 nfilters;
	struct leg		*legs;
	size_t			 nlegs;
	int			 once_record, updates;
	int64_t			 patience;
	int			 line;
};
struct host_limit { char *host; uint32_t at_once; int64_t spacing; };

struct setup {
	char			*file;		/* the configuration's path */
	char			*user;		/* to run as, when started as root; or NULL */
	char			*state;		/* folder */
	char			*contact;	/* into the User-Agent; or NULL */
	char			*listen;	/* "127.0.0.1:8080"; NULL: no serve role */
	char			*base;		/* public address; "" */
	char			*ca;
	int			 metrics;
	int			 private_ok;	/* `private: yes`: fetch from loopback and private nets */
	char			**files;	/* folders below which file: may read; real paths */
	size_t			 nfiles;
	char			**plugin_dirs;	/* besides the daemon's own, which comes first */
	size_t			 nplugin_dirs;
	char			**allow;	/* plugins that may have what they want beyond HTTP */
	size_t			 nallow;
	struct instance		**instances;
	size_t			 ninstances;
	struct source		*sources;
	size_t			 nsources;
	struct route		*routes;
	size_t			 nroutes;
	struct host_limit	*hosts;
	size_t			 nhosts;
	uint32_t		 at_once, total, workers;	/* workers: parse workers busy at once */
	int64_t			 spacing, fetch_timeout;
	int64_t			 job_deadline, job_cpu;		/* ms, of a worker's job */
	uint64_t		 max_body, worker_memory;
};

/* Reads the part that is needed before plugins are known: state, user, plugins. NULL: mistakes. */
struct setup	*setup_open(const char *file, struct mistakes *, struct node **tree);
/* The rest, against the catalog. 0, or -1 and the mistakes. Frees the tree. */
int		 setup_read(struct setup *, struct node *tree, const struct catalog *,
		    struct mistakes *);
void		 setup_free(struct setup *);
/* The options of a source's job: its instance's, with {each} filled in, secrets as stand-ins.
 * NAME\0VALUE\0... appended to buf. */
void		 setup_source_options(const struct source *, struct buf *);
#endif
