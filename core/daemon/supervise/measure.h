/* The memory of one process, its memory files included, as /proc tells. */
#ifndef CORE_MEASURE_H
#define CORE_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A memory file (memfd_create(2)) that a process has open. */
struct measure_file { uint64_t inode, bytes; };
/* The files of several processes; the owner frees v. */
struct measure_files {
	struct measure_file	*v;
	size_t			 n, room;
	uint64_t		 device;	/* of all memory files: measure_device() */
};

/* The device number of memory files; 0: there are none on this system. */
uint64_t	measure_device(void);
/* Bytes of memory that are the process's own: anonymous and shared memory, in memory or in swap,
 * and page tables. 0: it has ended, or /proc cannot be read. */
uint64_t	measure_own(pid_t);
/* Adds the memory files that the process has open, and their bytes to *bytes. A file that is open
 * twice is counted twice. -1: they cannot be listed. */
int		measure_open(pid_t, struct measure_files *, uint64_t *bytes);
/* Sorts the files by their inodes, for measure_has(). */
void		measure_sort(struct measure_files *);
int		measure_has(const struct measure_files *, uint64_t inode);
#endif
