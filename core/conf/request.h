/* Makes the settings of the roles fetch and mail, and the requests for a source's pages, from the setup. */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H
#include "setup.h"

/* Appends the content of MSG_FETCH_START: struct fetch_start and the limits of hosts. */
void	request_settings(const struct setup *, struct buf *);
/* Appends the content of MSG_MAIL_START, with the password: the caller overwrites it (buf_forget()). */
void	request_mail(const struct setup *, struct buf *);
/* The request for a page that the source's plugin asked for: url and lines (of headers; NULL: none)
 * are as secret_mark() wrote them; to_url and to_headers get them with the secrets filled in.
 * Secrets and the descriptor's headers go to the origin of the source's url alone. NULL, or the
 * reason why the page cannot be requested. */
const char *request_page(const struct source *, const char *url, const char *lines,
	    struct buf *to_url, struct buf *to_headers);
/* Whether two URLs have the same origin: scheme, host and port. */
int	request_same_origin(const char *, const char *);
#endif
