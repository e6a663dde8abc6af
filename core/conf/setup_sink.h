/* Reading the sinks of routes, and the files that sinks write. */
#ifndef CORE_SETUP_SINK_H
#define CORE_SETUP_SINK_H
#include "setup.h"

struct setup_reader;

#define OUTPUT_FILES	16		/* of one sink */
/* The files that a sink writes, named below the folder of outputs: its option `path`; if its plugin
 * has an option `formats` with a range, `path`.FORMAT for each format. The names are owned. */
struct output_files { char *name[OUTPUT_FILES]; size_t n; };

/* Fills in the files of a sink; none if it writes no files, or its plugin is missing. */
void	 setup_outputs(const struct instance *, struct output_files *);
void	 output_files_free(struct output_files *);

extern const struct cr_option sink_own[];	/* options of any sink, besides its plugin's */
/* Reads one sink into the route; the node's key is the plugin. backlog: the route's option, or
 * NULL. */
void	 sink_read(struct setup_reader *, struct route *, const struct node *, const char *backlog);
/* Adds a mistake for each two sinks that write the same file; to be called once all routes are in
 * the setup. */
void	 outputs_check(struct setup_reader *);

/* Parses `order`, of a list or an edition: enum list_order, and of ORDER_NUMBER the name of a number. -1: it
 * is no word of ours, and cannot be the name of a number. */
int	list_order_parse(struct setup_reader *, const char *, int *order, char **number);
#define LIST_ORDER_WRONG	"order: \"%s\" is not published, seen, heat, score, sources or the name of " \
	"a number such as votes"
#endif
