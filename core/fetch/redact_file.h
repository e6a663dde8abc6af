/* Redaction of a document in a memfd. */
#ifndef CORE_REDACT_FILE_H
#define CORE_REDACT_FILE_H

#include <stdint.h>

struct redact;

/* Redacts a sealed document of *len bytes, followed by a NUL. When it contains a secret, *fd
 * becomes a new sealed memfd with the secrets replaced, *len its length, and the old one is closed.
 * -1: the new document would be over max bytes. */
int		 redact_file(const struct redact *, int *fd, uint64_t *len, uint64_t max);

#endif
