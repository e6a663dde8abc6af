/* Strict YAML as a tree that knows its lines: block and flow maps, lists, scalars; no anchors,
 * tags, aliases, duplicate keys or further documents. Scalars stay text. */
#ifndef CORE_CONF_H
#define CORE_CONF_H
#include "buf.h"

#include <stddef.h>

#define CONF_DEPTH	32		/* of nested maps and lists */
#define CONF_NODES	2000000		/* in one file */
#define CONF_FILE_MAX	(64u << 20)	/* bytes */
#define CONF_MISTAKES	100		/* shown; the rest is counted */
#define CONF_MISTAKE	600		/* bytes of one */

enum conf_kind { CONF_SCALAR, CONF_MAP, CONF_LIST };
struct node {
	struct node	*next;		/* its sibling */
	struct node	*child;		/* first of a map or list */
	char		*key;		/* in a map; else NULL */
	char *text; /* of a scalar; NULL for an empty one (`key:`, not `key: ""`) */
	int		 kind;		/* enum conf_kind */
	int		 line;		/* of its key, or where it begins */
};

/* All mistakes of a configuration, one a line: `file:line: what`, those of a file by line. Shown
 * are the first CONF_MISTAKES that were made; n counts all. */
struct mistakes {
	struct buf	 text;
	size_t		 n;
	int		 lines[CONF_MISTAKES];	/* of those in text */
};
void		 mistakes_init(struct mistakes *);
void		 mistakes_free(struct mistakes *);
/* line 0: of the file as a whole. Control characters of the text come out as '?'. */
void		 mistake(struct mistakes *, const char *file, int line, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));

/* NULL when it cannot be read or is no such YAML: the mistakes say so. An empty file is an empty
 * map. */
struct node	*conf_load(const char *file, struct mistakes *);
/* The file's text, freed by the caller; NULL and a mistake. */
char		*conf_text(const char *file, size_t *len, struct mistakes *);
/* The same of a text; `name` stands for the file in mistakes. */
struct node	*conf_parse(const char *name, const char *text, size_t len, struct mistakes *);
void		 conf_free(struct node *);	/* a whole tree by its root; NULL is fine */
struct node	*conf_get(const struct node *map, const char *key);	/* or NULL */
#endif
