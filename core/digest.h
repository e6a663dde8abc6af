/* SHA-256 over fields, each with its length before it (u32, big endian): what identity is made of.
 * The bytes hashed never change between versions and machines. */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H
#include "wire.h"

#define DIGEST_SIZE	32

struct digest;				/* opaque; one for all uses, it keeps libcrypto's context */

struct digest	*digest_new(void);
void		 digest_free(struct digest *);	/* NULL is fine */

/* begin, add what is to be hashed, end. data NULL: a field that is absent, unlike an empty one. */
void	digest_begin(struct digest *);
void	digest_add(struct digest *, const void *, size_t);
void	digest_str(struct digest *, const char *);		/* NULL: absent */
void	digest_int(struct digest *, int64_t);
void	digest_end(struct digest *, unsigned char out[DIGEST_SIZE]);
/* Instead of end: the first 64 bits, never 0. */
int64_t	digest_end64(struct digest *);
#endif
