/* A plugin's own libraries: those that its file needs and that are found by the file's search path
 * (DT_RUNPATH, DT_RPATH; ld.so(8)), outside of the system's folders. Checks the file's machine,
 * too. */
#ifndef CORE_LIBRARY_H
#define CORE_LIBRARY_H
#include "base/buf.h"

#include <sys/stat.h>

#define LIBRARY_MAX	32		/* of a plugin, with those that its libraries need */

struct library {
	char		*name;		/* in DT_NEEDED */
	char		*file;		/* path */
	int		 fd;		/* open for reading */
	struct stat	 st;		/* of fd */
};
struct libraries {
	struct library	 v[LIBRARY_MAX];	/* by name, once all are found */
	size_t		 n;
	const char	*copies;	/* they are looked for in this folder alone; or NULL */
};

/* Finds the own libraries of an open file, and in turn theirs. 0; -1 and why: the file is for
 * another machine, the libraries are too many, or one lies where others can change it (trust.h). A file that is no shared object has none:
 * dlopen() reports the fault. */
int	libraries_find(struct libraries *, const char *file, int fd, struct buf *why);
/* The same for a copy: its libraries are those that it needs and that are in the folder. folder is
 * borrowed. */
int	libraries_copied(struct libraries *, const char *folder, int fd, struct buf *why);
void	libraries_close(struct libraries *);	/* closes and frees all; ready for use again */
/* Adds their folders, each once, a colon between, as in LD_LIBRARY_PATH. */
void	libraries_folders(const struct libraries *, struct buf *);
#endif
