/* Reads file: URLs below the folders that the configuration allows (`files`). */
#ifndef CORE_FILE_URL_H
#define CORE_FILE_URL_H

struct setup;
struct fetch_job;
struct fetch_done;
struct buf;

/* Answers a file: URL as the fetch role answers an HTTP one. Returns a sealed memfd with the file
 * and a NUL behind it; -1 on status 304 (the validators match) and on errors, which are in
 * *fetch_done. Reads only below setup->files. The strings of *fetch_done point into *own. */
int	 local_fetch(const struct setup *, const struct fetch_job *, struct fetch_done *,
	    struct buf *own);
#endif
