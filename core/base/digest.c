/* SHA-256 over length-prefixed fields. */
#include "digest.h"
#include "log.h"
#include "mem.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

struct digest {
	EVP_MD		*md;		/* fetched once, as this takes longer than a short hash */
	EVP_MD_CTX	*context;
};

struct digest *
digest_new(void)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->context = EVP_MD_CTX_new();
	if (d->md == NULL || d->context == NULL)
		fatal("libcrypto has no SHA-256");
	return d;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->context);
	EVP_MD_free(d->md);
	free(d);
}

static void
update(struct digest *d, const void *p, size_t n)
{
	if (EVP_DigestUpdate(d->context, p, n) != 1)
		fatal("libcrypto cannot hash");
}

static void
put_u32(struct digest *d, uint32_t v)
{
	unsigned char b[4] = { (unsigned char)(v >> 24), (unsigned char)(v >> 16),
		(unsigned char)(v >> 8), (unsigned char)v };

	update(d, b, sizeof(b));
}

void
digest_begin(struct digest *d)
{
	if (EVP_DigestInit_ex2(d->context, d->md, NULL) != 1)
		fatal("libcrypto cannot hash");
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	if (p == NULL) {
		put_u32(d, UINT32_MAX);
		return;
	}
	if (n >= UINT32_MAX)
		fatal("a field of %zu bytes to hash", n);
	put_u32(d, (uint32_t)n);
	update(d, p, n);
}

void
digest_str(struct digest *d, const char *s)
{
	digest_add(d, s, s != NULL ? strlen(s) : 0);
}

void
digest_int(struct digest *d, int64_t v)
{
	unsigned char b[8];
	int i;

	for (i = 0; i < 8; i++)
		b[i] = (unsigned char)((uint64_t)v >> (56 - 8 * i));
	digest_add(d, b, sizeof(b));
}

void
digest_end(struct digest *d, unsigned char out[DIGEST_SIZE])
{
	if (EVP_DigestFinal_ex(d->context, out, NULL) != 1)
		fatal("libcrypto cannot hash");
}

int64_t
digest_end64(struct digest *d)
{
	unsigned char out[DIGEST_SIZE];
	uint64_t v = 0;
	int i;

	digest_end(d, out);
	for (i = 0; i < 8; i++)
		v = v << 8 | out[i];
	return v != 0 ? (int64_t)v : 1;
}

void
digest_base64(const void *p, size_t n, char out[DIGEST_BASE64])
{
	unsigned char hash[DIGEST_SIZE];

	if (EVP_Digest(p, n, hash, NULL, EVP_sha256(), NULL) != 1)
		fatal("libcrypto cannot hash");
	EVP_EncodeBlock((unsigned char *)out, hash, sizeof(hash));
}
