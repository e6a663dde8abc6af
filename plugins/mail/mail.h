/* The pieces of the sinks that make mail: messages as MIME has them, HTML made fit for a letter or turned
 * into text, and the letters themselves. */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H
#include "shared/text.h"

#include <courant/plugin.h>

#include <stddef.h>
#include <stdint.h>

/* ---- mime.c: RFC 5322, 2045, 2047. All lines end with CRLF, are ASCII, and have at most 998 bytes ---- */

#define MIME_LINE	76		/* bytes of a line that can be broken */
#define MIME_ID		128		/* bytes of an id, with its NUL */
#define MIME_URL	900		/* bytes of an address in a header; a longer one is left out */

/* The values of a message's header. Texts are UTF-8 of any content: controls become a space, and what is
 * not ASCII an encoded word. "" or NULL: the field is left out. */
struct mime {
	int64_t		 date;
	const char	*from;		/* "Papers <papers@example.org>" or the address alone */
	const char	*to;		/* address */
	const char	*subject;
	const char	*id;		/* of the delivery to this reader: letters, digits, - . _ */
	const char	*list_title, *list_id;
	const char	*archive, *leave, *leave_mail;	/* URLs */
};
/* The header of a message of two parts; the empty line behind it comes with the first part. */
void	 mime_header(struct text *, const struct mime *);
/* What stands before a part of that message, and behind the last. type: "text/plain". */
void	 mime_part(struct text *, const struct mime *, const char *type);
void	 mime_end(struct text *, const struct mime *);
/* Adds whole lines of UTF-8, each ended by \n, as quoted-printable. Its pieces can be joined. */
void	 mime_quoted(struct text *, const char *, size_t len);

/* ---- flow.c: lines of plain text ---- */

#define FLOW_WIDTH	72		/* characters of a line; a longer word stays whole */
#define FLOW_PREFIX	64		/* bytes of what begins a line, with its NUL */

/* Words on their way into lines. Zeroed but for `out`: nothing was written. */
struct flow {
	struct text	*out, word;
	char		 first[FLOW_PREFIX];	/* begins the next paragraph's first line... */
	char		 rest[FLOW_PREFIX];	/* ...and the other lines */
	size_t		 col;
	int		 owed, begun;		/* line ends before the next word; a word was written */
};
void	 flow_add(struct flow *, const char *, size_t len);	/* to the current word */
void	 flow_space(struct flow *);				/* the word ends */
/* The line ends; 2: with an empty one behind it. */
void	 flow_break(struct flow *, int lines);
/* Words divided by white space; NULL adds nothing. */
void	 flow_words(struct flow *, const char *);
/* Ends the last line and frees the flow. */
void	 flow_end(struct flow *);

/* ---- content.c: the HTML of a record, as the host sanitised it ---- */

/* Adds it with the elements, and no attributes, that a letter has; what is left open is closed. images:
 * pictures stay, else their descriptions. */
void	 content_html(struct text *, const char *html, int images);
/* Adds it as lines of text: paragraphs with an empty line between, and the addresses of links, by number,
 * behind it. */
void	 content_text(struct text *, const char *html);
/* Adds text of at most max characters without tags, cut behind a word, with an ellipsis. */
void	 content_excerpt(struct text *, const char *html, size_t max);
/* Adds text with <, >, & and quotes as references. */
void	 html_escaped(struct text *, const char *, size_t len);
/* Whether it is an address of the web, which a letter can link. */
int	 is_link(const char *url);

/* ---- words.c: subjects and dates ---- */

#define SUBJECT_MAX	200		/* characters */

/* Why the template of a subject is wrong, into why; NULL: it is not. */
const char *subject_wrong(const char *subject, char *why, size_t size);
/* The subject of an edition, a letter or the record batch->items[nth]. subject: NULL: the usual one. */
void	 subject_put(struct text *, struct cr *, const struct cr_batch *, size_t nth,
	    const char *subject);
/* The name of an edition in words: "Friday, 14 March 2025", "Week 11 of 2025", "March 2025"; another
 * name as it is. */
void	 edition_date(struct text *, const struct cr_batch *);
/* A day, "14 March 2025". */
void	 day_put(struct text *, int64_t ms);
/* The record's title as it was written, else the beginning of its text, else its link, in room; at most
 * 400 characters. */
const char *item_title(struct cr *, const struct cr_record *, struct text *room);

/* ---- letter.c: a letter, made once and addressed to many ---- */

struct letter_options {
	const char	*subject;	/* NULL: the usual one */
	const char	*intro;		/* NULL: none */
	int64_t		 summary;	/* characters; -1: the usual number; 0: none */
	int		 images;
};
/* The options of a sink whose struct s has members of these names, and their values. */
#define LETTER_OPTIONS(s) \
	CR_OPTION(s, subject, STRING, "", NULL, \
	    "subject: text with {title}, {name}, {first}, {source}, {route}, {n}"), \
	CR_OPTION(s, intro, STRING, "", NULL, "a paragraph at the beginning"), \
	CR_OPTION(s, summary, INT, "-1", "-1..5000", "characters of a record's text; 0: none; " \
	    "-1: 300 in an edition, all of it in a mail of its own"), \
	CR_OPTION(s, images, BOOL, "no", NULL, "whether pictures are loaded from where they are")
#define LETTER_USUAL	300		/* characters of an item's text */
#define LETTER_GIVEN(o) \
	{ .subject = (o)->subject, .intro = (o)->intro, .summary = (o)->summary, .images = (o)->images }

/* Its parts, encoded. Between the pieces stand the links to leave, which differ. */
struct parts;
struct letter {
	struct text	 subject;
	struct text	 text, html[3];
	int		 leaves;	/* the parts show the links */
	int		 asks;		/* it asks to confirm */
};
/* Makes the letter of an edition, of a letter, or of the record batch->items[nth]. -1: no memory. */
int	 letter_make(struct letter *, struct cr *, const struct letter_options *,
	    const struct cr_batch *, size_t nth);
void	 letter_free(struct letter *);
/* The item i of an edition, with so many characters of its text, and the title of its section in front of that one's
 * first. */
void	 letter_item(struct parts *, struct cr *, const struct letter_options *, const struct cr_batch *,
	    size_t i, size_t summary);
/* The language of all items; NULL: they differ, or one has none. */
const char *letter_language(struct cr *, const struct cr_batch *);
/* Adds the whole message. m->subject is the letter's. -1: no memory. */
int	 letter_message(struct text *, const struct letter *, struct mime *);
/* The time of an edition's sealing, or of the record's version: the same when it is repeated. */
int64_t	 letter_date(struct cr *, const struct cr_batch *, size_t nth);

/* ---- page.c: an edition in the archive ---- */

#define PAGE_NEXT	"<!--next-->"	/* stands where the link to the next edition comes once there is one */

/* Adds the page of an edition: what its letter has as HTML, whole, with those that were left out, and with links to
 * the archive around it. previous: name of the edition before; NULL: there is none. */
void	 page_make(struct text *, struct cr *, const struct letter_options *, const struct cr_batch *,
	    const char *previous);
/* Adds what PAGE_NEXT becomes. */
void	 page_next(struct text *, const char *name);

/* ---- layout.c: the parts of a letter, as text and as HTML ---- */

/* Both parts on their way; each ends with a line's end between calls. */
struct parts {
	struct text	 text, html;
};
void	 layout_free(struct parts *);
/* The beginning, with the title. name: of the edition, for the window's title; or "". link: of the title; or NULL.
 * language: of the letter; or NULL. */
void	 layout_head(struct parts *, struct cr *, const char *title, const char *name, const char *link,
	    const char *language);
void	 layout_dateline(struct parts *, const char *);
/* Behind title, dateline and the link to leave. */
void	 layout_body(struct parts *);
void	 layout_paragraph(struct parts *, const char *);	/* of plain text */
void	 layout_section(struct parts *, const char *title);
void	 layout_link(struct parts *, const char *words, const char *url);
/* The link by which the reader leaves: beside the title, at the end, at the end of a letter of the host's. */
enum leave_place { LEAVE_TOP, LEAVE_END, LEAVE_LETTER };
void	 layout_leave(struct parts *, const char *url, enum leave_place);
void	 layout_foot(struct parts *);
/* Titles and links alone. */
void	 layout_others(struct parts *, struct cr *, const struct cr_record *const *, size_t n);
/* An item of an edition, in the part with this title: its number (0: none), title, authors, source, numbers, with at most `summary`
 * characters of its text (0: none). images: its picture, too. */
void	 layout_item(struct parts *, struct cr *, const struct cr_record *, const char *section, size_t rank,
	    size_t summary, int images);
/* Authors, source, day and numbers of a record that stands alone. */
void	 layout_about(struct parts *, struct cr *, const struct cr_record *);
/* Its whole text; or, with max, so many characters. */
void	 layout_content(struct parts *, struct cr *, const struct cr_record *, size_t max, int images);
#endif
