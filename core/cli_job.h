/* What `courant parse`, `fetch` and `filter` share: one plugin, its options as a configuration gives
 * them, and the sandboxed worker that it runs in. */
#ifndef CORE_CLI_JOB_H
#define CORE_CLI_JOB_H
#include "catalog.h"
#include "child.h"
#include "msg.h"
#include "setup.h"

#define CLI_DEADLINE	30000		/* ms for one job */
#define CLI_MEMORY	(512u << 20)	/* bytes of the worker */
#define CLI_OUT		(256u << 20)	/* bytes of its results */

struct cli_job {
	struct catalog		*catalog;
	const struct plugin	*plugin;
	struct options		 given;		/* by -o */
	struct setup		*settings;	/* of the daemon's configuration; NULL: there is none */
	struct setup		*setup;		/* of this plugin with these options alone */
	struct child		 child;
	struct chan		*chan;		/* NULL: no worker runs */
};

/* -o NAME=VALUE; misspelt, the program ends. */
void	cli_option(struct cli_job *, char *text);
/* The plugin by its file, or by its name among those that the daemon finds. Says what is wrong and
 * ends the program when there is none of that kind ("source", "filter"). */
void	cli_plugin(struct cli_job *, const char *kind, const char *which);
/* Reads the options as the daemon reads a configuration: NAME_file, types, ranges. url: of a source;
 * NULL: the plugin's own. Says what is wrong and ends the program. */
void	cli_setup(struct cli_job *, const char *url);

/* Starts the worker; options: of a filter. */
void	cli_start(struct cli_job *, enum w_mode, struct bytes options);
/* Waits for a frame of that type. 0, or -1 and why; the worker is then gone. */
int	cli_wait(struct cli_job *, uint16_t type, struct frame *, struct buf *why);
/* Ends it, and says in why (or NULL) how it ended. */
void	cli_stop(struct cli_job *, struct buf *why);
void	cli_free(struct cli_job *);
#endif
