/* State that the files setup_*.c share while they read a configuration. */
#ifndef CORE_SETUP_READER_H
#define CORE_SETUP_READER_H
#include "setup.h"

struct digest;

/* A plugin's entry in `defaults`. */
struct preset {
	char		*name;		/* KIND_NAME */
	struct instance	 instance;	/* with the plugin's options */
	struct options	 own;		/* options that the daemon handles: every, keep... */
	struct options	 start;		/* autostart */
	const char	*held;		/* why all instances of the plugin wait; or NULL */
};

struct setup_reader {
	struct setup		*setup;
	struct mistakes		*mistakes;
	const struct catalog	*catalog;	/* NULL: not scanned yet; every plugin waits */
	const char		*file;		/* of the nodes being read, for mistakes */
	int			 brought;	/* a plugin's default source is being read */
	int			 backlog_line;	/* of the route's own `backlog` */
	int			 inline_secret;	/* a secret was read that is written in the
						 * configuration itself, not in a file */
	int			 each;		/* the source has `each`: values may have {each} */
	char			 where[320];	/* "source x: ", put before each mistake */
	const char		*held;		/* why to read without the plugin; or NULL */
	struct preset		*presets;
	size_t			 npresets;
	struct digest		*digest;

	/* Sources, while more are being added. */
	size_t			 room;		/* allocated in setup->sources and files */
	const char		**files;	/* parallel to setup->sources: the file of each */
	uint32_t		*by_name;	/* places in setup->sources, sorted by name */
	size_t			 nby_name;	/* of them: all but the daemon's own */
	struct instance		**shared;	/* hash table of instances, a power of two */
	uint64_t		*shared_hash;
	size_t			 nshared, shared_room;
	const struct node	*named;		/* the map `sources` */
	const struct node	*routes;	/* the map `routes` */
};
#endif
