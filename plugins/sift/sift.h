/* What the filters share: the texts of a record by the names of its fields, words and phrases found
 * in them whatever their case, regular expressions that cannot run away, conditions on numbers.
 * Nothing here knows the daemon but by <courant/plugin.h>. */
#ifndef SIFT_SIFT_H
#define SIFT_SIFT_H
#include <courant/plugin.h>

#include <stddef.h>
#include <stdint.h>

#define SIFT_TERMS	20000		/* words and phrases of one list */
#define SIFT_PATTERNS	1000		/* regular expressions of one list */
#define SIFT_WHY	400		/* bytes of a complaint or a reason, with its NUL */
#define SIFT_AROUND	32		/* bytes shown before and after what was found */
#define SIFT_STEPS	8000000		/* of one regular expression from one place in a text */
#define SIFT_CPU	500		/* ms of one regular expression on one text */
#define SIFT_MADE	(1u << 20)	/* bytes of a text that is made */
#define SIFT_HEAP	16384		/* KiB of it */

/* ---- rules.c: what a filter makes of its options ---- */
struct rules_kind {
	size_t	size;			/* of what it makes; zeroed before read() */
	size_t	at;			/* where its options have the pointer to that */
	/* The option that is wrong, and why without its name; NULL: all is read. */
	const char *(*read)(void *rules, const void *opts, char why[SIFT_WHY]);
	void	(*clear)(void *rules);	/* frees what read() made, as far as it came */
};
int	 rules_check(const struct rules_kind *, struct cr *, const void *opts);
int	 rules_open(const struct rules_kind *, struct cr *, void *opts);
void	 rules_close(const struct rules_kind *, void *opts);
/* What the descriptor of a filter of that kind names: filter_check(), which makes the rules and
 * forgets them, filter_open() and filter_close(). The first two: 0, or -1 when fail() was called. */
#define RULES_PLUGIN(kind) \
	static int \
	filter_check(struct cr *cr, const void *opts) \
	{ \
		return rules_check(&(kind), cr, opts); \
	} \
	static int \
	filter_open(struct cr *cr, void *opts) \
	{ \
		return rules_open(&(kind), cr, opts); \
	} \
	static void \
	filter_close(struct cr *cr, void *opts) \
	{ \
		(void)cr; \
		rules_close(&(kind), opts); \
	}

/* ---- fields.c ---- */
struct field {
	const char	*name;		/* as configured */
	const char	*extra;		/* name of the extra; NULL: a field */
	int		 first, second;	/* enum cr_field; second 0: there is none */
	int		 list, html;
};
/* Reads a name: a field of records, `extra:NAME`, or the name of an extra. -1 and why: it is nearly
 * the name of a field. The name is borrowed. */
int	 field_read(struct field *, const char *name, char why[SIFT_WHY]);
/* All of them; *n of them, malloc()ed. NULL and why. */
struct field *fields_read(const char *const *names, size_t *n, char why[SIFT_WHY]);

/* The texts of one field of a record, one after the other, HTML as plain text. */
struct texts {
	struct cr		*cr;
	const struct cr_record	*rec;
	char			*made;	/* the text of HTML */
	size_t			 room;
};
/* The nth text (from 0); NULL: there are no more, or no memory. Borrowed until the next. */
const char *texts_at(struct texts *, const struct field *, size_t nth, size_t *len);
void	 texts_free(struct texts *);

/* ---- fold.c: a text as it is compared ---- */
/* Canonically decomposed, case folded, white space as single spaces; typographic apostrophes,
 * quotes and hyphens as the plain ones, full-width forms as ASCII; what has no width left out. */
struct folded {
	char		*text;
	uint8_t		*edge;		/* [i]: a word, or a sign, begins or ends before byte i */
	size_t		 len, room;
};
/* accents 0: without the marks of Latin, Greek and Cyrillic letters. -1: no memory. */
int	 fold_text(struct folded *, const char *, size_t len, int accents);
/* Where in the text the byte `at` of its folded form comes from. */
size_t	 fold_origin(const char *, size_t len, int accents, size_t at);
void	 fold_free(struct folded *);

/* ---- terms.c: many words and phrases in one pass ---- */
struct term {
	const char	*name;		/* as configured, borrowed */
	char		*text;		/* folded */
	size_t		 len;
	uint32_t	 hash;		/* of its first word */
	uint32_t	 next;		/* in its bucket: place + 1; 0: none */
};
struct terms {
	struct term	*v;
	size_t		 n, room;
	uint32_t	*bucket;	/* place + 1 */
	size_t		 mask;
	int		 accents;
};
/* A word, a phrase, or either in quotes. -1 and why. */
int	 terms_add(struct terms *, const char *name, char why[SIFT_WHY]);
int	 terms_ready(struct terms *);		/* all are in. -1: no memory */
void	 terms_free(struct terms *);
/* Calls hit for each place where one stands (and several may), until it returns other than 0. */
void	 terms_find(const struct terms *, const struct folded *,
	    int (*hit)(void *arg, size_t term, size_t at), void *arg);

/* ---- pattern.c ---- */
struct pattern;
/* PCRE2, caseless unless it says (?-i). NULL and why, with the place: "missing ) at 7". */
struct pattern *pattern_new(const char *, char why[SIFT_WHY]);
void	 pattern_free(struct pattern *);
/* The first match from `from` on: 1 and where, 0: none, -1: it was given up, being too much work. */
int	 pattern_find(struct pattern *, const char *, size_t len, size_t from, size_t *begin,
	    size_t *end);
size_t	 pattern_groups(const struct pattern *);	/* (...) in it; 0: none */
/* Where the nth group (0: all) of the last match lies; 0: it is not part of it. */
int	 pattern_group(const struct pattern *, size_t nth, size_t *begin, size_t *end);

/* ---- where.c: conditions on numbers ---- */
enum holds { HOLDS_NOT, HOLDS, HOLDS_UNKNOWN };
struct where {
	char	*name;			/* malloc()ed */
	double	 value;
	int	 op;
};
int	 where_read(struct where *, const char *, char why[SIFT_WHY]);	/* "votes >= 10"; -1 */
/* Also what it is, for people: "votes is 3". */
enum holds where_holds(const struct where *, struct cr *, const struct cr_record *,
	    char is[SIFT_WHY]);

/* Has the record asked about again when the condition holds. -1: no such number can be named. */
int	 where_wait(const struct where *, struct cr *);

/* ---- template.c: texts with {FIELD} in them ---- */
struct made {
	char	*text;			/* ends with a NUL when len > 0 */
	size_t	 len, room;
	int	 over;			/* SIFT_MADE, or no memory */
};
void	 made_add(struct made *, const char *, size_t);
void	 made_free(struct made *);
struct piece {
	char		*text;		/* as it is, or the field's name */
	int		 is_field;
	size_t		 max;		/* characters; 0: all of it */
	struct field	 field;
};
struct template {
	struct piece	*v;
	size_t		 n;
};
/* -1 and why. What stands in braces is a field, which `:200` cuts, an extra or a number; `{{` is a
 * brace. */
int	 template_read(struct template *, const char *, char why[SIFT_WHY]);
void	 template_free(struct template *);
/* Adds it, filled in from a record. html: for a field of HTML, so that texts are escaped. */
void	 template_put(struct made *, const struct template *, struct texts *, int html);
void	 made_escaped(struct made *, const char *, size_t);

/* ---- excerpt.c ---- */
/* What stands at begin..end of a text, with a little of what is around it. */
void	 excerpt(char out[SIFT_WHY], const char *, size_t len, size_t begin, size_t end);
#endif
