/* Memory files (memfd_create(2)) that carry large bodies between processes; once sealed, they
 * cannot change. */
#ifndef CORE_MEMFD_H
#define CORE_MEMFD_H

#include <stddef.h>

/* A memfd that holds a copy of n bytes at p (NULL, 0: empty), open for writing; -1 with errno. */
int	memfd_new(const void *p, size_t n);

/* Seals a memfd against any change. -1: a process has it mapped for writing, or fd is no memfd. */
int	memfd_seal(int fd);

/* Maps a sealed memfd read-only; NULL with errno, also when it is not sealed or not len bytes long
 * (len SIZE_MAX: any length, stored in *size). The caller unmaps it by memfd_unmap(). */
const void *memfd_map(int fd, size_t len, size_t *size);
void	 memfd_unmap(const void *, size_t);

#endif
