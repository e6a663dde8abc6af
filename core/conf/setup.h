/* The setup: a configuration as read, its settings, sources and routes, with every option checked.
 * many. */
#ifndef CORE_SETUP_H
#define CORE_SETUP_H
#include "base/calendar.h"
#include "conf.h"
#include "base/arena.h"
#include "catalog/catalog.h"
#include "catalog/plugin.h"
#include "ipc/msg.h"

#include <stdint.h>

#define SETUP_SOURCES	200000
#define SETUP_ROUTES	1000
#define SETUP_SINKS	16		/* sinks of one route */
#define SETUP_FILTERS	64		/* filters of one route */
#define SETUP_PREFER	1000		/* sources that a route prefers */
#define SETUP_GROUPS	4		/* nesting depth of groups of filters */
#define SETUP_DRAWS	10000000	/* sources that routes draw from, summed over the routes */
#define SETUP_PAGES	10		/* pages of one poll: default of `pages` */
#define SETUP_KEEP	50		/* records of a list: default of `keep` */
#define SETUP_NAME_MAX	200		/* bytes of a source's or route's name */
/* The daemon's own name, which no source, group or route may have; and those of its own sources. */
#define SETUP_OWN	"courant"
#define SETUP_TROUBLE	SETUP_OWN "/trouble"
#define SETUP_TOP	SETUP_OWN "/top"

/* Default range of `every`, in ms: the daemon learns an interval within. */
#define SCHEDULE_EVERY_MIN	(30 * INT64_C(60000))
#define SCHEDULE_EVERY_MAX	(24 * INT64_C(3600000))

/* A plugin with its options; sources with equal options share one instance. */
struct instance {
	const struct plugin	*plugin;	/* NULL: missing or refused */
	char			*name;		/* of the plugin, as written */
	char			*waiting;	/* "waiting for plugin source_x: why": the plugin
						 * is missing, refuses the options, or wants more
						 * than is granted; NULL: the instance can work */
	struct options		 options;	/* NAME_file resolved, {each} not yet; secrets as
						 * stand-ins, which are new with each setup */
	struct option_value	*secrets;	/* values of options of the type secret */
	size_t			 nsecrets;
	struct option_value	*logins;	/* origin and "user:password", from URLs: sent as a
						 * header to that origin alone, never shown */
	size_t			 nlogins;
	int			 inline_secret;	/* a secret is in the configuration itself */
	int			 asked;		/* setup->checks has the instance already */
	int			 line;
};
/* Options for a plugin's check(), and its answer. */
struct check {
	struct instance	*instance;
	uint32_t	 source;	/* place of the source whose {each} is filled in;
					 * UINT32_MAX: {each} is not filled in */
	int		 line;
	int		 brought;	/* options of a default source of the plugin */
	const char	*file;
	const char	*where;		/* "source x: " */
	uint64_t	 mark;		/* hash of the plugin's copy, its grants and the options */
	int		 answered;
	int		 fault;		/* the plugin could not be asked: said tells why */
	const char	*said;		/* why the plugin refuses the options; NULL: it does not */
};
struct source {
	char			*name;		/* GROUP/ENTRY or NAME */
	char			*url;		/* "": plugin plans or streams. file:///PATH with
						 * escapes as written. Secrets as {secret:NAME}:
						 * setup_source_request() fills them in */
	const char		*each;		/* the entry, points into name; NULL: no `each` */
	char			*was;		/* former name; NULL */
	struct instance		*instance;
	int64_t			 every_min, every_max;	/* ms; equal: a fixed interval */
	uint64_t		 hash;		/* of all that results depend on: plugin, url,
						 * options, secrets */
	int			 line;
	uint64_t		 hour_records, hour_bytes;	/* that it may bring in an hour */
	uint32_t		 pages;		/* maximum of one poll */
	uint32_t		 strip;		/* 1: beacons are taken out of its HTML */
	double			 weight;	/* of its mentions in a story's heat; 0: none */
	int			 counters;	/* its counters are believed */
	int			 own;		/* the daemon itself makes its records: it is never
						 * polled, and its instance has no plugin */
};
/* rule: the plugin and its place in the list, behind those of the group that the filter is in:
 * "any#2/match#1". Filters of one group follow each other. */
struct filter { struct instance *instance; char *rule; };
struct sink {
	struct instance		*instance;
	char			*name;		/* PLUGIN; PLUGIN#2 for its second in the route */
	enum backlog		 backlog;
	int64_t			 backlog_n;
	uint32_t		 keep;		/* records of a list; 0: the sink takes no lists */
	int			 order;		/* of a list: enum list_order */
	char			*number;	/* of ORDER_NUMBER; NULL */
	int64_t			 every;		/* ms between two rankings of a list */
	int			 unordered;	/* ordered: no */
	int			 mail;		/* it writes mail to readers */
	struct bytes		 readers;	/* the fixed ones: KEY\0ADDRESS\0... */
	int64_t			 expiry;	/* ms for which a message is tried */
	int			 subscribe;	/* readers can subscribe to it */
	int			 path_line;	/* of its option `path` */
};
/* When a route's records are sealed into editions, and which of them. */
struct edition {
	struct calendar		 calendar;
	int64_t			 late;		/* ms after which a missed one is not made up for */
	int			 order;		/* enum list_order */
	char			*number;	/* of ORDER_NUMBER; NULL */
	uint32_t		 top;		/* records; 0: all */
	enum edition_group	 group;
	int64_t			 among;		/* ms */
	int			 send_empty;	/* one without a record is sealed, too */
	uint32_t		 archive;	/* editions that are kept; 0: all */
};
/* A route with `edition` is two: one of its name, which has its sinks, and the one from which that draws,
 * NAME SETUP_CANDIDATES, with its sources and filters. */
#define SETUP_CANDIDATES	"/candidates"
struct route {
	char			*name, *title;
	struct edition		*edition;	/* owned; NULL: none */
	int			 all;		/* from: ["*"] */
	uint32_t		*from;		/* places in setup->sources */
	size_t			 nfrom;
	uint32_t		*prefer;	/* places in setup->sources: of a story's face */
	size_t			 nprefer;
	uint32_t		*routes;	/* places in setup->routes, all before this one */
	size_t			 nroutes;
	struct filter		*filters;
	size_t			 nfilters;
	struct sink		*sinks;
	size_t			 nsinks;
	int			 once_record, updates;
	int			 trouble;	/* draws from SETUP_TROUBLE, maybe through others */
	int64_t			 patience;	/* ms */
	int			 line;
};
/* `mail`: the server that takes mail for others, and from whom mail is. server NULL: there is none. */
struct mail_conf {
	char			*server;	/* smtp://HOST:PORT or smtps://HOST:PORT */
	char			*user;		/* NULL: no login */
	char			*password;	/* or the token; NULL. Cleared by setup_free() */
	int			 token;		/* password is an OAuth 2 token */
	int			 plain;		/* the server is loopback, and STARTTLS is not asked for */
	char			*from;		/* the address, in ASCII */
	char			*from_name;	/* before it, in UTF-8; "" */
	char			*hello;		/* the name in EHLO */
	char			*bounces;	/* the envelope's sender: `from` unless given */
	char			*leave;		/* takes mails of who wants no more; NULL */
	uint32_t		 at_once;	/* connections */
	uint32_t		 per_connection;	/* messages of one, at most */
	uint32_t		 rate;		/* messages in rate_ms, spread over it; 0: any number */
	int64_t			 rate_ms;
	int			 inline_secret;	/* the password is in the configuration itself */
	int			 line;
};
struct host_limit { char *host; uint32_t at_once; int64_t spacing; };	/* spacing: ms */

struct setup {
	struct arena		 memory;	/* of all strings here */
	char			*file;		/* path of the configuration */
	char			*folder;	/* of the configuration: base of relative paths */
	char			*text;		/* of the configuration, as it was read */
	size_t			 text_len;
	int			 again;		/* made by setup_again(): a mistake is the fault of
						 * a changed plugin, and the instance waits */
	char			 nonce[17];	/* in stand-ins, so that no page can contain one */
	char			*user;		/* to run as, when started as root; or NULL */
	char			*state;		/* folder */
	char			*contact;	/* for the User-Agent; or NULL */
	char			*listen;	/* "127.0.0.1:8080"; NULL: no serve role */
	char			*base;		/* public address of the outputs; "" */
	char			*title, *zone;	/* of the pages; zone: as in zone.h */
	char			*ca;		/* file of certificates; NULL: the system's */
	char			*proxies;	/* addresses, a space between; "" */
	struct store_heat	 heat;		/* top: 0 unless a route draws from SETUP_TOP */
	int			 metrics, serve_line;
	uint32_t		 top_n;		/* the first so many are the top */
	int			 private_ok;	/* fetch from loopback and private nets */
	char			**files;	/* folders below which file: may read; real paths */
	size_t			 nfiles;
	char			**plugin_dirs;	/* scanned after the daemon's own folder */
	size_t			 nplugin_dirs;
	char			**allow;	/* KIND_NAME of plugins that get all they want */
	size_t			 nallow;
	struct instance		**instances;
	size_t			 ninstances;
	struct check		*checks;	/* freed by setup_checked() */
	size_t			 nchecks;
	struct source		*sources;
	size_t			 nsources;
	uint32_t		 top;		/* likewise of SETUP_TOP */
	uint32_t		 trouble;	/* place of SETUP_TROUBLE; UINT32_MAX: no route draws
						 * from it */
	struct route		*routes;
	size_t			 nroutes;
	struct host_limit	*hosts;
	size_t			 nhosts;
	uint32_t		 at_once, total;	/* connections to a host, and in all */
	uint32_t		 workers;	/* parse workers busy at once */
	int64_t			 spacing, fetch_timeout;	/* ms */
	int64_t			 job_deadline, job_cpu;		/* ms, of a worker's job */
	uint64_t		 max_body, worker_memory;	/* bytes */
	uint64_t		 all_memory;	/* bytes, of all workers together */
	uint64_t		 hour_records, hour_bytes;	/* of a source that says no other */
	uint64_t		 disk_free;	/* bytes on the disk of `state` */
	struct mail_conf	 mail;
};

/* An empty setup of the configuration at `file`: with its path, its folder, and a new nonce. */
struct setup	*setup_new(const char *file);
void		 setup_free(struct setup *);	/* clears its instances, too; NULL is fine */
/* Adds a copy of the instance to the setup, which takes over all that it owns. The address returned
 * stays valid as long as the setup. */
struct instance	*setup_instance(struct setup *, const struct instance *);

/* Frees what an instance owns: options, secrets, logins; not its name, which is the setup's. */
void		 instance_clear(struct instance *);
/* The options that its plugin has; NULL: the plugin has none, or is missing. */
const struct cr_option *plugin_options(const struct instance *);
/* The value of an option of the type secret; NULL: it has none. */
const char	*instance_secret(const struct instance *, const char *name);
/* The "user:password" for the origin of this URL, from a URL of the instance; or NULL. */
const char	*instance_login(const struct instance *, const char *url);
/* Adds a copy of login for the origin of url; nothing if url has no origin. */
void		 instance_add_login(struct instance *, const char *url, const char *login);
/* Frees the lists of a route; not its strings and instances, which are the setup's. */
/* Of the kinds of batches that the sink takes, the one that the route gives it: enum cr_kind. */
uint32_t setup_gives(const struct route *, const struct sink *);
/* Whether the sink writes the archive of its route's editions, below ARCHIVE_FOLDER of the output folder; whether
 * a route with editions has such a sink. */
#define ARCHIVE_FOLDER	"edition"
int	sink_archives(const struct sink *);
int	setup_archives(const struct route *);
void		 route_clear(struct route *);
/* Whether the source's plugin streams records, rather than being polled. */
static inline int
source_streams(const struct source *s)
{
	return s->instance->plugin != NULL && (s->instance->plugin->does & DOES_STREAM) != 0;
}

/* Appends a line for each reason why instances wait; returns how many. */
size_t		 setup_waiting(const struct setup *, struct buf *);
/* Adds the same reasons to the mistakes: the name of a missing plugin may be mistyped. */
void		 setup_mistaken(const struct setup *, struct mistakes *);
int		 setup_subscribed(const struct route *);	/* readers can subscribe to one of its sinks */
/* Appends a warning, a line, for each thing that is configured and will not do what one may expect; returns how
 * many. */
size_t		 setup_warnings(const struct setup *, struct buf *);
/* The grants of a plugin, enum cr_wants. Of what it wants: HTTP and a folder always; secrets if it
 * comes with the daemon; all if `allow` names it. */
uint32_t	 setup_grants(const struct setup *, const struct plugin *);
#endif
