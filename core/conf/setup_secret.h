/* Secrets in texts. A secret is replaced in one of two ways: by a stand-in, {secret:NAME:NONCE},
 * which plugins see and which lasts as long as the setup; or by a mark, the bytes 1, NAME, 1, in
 * text that is stored. No page can contain a mark, since no text of a plugin has the byte 1. */
#ifndef CORE_SETUP_SECRET_H
#define CORE_SETUP_SECRET_H
#include "setup.h"

/* Appends text that a plugin made of its options (a URL, headers), with stand-ins replaced by their
 * secrets: only for requests to the origin of the source's url. secret_hide() is the reverse, for
 * an answer that repeats secrets. */
void	 secret_fill(const struct instance *, const char *text, struct buf *);
void	 secret_hide(const struct instance *, const char *text, size_t len, struct buf *);
/* Appends the secrets and their stand-ins as redact_new() takes them: for redaction by fetch. */
void	 secret_redact(const struct instance *, struct buf *);
/* secret_mark() appends text with secrets replaced by marks. secret_unmark() appends text with
 * marks replaced by the secrets (url: escaped for a URL): only for requests to the origin of the
 * source's url. It returns how many it replaced, or -1: the instance has no secret of a name.
 * secret_shown() appends text with marks as {secret:NAME}, for people. */
void	 secret_mark(const struct instance *, const char *text, struct buf *);
int	 secret_unmark(const struct instance *, const char *text, int url, struct buf *);
void	 secret_shown(const char *text, struct buf *);
#endif
