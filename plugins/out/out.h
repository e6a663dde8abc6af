/* The pieces of sink_feed: a file on its way, what a record says, and one writer a format. */
#ifndef OUT_OUT_H
#define OUT_OUT_H
#include "files.h"

#include <courant/plugin.h>

#include <stdint.h>

#define OUT_BLOCK	(32u << 10)	/* bytes of one write() */
#define SELF_MAX	4096		/* bytes of a file's own address */
#define TITLE_MAX	100		/* bytes of a title that is made from the text */
#define SUMMARY_MAX	1000		/* bytes of a plain summary */
#define PLAIN_SPARE	8		/* room that plain() needs beyond its maximum */

struct feed {
	const char		*path;
	const char *const	*formats;
	int64_t			 keep;		/* the host's to obey */
	const char		*title, *description, *link;
};

/* ---- out.c: a file on its way ---- */

struct out {
	int	 fd;			/* -1: not open */
	int	 error;			/* errno of the first write that failed */
	size_t	 len;
	char	 name[FILES_PATH_MAX + 1], temporary[FILES_PATH_MAX + 1];
	char	 self[SELF_MAX];	/* its address, or "" */
	char	 block[OUT_BLOCK];
};

void	 out_flush(struct out *);		/* a failure is kept in error */
void	 out_bytes(struct out *, const char *, size_t);
void	 out_str(struct out *, const char *);
void	 out_xml(struct out *, const char *);	/* as text or an attribute's value */
void	 out_json(struct out *, const char *);	/* as a quoted string (RFC 8259 section 7) */
void	 out_rfc3339(struct out *, int64_t ms);
void	 out_rfc822(struct out *, int64_t ms);
/* What is not a letter, digit or one of "-_" as %XX, as a URN wants it. */
void	 out_urn_part(struct out *, const char *);
void	 element(struct out *, const char *name, const char *attributes, const char *text);
void	 attribute(struct out *, const char *name, const char *value);
/* An attribute from a JSON string or number; nothing when value is NULL. */
void	 attribute_of_json(struct out *, const char *name, const char *value);

/* ---- peek.c: what only the record's JSON tells (mails and URIs, types and sizes, first seen), and
 * plain text of sanitised HTML ---- */

/* The value of a member of the object at p; NULL when there is none, or p is NULL. */
const char *json_member(const char *p, const char *name);
/* The first value of the list at p, and the one after another of its values; NULL: none. */
const char *json_first(const char *p);
const char *json_next(const char *p);
void	 out_raw(struct out *, const char *value);	/* a JSON value as it stands */
void	 out_xml_of_json(struct out *, const char *value);	/* a JSON string as XML text */
/* Tags removed, references decoded, white space folded; at most max bytes, whole characters, with
 * an ellipsis when cut. out has room for max + PLAIN_SPARE. */
const char *plain(char *out, size_t max, const char *html);

/* ---- rss.c, atom.c, jsonfeed.c ---- */

/* The feed while it is written. */
struct list {
	struct cr		*cr;
	const struct feed	*o;
	const struct cr_batch	*batch;
	const char		*title, *description;
	int64_t			*when;		/* of each item: updated, published or first seen */
	int64_t			 updated;	/* the newest of them */
};

/* One record; texts are NULL when it has none. */
struct item {
	const struct cr_record	*rec;
	const char		*id, *source, *link, *summary, *content, *image, *comments;
	const char		*title;		/* never NULL */
	const char		*language;	/* a well-formed tag */
	int64_t			 published;
	int64_t			 updated;
	const char		*authors, *contributors, *enclosures;	/* lists in its JSON */
	struct cr		*cr;
	char			 made[TITLE_MAX + PLAIN_SPARE];
};

struct format {
	const char	*name, *suffix;
	void		(*head)(struct out *, const struct list *);
	void		(*item)(struct out *, const struct list *, const struct item *, size_t nth);
	void		(*foot)(struct out *);
};
extern const struct format format_rss, format_atom, format_json;

/* The address of the feed's page, else of the file, else a name that is no address. */
void	 out_home(struct out *, const struct list *);
#endif
