/* What a configuration means: settings, sources and routes, with every option checked. */
#ifndef CORE_SETUP_H
#define CORE_SETUP_H
#include "arena.h"
#include "catalog.h"
#include "conf.h"
#include "msg.h"

#include <stdint.h>

#define SETUP_SOURCES	200000
#define SETUP_ROUTES	1000
#define SETUP_LEGS	16		/* sinks of one route */
#define SETUP_FILTERS	64		/* filters of one route */
#define SETUP_GROUPS	4		/* groups of filters within each other */
#define SETUP_DRAWS	10000000	/* sources that routes draw from, summed over the routes */
#define SETUP_PAGES	10		/* pages of one poll, unless `pages` says otherwise */
#define SETUP_KEEP	50		/* records of a list, unless `keep` does */
#define SETUP_PATIENCE	(7 * INT64_C(86400000))

/* One plugin with its options: shared by all sources that say the same. */
struct instance {
	const struct plugin	*plugin;	/* NULL: missing or refused */
	char			*name;		/* of the plugin, as written */
	char			*waiting;	/* "waiting for plugin source_x: why": it is missing,
						 * or wants more than is allowed; NULL: it can work */
	struct options		 options;	/* NAME_file resolved, {each} not yet; of a secret
						 * a stand-in, new with each setup */
	struct option_value	*secrets;	/* the values of options whose type is secret */
	size_t			 nsecrets;
	int			 inline_secret;	/* one stands in the configuration itself */
	int			 asked;		/* it is among setup->checks */
	int			 line;
};
/* Options that a plugin with a check() is to be asked about, and what it said. */
struct check {
	struct instance	*instance;
	uint32_t	 source;	/* whose {each} is filled in; UINT32_MAX: none is */
	int		 line;
	int		 brought;	/* by the plugin, with a default source */
	const char	*file;
	const char	*where;		/* "source x: " */
	uint64_t	 mark;		/* of the plugin and the options */
	int		 answered;
	int		 fault;		/* it could not be asked: said tells why */
	const char	*said;		/* why it does not take them; NULL: it does */
};
struct source {
	char			*name;		/* GROUP/ENTRY or NAME */
	char			*url;		/* "" when the plugin plans; file:///PATH, escapes
						 * as written; {secret:NAME} where one belongs:
						 * setup_source_request() tells what to ask for */
	const char		*each;		/* the entry, in name; NULL */
	char			*was;
	struct instance		*instance;
	int64_t			 every_min, every_max;	/* ms; the same: fixed */
	uint64_t		 hash;		/* of what makes its results: plugin, url, options */
	int			 line;
	uint32_t		 pages;		/* of one poll, at most */
	uint32_t		 strip;		/* 1: beacons are taken out of its HTML */
};
/* rule: the plugin and its place; in a group behind the group's own: "any#2/match#1". Filters of one
 * group stand together. */
struct filter { struct instance *instance; char *rule; };
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
	struct arena		 memory;	/* of all strings here */
	char			*file;		/* the configuration's path */
	char			*folder;	/* its folder: relative paths in it begin there */
	char			*text;		/* of the configuration, as it was read */
	size_t			 text_len;
	int			 again;		/* read from the text of one that was good: a mistake
						 * now is a changed plugin's, and what it concerns waits */
	char			 nonce[17];	/* makes stand-ins that no page can name */
	char			*user;		/* to run as, when started as root; or NULL */
	char			*state;		/* folder */
	char			*contact;	/* into the User-Agent; or NULL */
	char			*listen;	/* "127.0.0.1:8080"; NULL: no serve role */
	char			*base;		/* public address; "" */
	char			*ca;
	char			*proxies;	/* addresses, a space between; "" */
	int			 metrics;
	int			 private_ok;	/* fetch from loopback and private nets */
	char			**files;	/* folders below which file: may read; real paths */
	size_t			 nfiles;
	char			**plugin_dirs;	/* besides the daemon's own, which comes first */
	size_t			 nplugin_dirs;
	char			**allow;	/* KIND_NAME: may have what it wants beyond HTTP */
	size_t			 nallow;
	struct instance		**instances;
	size_t			 ninstances;
	struct check		*checks;	/* until setup_checked() */
	size_t			 nchecks;
	struct source		*sources;
	size_t			 nsources;
	struct route		*routes;
	size_t			 nroutes;
	struct host_limit	*hosts;
	size_t			 nhosts;
	uint32_t		 at_once, total;
	uint32_t		 workers;	/* parse workers busy at once */
	int64_t			 spacing, fetch_timeout;
	int64_t			 job_deadline, job_cpu;		/* ms, of a worker's job */
	uint64_t		 max_body, worker_memory;
};

/* Reads the part that is needed before plugins are known: state, user, plugins. NULL: mistakes in
 * it, and of the rest those that show without plugins. Other mistakes are told by setup_read(),
 * with all the rest: it fails when there is any, so that one list holds all. */
struct setup	*setup_open(const char *file, struct mistakes *, struct node **tree);
/* The same of the text that a good setup was read from: for plugins that changed meanwhile. */
struct setup	*setup_again(const struct setup *, struct mistakes *, struct node **tree);
/* The rest, against the catalog, which has to outlive the setup. 0, or -1 and the mistakes; in either
 * case check.h is to ask the plugins next, and then setup_checked() to be called. Frees the tree. What a plugin is missing for is no mistake (instance->waiting), but told with those
 * that are. */
int		 setup_read(struct setup *, struct node *tree, const struct catalog *,
		    struct mistakes *);
void		 setup_free(struct setup *);
/* Adds a line for each plugin that something waits for; returns how many. */
size_t		 setup_waiting(const struct setup *, struct buf *);
/* Of what a plugin is asked: its options, secrets as `grants` (enum cr_wants) lets it see them. */
void		 setup_check_options(const struct setup *, const struct check *, uint32_t grants,
		    struct buf *);
/* said: NULL, or why not; fault: why it cannot be told. Copied, without the secrets in it. */
void		 setup_check_answer(struct setup *, struct check *, const char *said, int fault);
/* Once all is answered: what plugins do not take are mistakes, told beside those that there are. Where
 * the plugin is new rather than the configuration, or could not be asked, it waits instead. */
void		 setup_checked(struct setup *, struct mistakes *);
/* Tells among the mistakes what waits for a plugin: a name mistyped, perhaps. */
void		 setup_mistaken(const struct setup *, struct mistakes *);
/* Whether the operator lets the plugin have all that it wants. */
int		 setup_allows(const struct setup *, const struct plugin *);
/* What it may have, as enum cr_wants: HTTP and a folder always; its secrets too when it comes with
 * the daemon; all that it wants when the operator allows it. */
uint32_t	 setup_grants(const struct setup *, const struct plugin *);

/* The options of a source's job: its instance's, with {each} filled in, secrets as stand-ins.
 * NAME\0VALUE\0... appended to buf. */
void		 setup_source_options(const struct source *, struct buf *);
/* The same for one that may have what is granted: with CR_SECRETS the secrets themselves. */
void		 setup_source_granted(const struct source *, uint32_t grants, struct buf *);
/* The same of any instance; secrets: the secrets themselves, for a plugin that may have them. */
void		 instance_options(const struct instance *, int secrets, struct buf *);
/* What a poll asks for, secrets filled in: for fetch alone, never shown. headers: the plugin's,
 * "Name: value\n" lines. */
void		 setup_source_request(const struct source *, struct buf *url, struct buf *headers);
/* Text that a plugin made of its options (a URL, headers): stand-ins become secrets. To be done
 * only for requests to the origin of the source's url. And back, for what an answer repeats. */
void		 setup_reveal(const struct instance *, const char *text, struct buf *);
void		 setup_conceal(const struct instance *, const char *text, size_t len, struct buf *);
/* The secrets and their stand-ins, as veil.h takes them: for what fetch looks through. */
void		 setup_veil(const struct instance *, struct buf *);
/* Text that is kept: a secret stands there as the bytes 1, NAME, 1, which no page can name, since no
 * text of a plugin holds them, and which outlive the stand-ins. unkeep: fills the secrets in, to be
 * done only for requests to the origin of the source's url; url: escaped for one. How many it filled
 * in, or -1: there is no secret of a name. show: for people, {secret:NAME}. */
void		 setup_keep(const struct instance *, const char *text, struct buf *);
int		 setup_unkeep(const struct instance *, const char *text, int url, struct buf *);
void		 setup_show(const char *text, struct buf *);
#endif
