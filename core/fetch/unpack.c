/* Streaming decoder of Content-Encoding gzip and deflate. */
#include "unpack.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define PIECE		16384		/* decoded bytes passed on at once */
#define PROBE		1024		/* bytes by which a body's format is detected */
#define BETWEEN		(UINT64_C(32) << 20)	/* bytes between two layers, in all */
#define WINDOW		15		/* bits of zlib's window; the maximum */
#define GZIP		16		/* with WINDOW: a gzip header is expected */

enum layer_state { LAYER_PROBE, LAYER_PLAIN, LAYER_MIDDLE, LAYER_END };
struct layer {
	enum layer_state state;
	z_stream	 z;
	int		 gzip;		/* gzip, not zlib or raw deflate */
	unsigned char	 held[PROBE];
	size_t		 n;
};
struct unpack {
	struct layer	 layer[UNPACK_LAYERS];	/* outermost first */
	int		 document;
	int		 packed;	/* gzip and deflate codings named in Content-Encoding */
	int		 bare;		/* deflate was named: zlib's header may be missing */
	char		 other[41];	/* a coding not in UNPACK_ACCEPT, or "" */
	uint64_t	 between;
	unpack_cb	*cb;
	void		*arg;
	char		 why[160];
};

/* ---- Content-Encoding ---- */

static void
say(struct unpack *u, const char *name, size_t len)
{
	static const char *const others[] = { "br", "zstd", "compress", "x-compress", "dcb",
		"dcz" };
	static const struct { const char *name; int bare; } ours[] = {
		{ "gzip", 0 }, { "x-gzip", 0 }, { "deflate", 1 }, { "x-deflate", 1 },
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strlen(ours[i].name) == len && strncasecmp(ours[i].name, name, len) == 0) {
			u->packed++;
			u->bare |= ours[i].bare;
		}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strlen(others[i]) == len && strncasecmp(others[i], name, len) == 0)
			snprintf(u->other, sizeof(u->other), "%s", others[i]);
}

struct unpack *
unpack_new(const char *encoding, int document, unpack_cb *cb, void *arg)
{
	struct unpack *u = xcalloc(1, sizeof(*u));
	size_t len;

	u->document = document;
	u->cb = cb;
	u->arg = arg;
	for (; encoding != NULL && *encoding != '\0'; encoding += len) {
		encoding += strspn(encoding, ", \t\"");
		len = strcspn(encoding, ",; \t\"");
		say(u, encoding, len);
		len += strcspn(encoding + len, ",");
	}
	return u;
}

static int
layer_packed(const struct layer *l)
{
	return l->state == LAYER_MIDDLE || l->state == LAYER_END;
}

void
unpack_free(struct unpack *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < UNPACK_LAYERS; i++)
		if (layer_packed(&u->layer[i]))
			inflateEnd(&u->layer[i].z);
	free(u);
}

const char *
unpack_error(const struct unpack *u)
{
	return u->why;
}

static int
fail(struct unpack *u, const char *why)
{
	snprintf(u->why, sizeof(u->why), "%s", why);
	return -1;
}

/* ---- Detection ---- */

/* The length of the UTF-8 character at p, of which n bytes were received; 0: not UTF-8. */
static size_t
utf8_at(const unsigned char *p, size_t n)
{
	static const struct { unsigned char first; size_t len; } leads[] = {
		{ 0xf5, 0 }, { 0xf0, 4 }, { 0xe0, 3 }, { 0xc2, 2 }, { 0x80, 0 }, { 0, 1 },
	};
	size_t k = 0, len;

	while (*p < leads[k].first)
		k++;
	len = leads[k].len;
	for (size_t i = 1; i < len && i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* Whether the bytes may be the beginning of a text, or all of it: compressed data is not free of
 * control characters for long. Text that is not UTF-8 has to begin with '<'. */
static int
is_text(const unsigned char *p, size_t n)
{
	static const unsigned char le[] = { 0xff, 0xfe }, be[] = { 0xfe, 0xff };
	int markup = n > 0 && *p == '<';
	size_t len;

	if (n >= 2 && (memcmp(p, le, 2) == 0 || memcmp(p, be, 2) == 0))
		return 1;
	for (size_t i = 0; i < n; i += len) {
		if (p[i] == '\0' || (p[i] < ' ' && strchr("\t\n\f\r", p[i]) == NULL))
			return 0;
		len = utf8_at(p + i, n - i);
		if ((len == 0 || (len > n - i && n < PROBE)) && !markup)
			return 0;
		len = len > 0 ? len : 1;
	}
	return 1;
}

/* A gzip header (RFC 1952 2.3), or the first bytes of one. */
static int
is_gzip(const unsigned char *p, size_t n)
{
	static const unsigned char magic[] = { 0x1f, 0x8b, 8 };

	return n > 0 && memcmp(p, magic, n < 3 ? n : 3) == 0 && (n < 4 || (p[3] & 0xe0) == 0);
}

/* A zlib header (RFC 1950 2.2), or the first bytes of one. */
static int
is_zlib(const unsigned char *p, size_t n)
{
	return (p[0] & 0x0f) == Z_DEFLATED && p[0] >> 4 <= 7 &&
	    (n < 2 || (p[0] << 8 | p[1]) % 31 == 0);
}

/* Whether the held bytes begin a stream of this format: inflates them. */
static int
inflates(const struct layer *l, int window, int last)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)l->held, .avail_in = (unsigned)l->n };
	unsigned char out[PROBE];
	int rc;

	if (inflateInit2(&z, window) != Z_OK)
		fatal("zlib does not start");
	do {
		z.next_out = out;
		z.avail_out = sizeof(out);
		rc = inflate(&z, Z_NO_FLUSH);
	} while (rc == Z_OK && (z.avail_in > 0 || z.avail_out == 0));
	inflateEnd(&z);
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return rc == Z_STREAM_END;
	return !last || !is_text(l->held, l->n); /* a short text can look like a truncated stream */
}

/* inflateInit2()'s window bits for a layer's format; 0: the layer is not gzip or deflate. */
static int
format(const struct unpack *u, const struct layer *l, int last)
{
	int said = u->packed > l - u->layer;

	if (is_gzip(l->held, l->n) && (said || u->document) && (said || l->n >= 3))
		return WINDOW + GZIP;
	if (said && is_zlib(l->held, l->n) && (l->n <= 2 || inflates(l, WINDOW, last)))
		return WINDOW;
	if (said && u->bare && inflates(l, -WINDOW, last))
		return -WINDOW;
	return 0;
}

/* The name of an unsupported coding that a layer is in; NULL: none, its bytes are passed on. */
static const char *
foreign(const struct unpack *u, const struct layer *l)
{
	static const unsigned char zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (u->document && l->n >= sizeof(zstd) && memcmp(l->held, zstd, sizeof(zstd)) == 0)
		return "zstd";
	return l == u->layer && u->other[0] != '\0' && !is_text(l->held, l->n) ? u->other : NULL;
}

/* Decides a layer's format by the held bytes; last: no more follow. -1: an error. */
static int
decide(struct unpack *u, struct layer *l, int last)
{
	int window = format(u, l, last);
	const char *other = window == 0 ? foreign(u, l) : NULL;

	if (other != NULL) {
		snprintf(u->why, sizeof(u->why),
		    "the answer is packed as \"%s\", which we did not ask "
		    "for",
		    other);
		return -1;
	}
	if (window == 0 && l == u->layer && u->packed > 0 && !is_text(l->held, l->n))
		return fail(u, "the answer broke off: its gzip or deflate is damaged");
	l->state = window == 0 ? LAYER_PLAIN : LAYER_MIDDLE;
	l->gzip = window > WINDOW;
	if (window != 0 && inflateInit2(&l->z, window) != Z_OK)
		fatal("zlib does not start");
	return 0;
}

/* ---- Decoding ---- */

/* Whether another gzip member follows (RFC 1952 2.2); other bytes after a stream are padding. */
static int
goes_on(struct layer *l)
{
	const unsigned char *p = l->z.next_in;

	if (!l->gzip || l->z.avail_in == 0 || p[0] != 0x1f || (l->z.avail_in > 1 && p[1] != 0x8b))
		return 0;
	inflateReset(&l->z);
	l->state = LAYER_MIDDLE;
	return 1;
}

static int	layer_take(struct unpack *, size_t nth, const char *, size_t);

/* Inflates bytes of a compressed layer into the next layer. */
static int
layer_inflate(struct unpack *u, size_t nth, const char *p, size_t len)
{
	struct layer *l = &u->layer[nth];
	unsigned char out[PIECE];
	int rc, told;

	l->z.next_in = (unsigned char *)(uintptr_t)p;
	l->z.avail_in = (unsigned)len;
	if (l->state == LAYER_END && !goes_on(l))
		return 0;
	do {
		l->z.next_out = out;
		l->z.avail_out = PIECE;
		rc = inflate(&l->z, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return fail(u, "the answer broke off: its gzip or deflate is damaged");
		told = layer_take(u, nth + 1, (const char *)out, PIECE - l->z.avail_out);
		if (told != 0)
			return told;
		if (rc == Z_STREAM_END) {
			l->state = LAYER_END;
			if (!goes_on(l))
				return 0;
		}
	} while (l->z.avail_in > 0 || l->z.avail_out == 0);
	return 0;
}

/* Takes bytes of the nth layer; those past the last layer are the decoded body. */
static int
layer_take(struct unpack *u, size_t nth, const char *p, size_t len)
{
	struct layer *l = &u->layer[nth];
	size_t n;
	int rc;

	if (len == 0)
		return 0;
	if (nth == UNPACK_LAYERS)
		return u->cb(p, len, u->arg);
	if (l->state == LAYER_PROBE) {
		n = len < PROBE - l->n ? len : PROBE - l->n;
		memcpy(l->held + l->n, p, n);
		l->n += n;
		if (l->n < PROBE)
			return 0;
		if ((rc = decide(u, l, 0)) != 0 ||
		    (rc = layer_take(u, nth, (const char *)l->held, l->n)) != 0)
			return rc;
		return layer_take(u, nth, p + n, len - n);
	}
	if (l->state == LAYER_PLAIN)
		return u->cb(p, len, u->arg);
	if (nth > 0 && (u->between += len) > BETWEEN)
		return fail(u, "the document is packed in too much of what is packed");
	return layer_inflate(u, nth, p, len);
}

int
unpack_more(struct unpack *u, const char *p, size_t len)
{
	return layer_take(u, 0, p, len);
}

int
unpack_end(struct unpack *u)
{
	struct layer *l;
	int rc;

	for (size_t i = 0; i < UNPACK_LAYERS; i++) {
		l = &u->layer[i];
		if (l->state == LAYER_PROBE && l->n > 0 && ((rc = decide(u, l, 1)) != 0 ||
		    (rc = layer_take(u, i, (const char *)l->held, l->n)) != 0))
			return rc;
		if (l->state == LAYER_MIDDLE)
			return fail(u, "the answer broke off: its gzip or deflate has no end");
	}
	return 0;
}
