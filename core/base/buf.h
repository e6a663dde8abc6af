/* A growing byte buffer with a named maximum. */
#ifndef CORE_BUF_H
#define CORE_BUF_H
#include <stddef.h>
#include <string.h>

/* data is NULL until something is added; then data[len] is 0. An addition that would exceed max
 * adds nothing and sets `over`; from then on all additions do nothing. Check `over` once, at the
 * end. */
struct buf {
	char	*data;
	size_t	 len, cap;
	size_t	 max;		/* bytes; set by buf_init() */
	int	 over;
};

void	 buf_init(struct buf *, size_t max);
void	 buf_free(struct buf *);		/* leaves it empty, ready for use */
void	 buf_forget(struct buf *);		/* the same, overwrites the bytes: secrets */
void	 buf_clear(struct buf *);		/* empties it; keeps the memory and the maximum */
void	 buf_fmt(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n bytes: the caller writes them and adds their number to len; NULL when over. */
char	*buf_room(struct buf *, size_t n);

/* Inline, because nearly all additions fit into the memory; cap never exceeds max + 1. */
static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *room = n < b->cap - b->len && !b->over ? b->data + b->len : buf_room(b, n);

	if (room == NULL || n == 0)
		return;
	memcpy(room, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

/* Adds a string without its NUL; NULL adds nothing. */
static inline void
buf_str(struct buf *b, const char *s)
{
	if (s != NULL)
		buf_add(b, s, strlen(s));
}

static inline void
buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

/* Bytes with their length; data may hold NUL. wire_bytes() borrows them from the frame. */
struct bytes {
	const char	*data;
	size_t		 len;
};
#endif
