/* Allocation that does not fail: when memory is out, the process ends with MEM_EXIT, and its
 * supervisor starts a role again from the database or fails the worker's job. */
#ifndef CORE_MEM_H
#define CORE_MEM_H
#include <stddef.h>

#define MEM_EXIT	71		/* exit status that says: out of memory */

/* A large variable of a function, written before it is read: compilers told to clear what begins
 * unset (-ftrivial-auto-var-init=zero) leave it alone. */
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

/* Frees *p and puts a copy of s (NULL: NULL) in its place. */
void	 xreplace(char **p, const char *s);
#endif
