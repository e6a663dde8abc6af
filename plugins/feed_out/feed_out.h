/* The pieces of sink_feed: a file on its way, what a record says, and one writer a format. */
#ifndef FEED_OUT_FEED_OUT_H
#define FEED_OUT_FEED_OUT_H
#include "shared/files.h"

#include <courant/plugin.h>

#include <stdint.h>

#define OUT_BLOCK	(32u << 10)	/* bytes of one write() */
#define SELF_MAX	8192		/* bytes of a file's own address */
#define TITLE_MAX	100		/* bytes of a title that is made from the text */
#define SUMMARY_MAX	1000		/* bytes of a plain summary */
#define PLAIN_SPARE	8		/* room that plain() needs beyond its maximum */
#define LANGUAGE_MAX	35		/* bytes of a language tag (RFC 5646 4.4.1) */
#define AUTHOR_MAX	((16u << 10) + 8)	/* room for the name of an author */
#define FILE_URL_MAX	((16u << 10) + 8)	/* room for the address of an entry's file */
#define FILE_TYPE_MAX	256		/* and for its type */

struct feed {
	const char		*path;
	const char *const	*formats;
	int64_t			 keep;		/* the host's to obey */
	const char		*title, *description, *link, *language, *icon;
	const char		*intro;		/* of the pages of editions */
	int64_t			 summary;
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
const char *readable(struct cr *, const char *text);	/* with its TeX in Unicode */
void	 attribute(struct out *, const char *name, const char *value);

/* ---- document.c: a document on its way to its name, whole or not at all ---- */

#define DOCUMENT_SPARE	(sizeof("..tmp") - 1)	/* bytes that the temporary name adds to path and suffix */

/* Opens it; its folder is there. -1 with errno. */
int	 document_open(struct out *, const char *path, const char *suffix);
/* Puts it under its name, if it says something new; else the old one stays. -1 with errno. */
int	 document_finish(struct out *);
void	 document_drop(struct out *);		/* if it is open: nothing is left of it */

/* ---- address.c: each character that no URI has is written as %XX. NULL: nothing is written ---- */

void	 out_xml_uri(struct out *, const char *url);
void	 out_json_uri(struct out *, const char *url);	/* quoted */
void	 element_uri(struct out *, const char *name, const char *url);
void	 attribute_uri(struct out *, const char *name, const char *url);
int	 is_page(const char *url);		/* an address on the web */
/* A file's name as a path, as much of it as fits; its bytes. */
size_t	 path_escaped(char *out, size_t size, const char *path);

/* ---- peek.c: what only the record's JSON tells (mails and URIs, types and sizes, first seen), and
 * plain text of sanitised HTML ---- */

/* The value of a member of the object at p; NULL when there is none, or p is NULL. */
const char *json_member(const char *p, const char *name);
/* The first value of the list at p, and the one after another of its values; NULL: none. */
const char *json_first(const char *p);
const char *json_next(const char *p);
/* A JSON string as text; -1: it is none, or has no room. */
int	 json_text(char *out, size_t size, const char *value);
void	 out_raw(struct out *, const char *value);	/* a JSON value as it stands */
void	 out_xml_of_json(struct out *, const char *value);	/* a JSON string as XML text */
/* An attribute from a JSON string or number; nothing when value is NULL. */
void	 attribute_of_json(struct out *, const char *name, const char *value);
/* Tags removed, references decoded, white space folded; at most max bytes, whole characters, with
 * an ellipsis when cut. out has room for max + PLAIN_SPARE. */
const char *plain(char *out, size_t max, const char *html);

/* The feed while it is written; texts are NULL when it has none. */
struct list {
	struct cr		*cr;
	const struct feed	*o;
	const struct cr_batch	*batch;
	const char		*title, *description;	/* never NULL */
	const char		*home;		/* its page: as told, of its only source, or ours */
	const char		*any_page;	/* else one of a source, for what demands a page */
	const char		*language;	/* as told, or of all its items */
	const char		*icon;		/* as told, or of its only source */
	int64_t			*when;		/* of each item: revised, updated, published, seen */
	int64_t			 updated;	/* the newest of them */
	char			 ours[SELF_MAX];
	char			 tag[LANGUAGE_MAX + 1];
};

/* One record; texts are NULL when it has none. */
struct item {
	const struct cr_record	*rec;
	const struct cr_record	*feed;		/* that it came from; NULL: nothing is known, or that
						 * had taken it over from another feed itself */
	const char		*id, *source, *link, *summary, *content, *image, *comments;
	const char		*title;		/* plain text, TeX in Unicode; never NULL */
	const char		*title_html;	/* when HTML says more; or NULL */
	const char		*language;	/* a well-formed tag; its own or its feed's */
	int64_t			 published;	/* CR_NO_TIME: not told */
	int64_t			 shown;		/* published, else updated, else first seen */
	int64_t			 updated;	/* moves with a revision */
	const char		*authors, *contributors, *enclosures;	/* lists in its JSON */
	const char		*story;		/* an object in its JSON; NULL: unknown */
	struct cr		*cr;
	char			 made[TITLE_MAX + PLAIN_SPARE];
	char			 tag[LANGUAGE_MAX + 1];
};

/* ---- media.c ---- */

/* One file of an entry. */
struct file {
	const char	*next;		/* in the JSON */
	size_t		 nth;		/* from 1 */
	const char	*size;		/* a number in JSON, or NULL */
	char		 url[FILE_URL_MAX];
	char		 type[FILE_TYPE_MAX];	/* as told, else by its name; never empty */
};
int	 file_first(struct file *, const struct item *);	/* 1, or 0: there is none */
int	 file_next(struct file *);
int	 file_is(const struct file *, const char *kind);	/* its type begins like this */
/* Which file (from 1) is the enclosure of RSS, which has room for one: the first of the entry's own
 * that is something to hear, to see or to keep, no picture and no page. 0: none. */
size_t	 file_chosen(const struct item *);
void	 media_content(struct out *, const struct file *);	/* Media RSS */
const char *type_guess(const char *url);	/* by its name; NULL: not known */

/* ---- podcast.c ---- */

int	 podcast_put(struct out *, const struct item *);	/* 1: it is an episode */
/* Of H:MM:SS, MM:SS or seconds; -1: it is no duration. */
long	 podcast_seconds(const char *);

/* ---- rss.c, atom.c, jsonfeed.c ---- */

struct format {
	const char	*name, *suffix;
	void		(*head)(struct out *, const struct list *);
	void		(*item)(struct out *, const struct list *, const struct item *, size_t nth);
	void		(*foot)(struct out *);
};
extern const struct format format_rss, format_atom, format_json;

/* ---- entry.c: an edition as an entry of a feed ---- */

struct text;
/* The HTML of its records: titles with links. */
void	 entry_content(struct text *, struct cr *, const struct cr_batch *);
void	 entry_put(struct out *, const struct list *, const struct format *, const char *content);
/* Finds the entry in a document that has it alone. NULL: it is none of ours. */
const char *entry_find(const struct format *, const char *document, size_t *len);

/* ---- archive.c: a feed of editions and its archive (RFC 5005 section 4) ---- */

/* Makes the address of a file below the folder of outputs, or "". */
typedef void archive_address(char out[SELF_MAX], const struct list *, const char *path, const char *suffix);
/* Writes the documents of the batch's edition in these formats, which NULL ends, and its page; adds the link to it to
 * those of the edition before; deletes those of pruned editions; and writes the feed of the last editions. -1 with
 * errno. */
int	 archive_write(struct list *, const struct format *const *, archive_address *);

/* ---- origin.c: where an entry came from ---- */

const char *feed_text(const struct item *, int field);	/* of the feed it came from, or NULL */
const char *feed_extra(const struct item *, const char *name);
/* What an entry that was taken over says of where it came from; else what its feed says. */
const char *origin_title(const struct item *);	/* at last the source's name */
const char *origin_self(const struct item *);	/* of the document; an address, or NULL */
const char *origin_id(const struct item *);	/* NULL: not known */
/* A name for the feed that no change of its address changes. */
void	 out_feed_id(struct out *, const struct list *);
#endif
