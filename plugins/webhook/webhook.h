/* The pieces of sink_webhook: keys and signatures, and bodies made of records. */
#ifndef WEBHOOK_WEBHOOK_H
#define WEBHOOK_WEBHOOK_H
#include "shared/text.h"

#include <courant/plugin.h>

#include <stddef.h>
#include <stdint.h>

/* ---- sign.c: Standard Webhooks 1.0.0, symmetric signatures ---- */

#define SIGN_KEYS	8		/* keys of one sink */
#define SIGN_KEY_MIN	24		/* bytes of a key in base64, by the specification */
#define SIGN_KEY_MAX	64
#define SIGN_ONE	48		/* bytes of a signature in the header: " v1," and base64 */
#define SIGN_MAX	(SIGN_KEYS * SIGN_ONE)

struct sign;				/* opaque: the keys */
/* Keys one a line: whsec_BASE64, the same without its prefix, or raw:TEXT. NULL and why: a line is
 * none of these, or there is no memory. No line: no key. */
struct sign	*sign_new(const char *lines, const char **why);
void		 sign_free(struct sign *);	/* NULL is fine */
/* "v1,BASE64" for each key, in their order, spaces between; "" without keys. -1: libcrypto failed. */
int		 sign(const struct sign *, const char *id, int64_t seconds, const char *body,
		    size_t len, char out[SIGN_MAX + 1]);

/* ---- chat.c: a record as a line of a chat, within what its service takes ---- */

#define NO_LIMIT	SIZE_MAX

/* In what a service counts. UTF-16 never counts less than code points do: it stands for services
 * that are not clear about it. */
enum units { UNITS_BYTES, UNITS_CODE_POINTS, UNITS_UTF16, UNITS_SEEN };
struct limit {
	size_t		 max, title;	/* of a message's text, and of one title in it */
	enum units	 units;
};
/* How a service writes a link, and what it takes for markup. */
enum chat { CHAT_MARKDOWN, CHAT_MRKDWN, CHAT_HTML, CHAT_PLAIN };

size_t	 text_units(const char *, size_t len, enum units);
/* Leaves at most max units, whole characters, with an ellipsis when something was cut. */
void	 text_cut(struct text *, size_t max, enum units);
/* The record's title; else the beginning of its text, its link, its id. Never nothing. */
void	 title_put(struct text *, struct cr *, const struct cr_record *);
/* Plain text of HTML; NULL adds nothing. */
void	 plain_put_html(struct text *, const char *html);
/* Title, link and source on a line, nothing in which is markup or calls anybody. The title is cut,
 * and the source left out, to stay within the limit. -1: the link alone is over it; nothing was
 * added. */
int	 chat_line(struct text *, struct cr *, const struct cr_record *, enum chat,
	    const struct limit *);

/* ---- body.c ---- */

#define BODY_WHY	256		/* bytes of what is wrong with a template */

/* How what stands for a name is written. */
enum body_escape { BODY_JSON, BODY_FORM, BODY_PLAIN };
struct preset;				/* opaque: a service's message and its limits */
/* How bodies are made. */
struct body {
	struct cr		*cr;
	const struct preset	*preset;	/* or NULL: by the template */
	const char		*template;
	enum body_escape	 how;
	const char		*channel;	/* or NULL */
	int			 array;		/* records are a JSON array */
};
/* A preset by its name; NULL: it is none. */
const struct preset *preset_find(const char *name);
/* Whether records of one message are lines of its text. */
int	 preset_joins(const struct preset *);
/* What its service calls the channel that a message is for; NULL: the URL says all. */
const char *preset_channel(const struct preset *);
/* The type of a body: what a preset says, where its messages are no JSON; else what is told. */
const char *body_type(const struct preset *, const char *told);
/* 0, or -1 and what is wrong with a template's names. */
int	 body_wrong(const char *template, char why[BODY_WHY]);
/* For a preset, or a template of that type. */
enum body_escape body_escape_for(const struct preset *, const char *content_type);
/* How many of the n records one message holds by its service's limit; 0: not even the first. */
size_t	 body_fits(const struct body *, const struct cr_record *const *, size_t n);
/* The n records as one body. */
void	 body_write(struct text *, const struct body *, const struct cr_record *const *, size_t n);
#endif
