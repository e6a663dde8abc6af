/* The fields of a frame, read and written. */
#include "wire.h"
#include "base/buf.h"

#include <string.h>

#define WIRE_NULL	UINT32_MAX	/* the length of a NULL string */

void
wire_init(struct wire *w, const void *p, size_t len)
{
	w->at = p;
	w->end = w->at + len;
	w->bad = 0;
}

/* The next n bytes, or NULL. */
static const unsigned char *
take(struct wire *w, size_t n)
{
	const unsigned char *p = w->at;

	if (w->bad || (size_t)(w->end - w->at) < n) {
		w->bad = 1;
		return NULL;
	}
	w->at += n;
	return p;
}

static void
fixed(struct wire *w, void *to, size_t n)
{
	const unsigned char *p = take(w, n);

	if (p != NULL)
		memcpy(to, p, n);
}

uint8_t
wire_u8(struct wire *w)
{
	uint8_t v = 0;

	fixed(w, &v, sizeof(v));
	return v;
}

uint32_t
wire_u32(struct wire *w)
{
	uint32_t v = 0;

	fixed(w, &v, sizeof(v));
	return v;
}

uint64_t
wire_u64(struct wire *w)
{
	uint64_t v = 0;

	fixed(w, &v, sizeof(v));
	return v;
}

int64_t
wire_i64(struct wire *w)
{
	int64_t v = 0;

	fixed(w, &v, sizeof(v));
	return v;
}

double
wire_f64(struct wire *w)
{
	double v = 0;

	fixed(w, &v, sizeof(v));
	return v;
}

struct bytes
wire_bytes(struct wire *w)
{
	struct bytes b = { NULL, 0 };
	uint32_t len = wire_u32(w);
	const unsigned char *p;

	if (w->bad || len == WIRE_NULL)
		return b;
	p = take(w, (size_t)len + 1);
	if (p == NULL || p[len] != '\0') {
		w->bad = 1;
		return b;
	}
	b.data = (const char *)p;
	b.len = len;
	return b;
}

const char *
wire_str(struct wire *w)
{
	struct bytes b = wire_bytes(w);

	if (b.data != NULL && strlen(b.data) != b.len) {
		w->bad = 1;
		return NULL;
	}
	return b.data;
}

int
wire_end(const struct wire *w)
{
	return w->bad || w->at != w->end ? -1 : 0;
}

void
wire_put_u8(struct buf *b, uint8_t v)
{
	buf_add(b, &v, sizeof(v));
}

void
wire_put_u32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

void
wire_put_i64(struct buf *b, int64_t v)
{
	buf_add(b, &v, sizeof(v));
}

void
wire_put_f64(struct buf *b, double v)
{
	buf_add(b, &v, sizeof(v));
}

void
wire_put_bytes(struct buf *b, const void *p, size_t len)
{
	if (p == NULL) {
		wire_put_u32(b, WIRE_NULL);
		return;
	}
	if (len >= WIRE_NULL) {
		b->over = 1;
		return;
	}
	wire_put_u32(b, (uint32_t)len);
	buf_add(b, p, len);
	buf_char(b, '\0');
}

void
wire_put_str(struct buf *b, const char *s)
{
	wire_put_bytes(b, s, s != NULL ? strlen(s) : 0);
}

void
wire_put(struct buf *b, const struct wire_field *f, const void *from)
{
	const char *base = from;
	const struct bytes *bytes;

	for (; f->type != WIRE_END_; f++)
		switch (f->type) {
		case WIRE_U32:
			buf_add(b, base + f->offset, sizeof(uint32_t));
			break;
		case WIRE_U64:
		case WIRE_I64:
			buf_add(b, base + f->offset, sizeof(uint64_t));
			break;
		case WIRE_F64:
			wire_put_f64(b, *(const double *)(const void *)(base + f->offset));
			break;
		case WIRE_STR:
			wire_put_str(b, *(const char *const *)(const void *)(base + f->offset));
			break;
		case WIRE_BYTES:
			bytes = (const void *)(base + f->offset);
			wire_put_bytes(b, bytes->data, bytes->len);
			break;
		case WIRE_END_:
			break;
		}
}

void
wire_get(struct wire *w, const struct wire_field *f, void *to)
{
	char *base = to;

	for (; f->type != WIRE_END_; f++)
		switch (f->type) {
		case WIRE_U32:
			*(uint32_t *)(void *)(base + f->offset) = wire_u32(w);
			break;
		case WIRE_U64:
		case WIRE_I64:
			*(uint64_t *)(void *)(base + f->offset) = wire_u64(w);
			break;
		case WIRE_F64:
			*(double *)(void *)(base + f->offset) = wire_f64(w);
			break;
		case WIRE_STR:
			*(const char **)(void *)(base + f->offset) = wire_str(w);
			break;
		case WIRE_BYTES:
			*(struct bytes *)(void *)(base + f->offset) = wire_bytes(w);
			break;
		case WIRE_END_:
			break;
		}
}

int
wire_whole(const void *p, size_t n, const struct wire_field *f, void *to)
{
	struct wire w;

	wire_init(&w, p, n);
	wire_get(&w, f, to);
	return wire_end(&w);
}
