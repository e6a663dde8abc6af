/* What the sinks that write files share: names that stay in the output folder, which is the working
 * directory, and folders that are there and on disk. */
#ifndef SHARED_FILES_H
#define SHARED_FILES_H
#include <stddef.h>

#define FILES_PATH_MAX	1024		/* bytes of a path below the output folder */
#define FILES_NAME_MAX	255		/* of one name in it, with all that the sink adds */

/* Why path is no name for a file below the output folder, or NULL. spare: bytes that the sink adds
 * to the last name. */
const char *files_wrong(const char *path, size_t spare);
/* The folder of path, without a slash at the end, into out[FILES_PATH_MAX + 1]; "." for none. */
const char *files_folder(char *out, const char *path);
int	 files_sync_folder(const char *path);	/* of a file. -1 with errno */
int	 files_write(int fd, const char *, size_t);	/* all of it. -1 with errno */
int	 files_make_folders(const char *path);	/* on the way to a file. -1 with errno */
#endif
