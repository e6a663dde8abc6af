/* Content-Encoding undone as the bytes come. */
#include "unpack.h"
#include "log.h"
#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define PIECE		16384		/* bytes handed on at once */
#define WINDOW		15		/* bits; the most there are */
#define GZIP		16		/* with WINDOW: a gzip header is expected */

enum unpack_state { UNPACK_START, UNPACK_MIDDLE, UNPACK_END };
struct unpack {
	z_stream		 z;
	int			 gzip;
	enum unpack_state	 state;
};

int
unpack_new(struct unpack **u, const char *encoding)
{
	static const struct { const char *name; int packed, gzip; } table[] = {
		{ "", 0, 0 }, { "identity", 0, 0 }, { "gzip", 1, 1 }, { "x-gzip", 1, 1 },
		{ "deflate", 1, 0 },
	};
	size_t i;

	*u = NULL;
	if (encoding == NULL)
		return 0;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcasecmp(table[i].name, encoding) == 0)
			break;
	if (i == sizeof(table) / sizeof(table[0]))
		return -1;
	if (!table[i].packed)
		return 0;
	*u = xcalloc(1, sizeof(**u));
	(*u)->gzip = table[i].gzip;
	if (inflateInit2(&(*u)->z, table[i].gzip ? WINDOW + GZIP : WINDOW) != Z_OK)
		fatal("zlib does not start");
	return 1;
}

void
unpack_free(struct unpack *u)
{
	if (u == NULL)
		return;
	inflateEnd(&u->z);
	free(u);
}

/* "deflate" should be zlib's format (RFC 9110 8.4.1.2); some send the bare one. The first byte tells:
 * its low half is 8 in zlib's, and would be a bare stream's stored block with odd padding. */
static void
choose(struct unpack *u, unsigned char first)
{
	if (!u->gzip && (first & 0x0f) != Z_DEFLATED)
		inflateReset2(&u->z, -WINDOW);
	u->state = UNPACK_MIDDLE;
}

/* A gzip file may be several, one behind the other; other bytes behind the end are padding. */
static int
goes_on(struct unpack *u)
{
	const unsigned char *p = u->z.next_in;

	if (!u->gzip || u->z.avail_in == 0 || p[0] != 0x1f || (u->z.avail_in > 1 && p[1] != 0x8b))
		return 0;
	inflateReset(&u->z);
	u->state = UNPACK_MIDDLE;
	return 1;
}

int
unpack_more(struct unpack *u, const char *p, size_t len, unpack_cb *cb, void *arg)
{
	unsigned char out[PIECE];
	int rc, told;

	if (len == 0)
		return 0;
	u->z.next_in = (unsigned char *)(uintptr_t)p;
	u->z.avail_in = (unsigned)len;
	if (u->state == UNPACK_END && !goes_on(u))
		return 0;
	if (u->state == UNPACK_START)
		choose(u, (unsigned char)*p);
	do {
		u->z.next_out = out;
		u->z.avail_out = PIECE;
		rc = inflate(&u->z, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return -1;
		if (u->z.avail_out < PIECE &&
		    (told = cb((const char *)out, PIECE - u->z.avail_out, arg)) != 0)
			return told;
		if (rc == Z_STREAM_END) {
			u->state = UNPACK_END;
			if (!goes_on(u))
				return 0;
		}
	} while (u->z.avail_in > 0 || u->z.avail_out == 0);
	return 0;
}

int
unpack_whole(const struct unpack *u)
{
	return u->state != UNPACK_MIDDLE;
}
