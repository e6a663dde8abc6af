/* A plugin's copy, with the copies of its own libraries in a folder beside it: whether it is still what
 * was copied. The daemon's user can write there, and so can who once ran as that user. */
#ifndef CORE_COPY_CHECK_H
#define CORE_COPY_CHECK_H
#include "library.h"

#define COPY_DIGEST	32		/* bytes of a SHA-256 */
#define COPY_STEP	(256u << 10)	/* bytes of a file that one step reads */

struct evp_md_ctx_st;

/* The hash of a plugin, hex, from those of its file and of its own libraries: the file's, or with
 * libraries the hash of all hashes and the libraries' names. */
void	copy_hash(char hash[65], struct evp_md_ctx_st *, unsigned char sum[][COPY_DIGEST],
	    const struct libraries *);

struct copy_check;			/* opaque */
/* folder: of the copies of the libraries, if there are any. */
struct copy_check *copy_check_new(const char *copy, const char *folder, const char *hash);
/* Reads a part. 1: go on; 0: the copy is what was copied; -1, and why: it is not. */
int	copy_check_step(struct copy_check *, struct buf *why);
/* Whether the copy brings libraries: valid once copy_check_step() returned 0. */
int	copy_check_libraries(const struct copy_check *);
void	copy_check_free(struct copy_check *);	/* NULL is fine */

/* Removes a copy, or the folder of a copy's own libraries. -1 with errno. */
int	copy_remove(const char *path);
#endif
