/* Reads values of a configuration, inline or from files, by tables of options. */
#ifndef CORE_SETUP_VALUE_H
#define CORE_SETUP_VALUE_H
#include "setup_reader.h"

#define SETUP_TEXT_FILE	(4u << 20)	/* bytes of a file of values */

/* Adds a mistake in the file being read, behind reader->where. */
void	 wrong(struct setup_reader *, int line, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
char	*text_copy(struct setup_reader *, const char *);	/* in the setup's memory; NULL stays */
/* The path, made absolute by the configuration's folder; in the setup's memory. */
char	*setup_path(struct setup_reader *, const char *path);
/* Reads a text file, without byte order marks and with CR removed from line ends; freed by the
 * caller. secret: the file must not be accessible to others, nor writable by its group. On failure
 * NULL, and a mistake. */
char	*text_file(struct setup_reader *, int line, const char *path, int secret);

/* Checks the node's values and adds them to `to`, if its key is an option of the table, NAME_file
 * of one, or a map of options that begin alike (`auth:`). 1, mistakes or not; 0: no such option. */
int	 value_read(struct setup_reader *, const struct cr_option *table, const struct node *,
	    struct options *to);
/* Adds a mistake: an unknown key, with the nearest option of the tables (each may be NULL). */
void	 value_unknown(struct setup_reader *, const struct node *, const struct cr_option *,
	    const struct cr_option *);
/* Reads a map of options, all of which have defaults, into a zeroed struct: see option_fill(). Keys
 * that are in `nodes` are left to the caller. given (NULL is fine): gets the values that were
 * given; freed by the caller. */
void	 section_read(struct setup_reader *, const struct node *map, const struct cr_option *table,
	    const struct cr_option *nodes, void *to, size_t size, struct options *given);
/* The zone that `tz` says, or the machine's if it says none; a mistake if there is no such zone. In the setup's
 * memory. */
char	*zone_read(struct setup_reader *, const char *tz, int line);
/* 1: the node is a map, or empty; 0, and a mistake: it is not. */
int	 is_map(struct setup_reader *, const struct node *, const char *what);
#endif
