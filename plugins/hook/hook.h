/* The pieces of sink_webhook: keys and signatures, and bodies made of records. */
#ifndef HOOK_HOOK_H
#define HOOK_HOOK_H
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

/* ---- body.c ---- */

/* Text that grows; once memory is out, `bad` stays set. data[len] is 0. */
struct text {
	char	*data;
	size_t	 len, cap;
	int	 bad;
};
void	 text_add(struct text *, const char *, size_t);
void	 text_str(struct text *, const char *);		/* NULL adds nothing */
void	 text_clear(struct text *);
void	 text_free(struct text *);

/* How what stands for a name is written. */
enum body_escape { BODY_JSON, BODY_FORM, BODY_PLAIN };
/* A name of ours in {braces} that there is none of, into name; 0: all are known. */
int	 body_unknown(const char *template, char name[32]);
/* A preset's template, or NULL: it is no preset. `json` is one as well. */
const char *body_preset(const char *name);
/* Whether records of one message are joined by lines inside a preset's text. */
int	 body_joins(const char *name);
enum body_escape body_escape_for(const char *content_type);
/* The n records as one body; array: as a JSON array, whatever n is. preset: as told, or NULL. */
void	 body_write(struct text *, struct cr *, const char *template, enum body_escape,
	    const struct cr_record *const *, size_t n, int array, int join);
#endif
