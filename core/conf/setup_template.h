/* Fills in templates of URLs, headers and options: for the options of jobs, and for requests. */
#ifndef CORE_SETUP_TEMPLATE_H
#define CORE_SETUP_TEMPLATE_H
#include "setup.h"

#define FILL_NAME_MAX	128		/* bytes between { and } */
#define FILL_MAX	(1u << 20)	/* bytes of one value or text */

/* How a value is written: unchanged; percent-escaped as a value in a URL; percent-escaped but for
 * the characters that have a meaning in a URL, for a value that may be a host, path or query; as
 * part of a header's line, control characters as spaces. */
enum fill_how { FILL_AS_IS, FILL_VALUE, FILL_PART, FILL_LINE };

/* Appends the options for a source's job, NAME\0VALUE\0...: those of its instance, with {each}
 * filled in and secrets as stand-ins. */
void	 setup_source_options(const struct source *, struct buf *);
/* The same; if grants (enum cr_wants) has CR_SECRETS, with the secrets themselves. */
void	 setup_source_granted(const struct source *, uint32_t grants, struct buf *);
/* The same for any instance, {each} as written; secrets: the secrets themselves, only for a plugin
 * to which they are granted. */
void	 instance_options(const struct instance *, int secrets, struct buf *);
/* Appends the URL and headers of a poll's first request, secrets filled in: for fetch alone, never
 * shown. headers: those of the plugin's descriptor, "Name: value\n" lines. */
void	 setup_source_request(const struct source *, struct buf *url, struct buf *headers);

/* Fills in {each} alone; each NULL: {each} stays as written. */
void	 fill_each(struct buf *, const char *template, const char *each);
/* Fills in a URL's template, {each} and {OPTION}; secrets as {secret:NAME}, or as themselves. */
void	 fill_url(struct buf *, const char *template, const struct source *, int secrets);
/* Appends a text with each {secret:NAME} replaced by the secret; url: escaped for a URL. */
void	 fill_secrets(struct buf *, const char *text, const struct instance *, int url);
/* Appends a value. */
void	 fill_put(struct buf *, const char *value, enum fill_how);
/* Appends "user:password" from the options auth_user and auth_password, {each} filled in (NULL: as
 * written). 0: neither option is given. */
int	 fill_login(const struct instance *, const char *each, struct buf *);
/* Whether an option (NULL is fine) is a secret that holds headers, one NAME=VALUE or NAME: VALUE a
 * line. */
int	 fill_is_pairs(const struct cr_option *);
#endif
