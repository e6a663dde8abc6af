/* sink_jsonl: appends records to a file as JSON Lines (jsonlines.org), one a line, and begins
 * a new file by size or day. What it says is done is on disk; a torn last line is cut. */
#include "out/files.h"

#include <courant/plugin.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_MAX	(4u << 20)	/* bytes of one write(), but for a longer record */
#define TAIL_MAX	(8u << 20)	/* read back after a start, to find what a crash repeats */
#define TORN_MAX	(64u << 20)	/* bytes of a torn line */
#define TORN_BLOCK	(64u << 10)
#define ROTATED_MAX	10000		/* rotated files that are looked at */
#define SUFFIX_MAX	24		/* ".2026-11-21.999999999" */
#define NAME_MAX_ALL	(FILES_PATH_MAX + SUFFIX_MAX)
#define DAY		INT64_C(86400000)

struct jsonl {
	const char	*path;
	int64_t		 rotate_size;
	int		 rotate_daily;
	int64_t		 kept;
	/* ours */
	int		 ready;		/* fd is open */
	int		 fd;
	int		 fresh;		/* nothing was written since this process began */
	off_t		 size;		/* of the file, all of it whole lines */
	int64_t		 day;		/* of the last line, since 1970 */
};

static const struct cr_option options[] = {
	CR_OPTION(struct jsonl, path, STRING, NULL, NULL,
	    "file to append to, below the output folder"),
	CR_OPTION(struct jsonl, rotate_size, SIZE, "64 MB", "0..",
	    "a new file when it would grow beyond this; 0: never"),
	CR_OPTION(struct jsonl, rotate_daily, BOOL, "no", NULL, "a new file each day (UTC)"),
	CR_OPTION(struct jsonl, kept, INT, "0", "0..10000",
	    "rotated files that stay, the newest; 0: all"),
	CR_END
};

struct text {
	char	*data;
	size_t	 len, cap;
};

static int
check(struct cr *cr, const void *opts)
{
	const struct jsonl *o = opts;
	const char *why = files_wrong(o->path, SUFFIX_MAX);

	return why != NULL ? cr->fail(cr, CR_BAD_OPTION, "path: %s", why) : 0;
}

/* ---- the file ---- */

static void
file_close(struct jsonl *o)
{
	if (o->ready)
		close(o->fd);
	o->ready = 0;
}

static ssize_t
read_at(int fd, char *p, size_t len, off_t at)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = pread(fd, p + got, len - got, at + (off_t)got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Where the last whole line ends, looking back from size; 0 when there is none; -1 with errno. */
static off_t
whole_lines(int fd, off_t size)
{
	char block[TORN_BLOCK];
	const char *end;
	off_t at = size;
	ssize_t n;

	while (at > 0) {
		if (size - at > TORN_MAX) {
			errno = EFBIG;
			return -1;
		}
		n = (ssize_t)(at < (off_t)sizeof(block) ? at : (off_t)sizeof(block));
		at -= n;
		if (read_at(fd, block, (size_t)n, at) != n)
			return -1;
		if ((end = memrchr(block, '\n', (size_t)n)) != NULL)
			return at + (end - block) + 1;
	}
	return 0;
}

/* A file of one line without an end is torn when it begins as ours do, or as a file that lost its
 * blocks with the power; another's is not ours to cut. */
static int
is_ours(int fd)
{
	char c;

	return read_at(fd, &c, 1, 0) == 1 && (c == '{' || c == '\0');
}

/* Cuts off a line that a crash tore. -1 with errno. */
static int
file_mend(struct cr *cr, struct jsonl *o)
{
	off_t end = whole_lines(o->fd, o->size);

	if (end == -1)
		return -1;
	if (end == o->size)
		return 0;
	if (end == 0 && !is_ours(o->fd)) {
		errno = EEXIST;
		return -1;
	}
	if (ftruncate(o->fd, end) == -1 || fsync(o->fd) == -1)
		return -1;
	cr->log(cr, "%s: cut off a torn line of %jd bytes", o->path, (intmax_t)(o->size - end));
	o->size = end;
	return 0;
}

static int
file_open(struct cr *cr, struct jsonl *o)
{
	struct stat st;
	int saved;

	if (files_make_folders(o->path) == -1)
		return -1;
	o->fd = open(o->path,
	    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (o->fd == -1)
		return -1;
	o->ready = 1;
	if (fstat(o->fd, &st) == -1)
		goto bad;
	errno = EEXIST;
	if (!S_ISREG(st.st_mode))
		goto bad;
	o->size = st.st_size;
	o->day = st.st_mtim.tv_sec / (DAY / 1000);
	if (file_mend(cr, o) == 0 && files_sync_folder(o->path) == 0)
		return 0;
bad:
	saved = errno;
	file_close(o);
	errno = saved;
	return -1;
}

/* The file is open, is the one under its name (another program may have moved it away) and holds
 * whole lines. -1 with errno. */
static int
file_ready(struct cr *cr, struct jsonl *o)
{
	struct stat ours, named;

	if (o->ready) {
		if (stat(o->path, &named) == 0 && fstat(o->fd, &ours) == 0 &&
		    named.st_ino == ours.st_ino && named.st_dev == ours.st_dev &&
		    ours.st_size == o->size)
			return 0;
		file_close(o);
	}
	return file_open(cr, o);
}

/* ---- rotation ---- */

/* A rotated file's name ends in .N, .YYYY-MM-DD or .YYYY-MM-DD.N, in order of time. */
struct rotated {
	char	 date[11];		/* "" for none */
	long	 n;			/* 0: none */
};

static int
rotated_order(const void *va, const void *vb)
{
	const struct rotated *a = va, *b = vb;
	int c = strcmp(a->date, b->date);

	return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}

static void
rotated_name(char out[NAME_MAX_ALL + 1], const char *path, const struct rotated *r)
{
	char n[SUFFIX_MAX] = "";

	if (r->n > 0)
		snprintf(n, sizeof(n), ".%ld", r->n);
	snprintf(out, NAME_MAX_ALL + 1, "%s%s%s%s", path, r->date[0] != '\0' ? "." : "", r->date,
	    n);
}

/* A number without leading zeros, to the end. */
static int
read_number(const char *s, long *n)
{
	size_t len = strspn(s, "0123456789");

	if (len == 0 || len > 9 || s[0] == '0' || s[len] != '\0')
		return -1;
	*n = strtol(s, NULL, 10);
	return 0;
}

/* What stands behind the file's own name and a dot. -1: no rotated file's. */
static int
rotated_read(struct rotated *r, const char *suffix)
{
	static const char shape[] = "dddd-dd-dd";
	size_t i;

	*r = (struct rotated){ .n = 0 };
	for (i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? suffix[i] < '0' || suffix[i] > '9' : suffix[i] != '-')
			return read_number(suffix, &r->n);
	memcpy(r->date, suffix, i);
	if (suffix[i] == '\0')
		return 0;
	return suffix[i] == '.' ? read_number(suffix + i + 1, &r->n) : -1;
}

/* The rotated files of path, oldest first, into a new array. -1 with errno. */
static int
rotated_list(const char *path, struct rotated **list, size_t *n)
{
	char folder[FILES_PATH_MAX + 1];
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	size_t len = strlen(name);
	struct dirent *e;
	DIR *dir;

	*n = 0;
	if ((*list = calloc(ROTATED_MAX, sizeof(**list))) == NULL)
		return -1;
	if ((dir = opendir(files_folder(folder, path))) == NULL) {
		free(*list);
		return -1;
	}
	while (*n < ROTATED_MAX && (e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, name, len) == 0 && e->d_name[len] == '.' &&
		    rotated_read(&(*list)[*n], e->d_name + len + 1) == 0)
			(*n)++;
	closedir(dir);
	qsort(*list, *n, sizeof(**list), rotated_order);
	return 0;
}

/* The name that the file is moved to: the next that is free, so that none is ever overwritten. */
static void
rotated_next(const struct jsonl *o, const struct rotated *list, size_t n, struct rotated *r)
{
	time_t at = (time_t)(o->day * (DAY / 1000));
	struct tm tm;
	size_t i;

	*r = (struct rotated){ .n = o->rotate_daily ? 0 : 1 };
	if (o->rotate_daily && gmtime_r(&at, &tm) != NULL)
		strftime(r->date, sizeof(r->date), "%Y-%m-%d", &tm);
	for (i = 0; i < n; i++)
		if (strcmp(list[i].date, r->date) == 0 && list[i].n >= r->n)
			r->n = list[i].n + 1;
}

/* Removes the oldest, so that with the one just made `kept` are left. */
static void
rotated_prune(struct cr *cr, const struct jsonl *o, const struct rotated *list, size_t n)
{
	char name[NAME_MAX_ALL + 1];
	size_t i;

	for (i = 0; o->kept > 0 && i < n && (int64_t)(n - i) >= o->kept; i++) {
		rotated_name(name, o->path, &list[i]);
		if (unlink(name) == -1 && errno != ENOENT)
			cr->log(cr, "%s: %s", name, strerror(errno));
	}
}

/* Moves the file away and opens a new one. -1 with errno: neither may have happened; file_ready()
 * finds out. */
static int
rotate(struct cr *cr, struct jsonl *o)
{
	char name[NAME_MAX_ALL + 1];
	struct rotated *list, next;
	struct stat st;
	size_t n;
	int rc = -1;

	if (rotated_list(o->path, &list, &n) == -1)
		return -1;
	rotated_next(o, list, n, &next);
	rotated_name(name, o->path, &next);
	while (lstat(name, &st) == 0) {		/* there are more than the list holds */
		next.n++;
		rotated_name(name, o->path, &next);
	}
	if (rename(o->path, name) == 0) {
		rotated_prune(cr, o, list, n);
		file_close(o);
		rc = file_open(cr, o);
	}
	free(list);
	return rc;
}

static int
rotation_due(struct cr *cr, const struct jsonl *o, size_t more)
{
	if (o->size == 0)
		return 0;
	if (o->rotate_daily && cr->now(cr) / DAY != o->day)
		return 1;
	return o->rotate_size > 0 && o->size > o->rotate_size - (int64_t)more;
}

/* ---- a batch ---- */

static int
text_add(struct text *t, const char *s, size_t len)
{
	size_t cap = t->cap > 0 ? t->cap : TORN_BLOCK;
	char *p;

	while (cap - t->len < len)
		cap *= 2;
	if (cap > t->cap) {
		if ((p = realloc(t->data, cap)) == NULL)
			return -1;
		t->data = p;
		t->cap = cap;
	}
	memcpy(t->data + t->len, s, len);
	t->len += len;
	return 0;
}

/* Puts the lines of the records from `at` on into t, to CHUNK_MAX and at least one; returns the
 * place behind the last of them, or 0 with errno. */
static size_t
gather(struct cr *cr, const struct cr_batch *batch, size_t at, struct text *t)
{
	const char *json;

	t->len = 0;
	do {
		if ((json = cr->json(batch->items[at])) == NULL) {
			errno = ENOMEM;
			return 0;
		}
		if (text_add(t, json, strlen(json)) == -1 || text_add(t, "\n", 1) == -1)
			return 0;
	} while (++at < batch->n && t->len < CHUNK_MAX);
	return at;
}

/* Where in p the last line stands that is this one; NULL: nowhere. */
static const char *
find_line(const char *p, const char *end, const char *line, size_t len)
{
	const char *next, *found = NULL;

	for (; p != NULL && (size_t)(end - p) > len; p = next != NULL ? next + 1 : NULL) {
		if (p[len] == '\n' && memcmp(p, line, len) == 0)
			found = p;
		next = memchr(p, '\n', (size_t)(end - p));
	}
	return found;
}

/* How many of the batch's first the last lines of the file already are. */
static size_t
count_repeated(struct cr *cr, const struct cr_batch *batch, const char *p, const char *end)
{
	const char *json = cr->json(batch->items[0]);
	size_t i, len;

	if (json == NULL || (p = find_line(p, end, json, strlen(json))) == NULL)
		return 0;
	for (i = 0; i < batch->n && p < end; i++) {
		json = cr->json(batch->items[i]);
		len = json != NULL ? strlen(json) : 0;
		if (len == 0 || (size_t)(end - p) <= len || memcmp(p, json, len) != 0 ||
		    p[len] != '\n')
			return 0;
		p += len + 1;
	}
	return p == end ? i : 0;
}

/* A process that was killed may have written a batch, or its first lines, that is now handed out
 * again. The lines of the same delivery are the same bytes. */
static size_t
already_there(struct cr *cr, struct jsonl *o, const struct cr_batch *batch)
{
	off_t from = o->size > TAIL_MAX ? o->size - TAIL_MAX : 0;
	size_t len = (size_t)(o->size - from), n = 0;
	const char *start;
	char *tail;

	if (len == 0 || (tail = malloc(len)) == NULL)
		return 0;
	start = tail;
	if (read_at(o->fd, tail, len, from) == (ssize_t)len) {
		if (from > 0 && (start = memchr(tail, '\n', len)) != NULL)
			start++;
		if (start != NULL)
			n = count_repeated(cr, batch, start, tail + len);
	}
	free(tail);
	if (n > 0)
		cr->log(cr, "%s: %zu records of %s are already there", o->path, n, batch->id);
	return n;
}

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if ((n = write(fd, p, len)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Appends the records from `at` on. -1 with errno: the file is as before, or closed, to be
 * mended. */
static int
append(struct cr *cr, struct jsonl *o, const struct cr_batch *batch, size_t at, struct text *t)
{
	off_t before = -1;
	int saved;

	while (at < batch->n) {
		if ((at = gather(cr, batch, at, t)) == 0)
			goto bad;
		if (before == -1) {
			if (rotation_due(cr, o, t->len) && rotate(cr, o) == -1)
				goto bad;
			before = o->size;
		}
		if (write_all(o->fd, t->data, t->len) == -1)
			goto bad;
		o->size += (off_t)t->len;
	}
	if (fsync(o->fd) == 0) {
		o->day = cr->now(cr) / DAY;
		return 0;
	}
bad:
	saved = errno;
	if (before != -1 && o->ready) {
		o->size = before;
		if (ftruncate(o->fd, before) == -1)
			file_close(o);
	}
	errno = saved;
	return -1;
}

static int
open_first(struct cr *cr, void *opts)
{
	struct jsonl *o = opts;

	(void)cr;
	o->fresh = 1;
	return 0;
}

static void
close_last(struct cr *cr, void *opts)
{
	(void)cr;
	file_close(opts);
}

/* What a failure means to the operator, beyond strerror(). */
static const char *
explain(int error)
{
	if (error == EEXIST)
		return "there is something else than JSON Lines under this name";
	if (error == EFBIG)
		return "no end of line in its last 64 MiB: not JSON Lines";
	return strerror(error);
}

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	struct jsonl *o = opts;
	struct text text = { NULL, 0, 0 };
	size_t at = 0;
	int rc;

	if (batch->n == 0)
		return 0;
	if ((rc = file_ready(cr, o)) == 0) {
		if (o->fresh)
			at = already_there(cr, o, batch);
		rc = append(cr, o, batch, at, &text);
	}
	if (rc == -1)
		cr->retry(cr, -1, "%s: %s", o->path, explain(errno));
	else
		o->fresh = 0;
	free(text.data);
	return rc == -1 ? 0 : batch->n;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "jsonl", .version = "1", .help = "records as JSON Lines in a file",
	.options = options, .options_size = sizeof(struct jsonl),
	.wants = CR_FILES, .takes = CR_BATCH_RECORDS,
	.check = check, .open = open_first, .close = close_last, .deliver = deliver,
};
