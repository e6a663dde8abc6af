/* Allocation that does not fail: out of memory, the process exits with MEM_EXIT; core then restarts
 * the role, which recovers from the database, or fails the worker's job. */
#ifndef CORE_MEM_H
#define CORE_MEM_H
#include <stddef.h>

#define MEM_EXIT	71		/* exit status: out of memory */

/* For a large local variable that is written before it is read: the compiler does not clear it,
 * even with -ftrivial-auto-var-init=zero. */
#ifdef __has_attribute
#if __has_attribute(uninitialized)
#define MEM_UNSET	__attribute__((uninitialized))
#endif
#endif
#ifndef MEM_UNSET
#define MEM_UNSET
#endif

void	*xmalloc(size_t) __attribute__((malloc, returns_nonnull));
void	*xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void	*xreallocarray(void *, size_t n, size_t size) __attribute__((returns_nonnull));
char	*xstrdup(const char *) __attribute__((returns_nonnull));
char	*xstrndup(const char *, size_t) __attribute__((returns_nonnull));
char	*xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Sets where "out of memory" is written: standard error unless told. */
void	 mem_tell(int fd);

/* Frees *p and puts a copy of s (NULL: NULL) in its place. */
void	 xreplace(char **p, const char *s);
#endif
