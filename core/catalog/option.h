/* Typed options of plugins: the descriptor's table, the values in the configuration, and the struct
 * that a callback gets. conf/ checks values, the worker fills the struct. */
#ifndef CORE_OPTION_H
#define CORE_OPTION_H
#include "base/buf.h"
#include "ipc/wire.h"

#include <courant/plugin.h>

#define OPTION_MAX	128		/* options of one plugin */
#define OPTION_VALUE_MAX (64u << 10)	/* bytes of one value */
#define OPTION_SET_MAX	(256u << 10)	/* bytes of all values of one instance */

/* Values of one instance, as text, in the order of the configuration. A list has one entry a value,
 * an empty list the one entry "". A secret may have several, too: the struct gets them as lines. */
struct option_value { char *name, *value; };
struct options {
	struct option_value	*v;
	size_t			 n;
};
void	 options_add(struct options *, const char *name, const char *value);
void	 options_free(struct options *);
const char *options_get(const struct options *, const char *name);	/* the first, or NULL */
void	 options_write(const struct options *, struct buf *);		/* NAME\0VALUE\0... */
int	 options_read(struct options *, struct bytes);			/* -1: malformed */

/* 0: text is a value of the option (one value of a list). -1: it is not, and err has the reason,
 * one line for people: `every: "5 mni" is no duration; say 30 s, 5 min, 2 h, 7 d`, without the
 * value of a secret. "" is a value where it is the default, and of every text option with a
 * default. */
int	 option_check(const struct cr_option *, const char *text, struct buf *err);
/* Adds the values that the option takes, in words: "a duration such as 30 s, 5 min, 2 h, 7 d"; "a
 * duration in 1 s..1 h". */
void	 option_takes(const struct cr_option *, struct buf *);
const char *option_type_name(int type);	/* "duration"; NULL: no such type */
/* Units: ms s min h d w; B kB MB GB (1000), KiB MiB GiB; only 0 may lack one. -1: no such value. */
int	 option_duration(const char *, int64_t *ms);
int	 option_size(const char *, int64_t *bytes);
int	 option_bool(const char *);		/* yes true on 1 / no false off 0; -1: neither */

const struct cr_option *option_find(const struct cr_option *, const char *name); /* or NULL */
/* Checks a descriptor's table for a struct of `size` bytes: names, types, ranges, members
 * that lie inside the struct and do not overlap, defaults that pass option_check(). The
 * default of a list is its values with | between them, its range the values that it may
 * hold. 0, or -1 and why in err. */
int	 option_table(const struct cr_option *, size_t size, struct buf *err);

/* Fills a zeroed struct of `size` bytes by the table: defaults, then the values. option_unfill()
 * frees what it allocates. -1 and why: a bad value (option_check()), an unknown name, a second
 * value of an option that is no list, or a required option without a value; the struct is then
 * empty. */
int	 option_fill(const struct cr_option *, void *opts, size_t size, const struct options *,
	    struct buf *err);
void	 option_unfill(const struct cr_option *, void *opts);

/* The name of n that is nearest to `written`, for "did you mean"; NULL: none is near. */
const char *option_nearest(const char *written, const char *const *names, size_t n);
#endif
