/* Reading instances, which are plugins with their options, and what happens on mistakes in them. */
#ifndef CORE_SETUP_INSTANCE_H
#define CORE_SETUP_INSTANCE_H
#include "setup_reader.h"

/* Stands around the reading of one preset, source, filter or sink. When the setup is made again
 * (setup->again), its mistakes are dropped: attempt_failed() then returns 1, with the reason in
 * reader->held, and the caller reads it once more, without the plugin. Otherwise attempt_failed()
 * returns 0, and mistakes stay mistakes. */
struct attempt {
	struct mistakes	*mistakes, own;
	size_t		 nchecks;
	char		 where[320];
};
void	 attempt_begin(struct setup_reader *, struct attempt *);
int	 attempt_failed(struct setup_reader *, struct attempt *);

/* Finds the plugin in the catalog; sets name, line, and plugin or waiting. */
void	 instance_begin(struct setup_reader *, struct instance *, const char *kind, const char *name,
	    int line);
/* Reads one option: of the table `own` into `mine`, the plugin's into the instance. 0: neither has it. */
int	 instance_value(struct setup_reader *, struct instance *, const struct cr_option *own,
	    const struct node *, struct options *mine);
/* Reads the options in a map (NULL: none): those of the table `own` into `mine`, the plugin's into
 * the instance; then takes from the preset those that the map does not give. */
void	 instance_read(struct setup_reader *, struct instance *, const char *kind, const struct node *map,
	    const struct cr_option *own, struct options *mine);
/* Moves the instance into the setup, and returns the setup's. share: if the setup has an equal one,
 * clears this one and returns that. */
struct instance *instance_intern(struct setup_reader *, struct instance *, int share);
/* A deep copy, to be given to instance_intern(). */
struct instance instance_copy(const struct instance *);
/* The plugin's entry in `defaults`; NULL: it has none. */
const struct preset *preset_find(const struct setup_reader *, const char *kind, const char *name);
#endif
