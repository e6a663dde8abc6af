/* Keys and signatures of Standard Webhooks: HMAC-SHA256 over "ID.TIMESTAMP.BODY". */
#include "webhook.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX		"whsec_"
#define RAW		"raw:"
#define DIGEST		32		/* bytes of SHA-256 */
#define LINE_KEY_MAX	1024		/* bytes of a line */

struct sign {
	EVP_MAC_CTX	*key[SIGN_KEYS];
	size_t		 n;
};

/* Strict base64 with its padding; the number of bytes, or -1. out has room for 3/4 of len. */
static int
decode(unsigned char *out, const char *text, size_t len)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t plain = strspn(text, alphabet), pads = len - plain;
	int n;

	if (len == 0 || len % 4 != 0 || plain > len || pads > 2 || strspn(text + plain, "=") < pads)
		return -1;
	n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	return n < 0 ? -1 : n - (int)pads;
}

/* A context that waits for bytes, with the key in it. NULL: libcrypto failed. */
static EVP_MAC_CTX *
key_new(const unsigned char *key, size_t len)
{
	char sha256[] = "SHA256";
	const OSSL_PARAM how[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end()
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (ctx != NULL && EVP_MAC_init(ctx, key, len, how) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* One line. 0, or -1 and why. */
static int
key_add(struct sign *s, const char *line, size_t len, const char **why)
{
	unsigned char key[LINE_KEY_MAX];
	char text[LINE_KEY_MAX + 1];
	size_t skip = strncmp(line, PREFIX, strlen(PREFIX)) == 0 ? strlen(PREFIX) : 0;
	int n;

	*why = s->n == SIGN_KEYS ? "there are more than 8 keys" : len > LINE_KEY_MAX ?
	    "a key is longer than 1024 bytes" : NULL;
	if (*why != NULL)
		return -1;
	if (len > strlen(RAW) && strncmp(line, RAW, strlen(RAW)) == 0) {
		n = (int)(len - strlen(RAW));
		memcpy(key, line + strlen(RAW), (size_t)n);
	} else {
		memcpy(text, line + skip, len - skip);
		text[len - skip] = '\0';
		n = decode(key, text, len - skip);
		OPENSSL_cleanse(text, sizeof(text));
		if (n < SIGN_KEY_MIN || n > SIGN_KEY_MAX)
			*why = "a key is whsec_ and 24 to 64 bytes in base64, or raw:TEXT";
	}
	if (*why == NULL && (s->key[s->n] = key_new(key, (size_t)n)) == NULL)
		*why = "libcrypto has no HMAC-SHA256";
	OPENSSL_cleanse(key, sizeof(key));
	if (*why != NULL)
		return -1;
	s->n++;
	return 0;
}

struct sign *
sign_new(const char *lines, const char **why)
{
	struct sign *s = calloc(1, sizeof(*s));
	size_t len;

	*why = "no memory for keys";
	/* Neither a configuration nor anything else is read from files: there are none here. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	for (; s != NULL && lines != NULL && *lines != '\0'; lines += len + (lines[len] != '\0')) {
		len = strcspn(lines, "\n");
		if (len > 0 && key_add(s, lines, len, why) == -1) {
			sign_free(s);
			return NULL;
		}
	}
	return s;
}

void
sign_free(struct sign *s)
{
	if (s == NULL)
		return;
	while (s->n > 0)
		EVP_MAC_CTX_free(s->key[--s->n]);
	free(s);
}

int
sign(const struct sign *s, const char *id, int64_t seconds, const char *body, size_t len,
    char out[SIGN_MAX + 1])
{
	unsigned char digest[DIGEST];
	char text[SIGN_ONE + 1], stamp[32];
	size_t i, at = 0, n;
	int head = snprintf(stamp, sizeof(stamp), ".%" PRId64 ".", seconds);

	out[0] = '\0';
	for (i = 0; i < s->n; i++) {
		EVP_MAC_CTX *c = s->key[i];

		if (EVP_MAC_init(c, NULL, 0, NULL) != 1 ||
		    EVP_MAC_update(c, (const unsigned char *)id, strlen(id)) != 1 ||
		    EVP_MAC_update(c, (const unsigned char *)stamp, (size_t)head) != 1 ||
		    EVP_MAC_update(c, (const unsigned char *)body, len) != 1 ||
		    EVP_MAC_final(c, digest, &n, sizeof(digest)) != 1)
			return -1;
		EVP_EncodeBlock((unsigned char *)text, digest, DIGEST);
		at += (size_t)snprintf(out + at, SIGN_MAX + 1 - at, "%sv1,%s", i > 0 ? " " : "", text);
	}
	return 0;
}
