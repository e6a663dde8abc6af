/* User and password in URLs (RFC 3986 3.2.1): removed from the URL, never shown, sent as a
 * header. */
#ifndef CORE_LOGIN_H
#define CORE_LOGIN_H
#include "buf.h"

/* Adds the "user:password" of a web URL, with %XX decoded. 1, or 0: the URL has none. */
int	login_of(const char *url, struct buf *);
/* Adds a URL for people, without its user and password, even when the URL is malformed. */
void	login_shown(struct buf *, const char *url);
/* Adds "Authorization: Basic BASE64\n" for len bytes of "user:password" (RFC 7617). */
void	login_header(struct buf *, const char *login, size_t len);
/* Whether "Name: value\n" lines have an Authorization header, of any scheme. */
int	login_said(const char *headers);
#endif
