/* SHA-256 over fields, each with its length before it (u32, big endian). Records are identified by
 * it: the hashed bytes must never change between versions and machines. */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H
#include "buf.h"

#include <stdint.h>

#define DIGEST_SIZE	32

struct digest;				/* opaque; reusable, holds libcrypto's context */

struct digest	*digest_new(void);
void		 digest_free(struct digest *);	/* NULL is fine */

/* Begin, add fields, end. data NULL: an absent field, which differs from an empty one. */
void	digest_begin(struct digest *);
void	digest_add(struct digest *, const void *, size_t);
void	digest_str(struct digest *, const char *);		/* NULL: absent */
void	digest_int(struct digest *, int64_t);
void	digest_end(struct digest *, unsigned char out[DIGEST_SIZE]);
/* Instead of end: the first 64 bits, never 0. */
int64_t	digest_end64(struct digest *);

#define DIGEST_BASE64	45		/* bytes of a hash in base64, with its NUL */
/* Of the bytes alone, as others hash them, in base64. */
void	digest_base64(const void *, size_t, char out[DIGEST_BASE64]);
#endif
