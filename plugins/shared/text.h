/* Text that grows, in one block of memory: for all plugins that make messages. */
#ifndef SHARED_TEXT_H
#define SHARED_TEXT_H
#include <stddef.h>

/* Zeroed: empty. Once memory is out, `bad` stays set and nothing is added. data[len] is 0; data is NULL
 * until something was added. */
struct text {
	char	*data;
	size_t	 len, cap;
	int	 bad;
};
void	 text_add(struct text *, const char *, size_t);
void	 text_str(struct text *, const char *);		/* NULL adds nothing */
void	 text_clear(struct text *);
void	 text_free(struct text *);
#endif
