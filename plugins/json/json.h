/* JSON of others: documents, paths into them, records of their items; of plugin json also its options,
 * presets and pages to come. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <courant/plugin.h>
#include <jansson.h>
#include <stddef.h>

#define API_PATH	512		/* bytes of one path or template */
#define API_LIST	64		/* values of one list: authors, categories */
#define API_TEXT	(1u << 20)	/* bytes of one text; the rest is cut off */
#define API_URL		4096		/* bytes of a URL that is made */
#define API_DEPTH	32		/* steps of a path */

struct api_opts {
	int64_t		 entries, first;
	const char	*items, *next, *next_param;
	const char *const *fields, *const *numbers, *const *counters, *const *extras;
	int		 preset;
};

/* What a person would configure for a well-known API. Lists of "name=path", to NULL. */
struct preset {
	const char		*items, *next, *next_param;
	int64_t			 first;
	const char *const	*fields, *const *numbers, *const *counters, *const *extras;
};
extern const struct preset presets[];	/* in the order of PRESETS */
#define PRESETS		"any|github-advisories|github-releases|hacker-news|" \
			"huggingface-daily-papers"

/* A document that is to be read: text and len are moved to what was read, after a conversion. */
struct loaded {
	const char	*text;
	size_t		 len;
	size_t		 bad;		/* bytes that were in no encoding and were replaced */
	int		 mended;	/* it was no JSON as it came: error says why */
	json_error_t	 error;
};
/* charset: as it was told, "" for UTF-8; a byte order mark goes before. An integer over 64 bits
 * becomes a text. NULL: no JSON, see error. Freed by the caller; text lasts until the next convert(). */
json_t		*load_text(struct cr *, const char *charset, struct loaded *);

/* The values that a path leads to, at most API_LIST, borrowed; none is null. A path goes down by
 * names and places, `a.0.b`; a list on the way is gone through as a whole. */
struct found {
	const json_t	*v[API_LIST];
	size_t		 n;
};
void		 path_find(struct found *, const json_t *, const char *path);
const json_t	*path_one(const json_t *, const char *path);	/* the list itself; or NULL */

/* The next of alternatives divided by '|' outside of braces; trimmed. 0: there is none left. */
int		 path_choice(const char **rest, char *out, size_t size);

/* A value as text: of at most API_TEXT bytes, freed by the caller; NULL: it has none. */
char		*value_text(const json_t *);
int		 value_number(const json_t *, double *);	/* 1, or 0: it is none */
/* "https://host/{path}" with its values; NULL: one is missing. Freed by the caller. */
char		*template_text(const json_t *, const char *template);

/* A document that is nearly JSON: what jansson refuses is replaced. *out bytes, freed by the caller; NULL: no memory. */
char		*json_mend(const char *s, size_t len, size_t *out);

/* 0, or -1 and what is wrong with the options, which begins with the option's name. */
int		 item_check(const struct api_opts *, char *why, size_t size);
/* A record of the item, to be emitted; *named 0 and NULL: it has neither guid nor link. */
struct cr_record *item_record(struct cr *, const struct api_opts *, const json_t *item, int *named);
/* 1: emitted; 0: it has neither guid nor link. */
int		 item_emit(struct cr *, const struct api_opts *, const json_t *item);

/* Has the following page fetched, when there is one. n: items of this one. */
void		 next_ask(struct cr *, const struct api_opts *, const struct cr_page *,
		    const json_t *document, size_t n);

#endif
