/* Shared by `courant parse`, `fetch` and `filter`: one plugin, its options, read as the daemon
 * reads a configuration, and the sandboxed worker that it runs in. */
#ifndef CORE_CLI_JOB_H
#define CORE_CLI_JOB_H
#include "catalog/catalog.h"
#include "conf/setup.h"
#include "ipc/child.h"
#include "ipc/msg.h"
#include "record/verify.h"

#define CLI_DEADLINE	30000		/* ms for one job */
#define CLI_MEMORY	(512u << 20)	/* bytes of the worker's address space */
#define CLI_OUT		(256u << 20)	/* bytes of a job's results */
#define CLI_LINES	2000		/* lines that the worker says of a job; others are not shown */

struct cli_job {
	struct catalog		*catalog;
	const struct plugin	*plugin;
	const char		*name;		/* of what runs, for people */
	struct options		 given;		/* by -o */
	struct setup		*settings;	/* of the daemon's configuration; NULL: no file */
	struct setup		*setup;		/* of this plugin with the options given, alone */
	uint32_t		 grants;	/* of a sink: enum cr_wants */
	const char		*folder;	/* with CR_FILES: the worker's; borrowed */
	struct child		 child;
	struct child_output	 output;	/* of the worker */
	struct chan		*chan;		/* NULL: no worker runs */
	int			 ready;		/* it sent MSG_READY */
	unsigned		 forged;	/* records that cli_verified() refused */
};

/* The settings at the top of the daemon's configuration alone: for `sources` and `routes` all plugins
 * would have to be scanned. NULL: there is none. On mistakes prints them and ends the program with
 * 1. */
struct setup *cli_settings(void);
/* The daemon's whole configuration, read without its plugins: the setup is job->settings. Root is given
 * up before. Without a configuration, or if it has mistakes, prints why and ends the program with 1. */
const struct setup *cli_configuration(struct cli_job *);
/* Adds the option of -o NAME=VALUE; text is modified. Without a =, ends the program with 2. */
void	cli_option(struct cli_job *, char *text);
/* Finds the plugin of that kind ("source", "filter", "sink") by its file, or by its name in the daemon's
 * plugin folders, and puts it into the job. Root is given up before. On failure prints why and ends the program with 1. */
void	cli_plugin(struct cli_job *, const char *kind, const char *which);
/* The source of that name in the daemon's configuration; its plugin goes into the job. NULL: there
 * is no such source. If the configuration has mistakes, or the source's plugin is missing, prints
 * which and ends the program with 1. */
const struct source *cli_source(struct cli_job *, const char *name);
/* The route of that name in the daemon's configuration, whose plugins go into the job. If there is
 * none, if the configuration has mistakes, or if a filter's plugin is missing, prints which and ends
 * the program with 1. */
const struct route *cli_route(struct cli_job *, const char *name);
/* Reads the options given into job->setup as the daemon reads a configuration: NAME_file, types,
 * ranges. url: of a source; NULL: the plugin's own. On mistakes prints them and ends the program
 * with 1. */
void	cli_setup(struct cli_job *, const char *url);

/* Starts the worker; options: of a filter or sink, NAME\0VALUE\0...; otherwise empty. */
void	cli_start(struct cli_job *, enum w_mode, struct bytes options);
/* Starts a worker with all filters of a route. */
void	cli_start_route(struct cli_job *, const struct route *);
/* Waits up to CLI_DEADLINE for a frame of that type. 0; or -1, the reason in why, and the worker is
 * stopped. */
int	cli_wait(struct cli_job *, uint16_t type, struct frame *, struct buf *why);
/* Stops the worker, if one runs, and appends to why (or NULL) how it ended. */
void	cli_stop(struct cli_job *, struct buf *why);
/* Whether a record, or a filter's changes, is one that the worker's host writes, as the daemon does
 * (record/verify.h); if not, prints why. n: the record's place, from 1. */
int	cli_verified(struct cli_job *, struct bytes, enum verify_as, size_t n);
void	cli_free(struct cli_job *);
#endif
