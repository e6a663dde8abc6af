/* Strict YAML, parsed into a tree of nodes with line numbers: block and flow maps, lists, scalars;
 * no anchors, tags, aliases, duplicate keys or further documents. Scalars stay text. */
#ifndef CORE_CONF_H
#define CORE_CONF_H
#include "base/buf.h"

#include <stddef.h>

#define CONF_DEPTH	32		/* of nested maps and lists */
#define CONF_NODES	2000000		/* in one file */
#define CONF_FILE_MAX	(64u << 20)	/* bytes */
#define CONF_MISTAKES	100		/* listed; further ones are only counted */
#define CONF_MISTAKE	600		/* bytes of one line of the list */

enum conf_kind { CONF_SCALAR, CONF_MAP, CONF_LIST };
struct node {
	struct node	*next;		/* sibling */
	struct node	*child;		/* first member of a map or list */
	char		*key;		/* of a member of a map; else NULL */
	char *text; /* of a scalar; NULL for an empty one (`key:`, not `key: ""`) */
	int		 kind;		/* enum conf_kind */
	int		 line;		/* of the key; without one, where the node begins */
};

/* The mistakes of a configuration, one a line, `file:line: what`; those of one file sorted by line.
 * text holds the first CONF_MISTAKES that were reported; n counts all. */
struct mistakes {
	struct buf	 text;
	size_t		 n;
	int		 lines[CONF_MISTAKES];	/* line numbers of those in text */
};
void		 mistakes_init(struct mistakes *);
void		 mistakes_free(struct mistakes *);
/* Adds a mistake. line 0: it concerns the file as a whole. What would steer a terminal (base/shown.h)
 * is replaced by '?'. */
void		 mistake(struct mistakes *, const char *file, int line, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));

/* Reads a file; the text is freed by the caller. On failure NULL, and a mistake. */
char		*conf_text(const char *file, size_t *len, struct mistakes *);
/* Parses a text into a tree, freed by conf_free(); an empty text is an empty map. On failure NULL,
 * and mistakes, with `name` as the file. */
struct node	*conf_parse(const char *name, const char *text, size_t len, struct mistakes *);
void		 conf_free(struct node *);	/* the root of a tree; NULL is fine */
struct node	*conf_get(const struct node *map, const char *key);	/* or NULL */
/* The line to report for a mistake in the value of `key`: that of the nth member (from 0) of a list
 * that has so many, else that of the key; `otherwise` when the map (or NULL) lacks the key. */
int		 conf_line(const struct node *map, const char *key, size_t nth, int otherwise);
#endif
