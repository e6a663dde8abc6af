/* A growing byte buffer with a named maximum. */
#ifndef CORE_BUF_H
#define CORE_BUF_H
#include <stddef.h>
#include <string.h>

/* data[len] is always 0 once something was added; data is NULL before. Going over max adds nothing,
 * sets `over`, and every later addition does nothing: check `over` once, at the end. */
struct buf {
	char	*data;
	size_t	 len, cap;
	size_t	 max;		/* bytes; set by buf_init() */
	int	 over;
};

void	 buf_init(struct buf *, size_t max);
void	 buf_free(struct buf *);		/* and ready for use again */
void	 buf_clear(struct buf *);		/* empty; keeps the memory and the maximum */
void	 buf_fmt(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n bytes, to be written and then added by raising len; NULL when over. */
char	*buf_room(struct buf *, size_t n);

/* In place, because nearly all of these fit where room was made before: cap is never over max + 1. */
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

/* Without its NUL; NULL adds nothing. */
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
#endif
