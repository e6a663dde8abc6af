/* A growing byte buffer with a named maximum. */
#ifndef CORE_BUF_H
#define CORE_BUF_H
#include <stddef.h>

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
void	 buf_add(struct buf *, const void *, size_t);
void	 buf_str(struct buf *, const char *);	/* without its NUL; NULL adds nothing */
void	 buf_char(struct buf *, char);
void	 buf_fmt(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n bytes, to be written and then added by raising len; NULL when over. */
char	*buf_room(struct buf *, size_t n);
#endif
