/* What the fetch role is told: its manners by the settings, and requests for a source's pages. */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H
#include "setup.h"

/* struct fetch_start and the hosts, as MSG_FETCH_START takes them. */
void	request_settings(const struct setup *, struct buf *);
/* A page that the source's plugin asked for (url and lines as setup_keep() puts them): what to ask
 * for, secrets filled in. They, and the descriptor's headers, go to the origin of the source's url
 * alone. NULL, or why it cannot be asked for. */
const char *request_page(const struct source *, const char *url, const char *lines,
	    struct buf *to_url, struct buf *to_headers);
#endif
