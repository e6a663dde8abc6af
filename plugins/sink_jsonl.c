/* sink_jsonl: appends records to a file as JSON Lines (jsonlines.org), one a line, and begins
 * a new file by size or day, in the order of logrotate(8): .1 is the newest of those that were
 * moved away. What it says is done is on disk; a torn last line is cut. */
#include "shared/files.h"

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
#define ROTATED_MAX	20000		/* rotated files that are looked at when the oldest go */
#define ROTATED_LAST	999999999	/* number of the last of them */
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
	    "rotated files that stay, the newest (.1, .2 and so on); 0: all"),
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

/* A rotated file's name ends in .N (1 is the newest), in .YYYY-MM-DD or in .YYYY-MM-DD.N (of the
 * files of one day, the highest N is the newest). */
struct rotated {
	char	 date[11];		/* "" for none */
	long	 n;			/* 0: none */
};

/* Oldest first. */
static int
rotated_order(const void *va, const void *vb)
{
	const struct rotated *a = va, *b = vb;
	int c = strcmp(a->date, b->date), newer = (a->n > b->n) - (a->n < b->n);

	if (c != 0)
		return c;
	return a->date[0] != '\0' ? newer : -newer;
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

static int
rotated_exists(char name[NAME_MAX_ALL + 1], const char *path, const struct rotated *r)
{
	struct stat st;

	rotated_name(name, path, r);
	return lstat(name, &st) == 0;
}

/* Frees the name .1: each number moves up by one, as far as the first that is free, so that no file
 * is overwritten, also when a crash left a gap. -1 with errno. */
static int
rotated_shift(const char *path)
{
	char from[NAME_MAX_ALL + 1], to[NAME_MAX_ALL + 1];
	struct rotated r = { .n = 1 };

	while (rotated_exists(to, path, &r))
		if (r.n++ == ROTATED_LAST) {
			errno = EEXIST;
			return -1;
		}
	while (r.n > 1) {
		r.n--;
		rotated_name(from, path, &r);
		if (rename(from, to) == -1)
			return -1;
		memcpy(to, from, sizeof(to));
	}
	return 0;
}

/* The name that the file is moved to, which is free then. -1 with errno. */
static int
rotated_next(const struct jsonl *o, char name[NAME_MAX_ALL + 1])
{
	time_t at = (time_t)(o->day * (DAY / 1000));
	struct rotated r = { .n = 0 };
	struct tm tm;

	if (o->rotate_daily && gmtime_r(&at, &tm) != NULL) {
		strftime(r.date, sizeof(r.date), "%Y-%m-%d", &tm);
		while (rotated_exists(name, o->path, &r))
			r.n++;
		return 0;
	}
	r.n = 1;
	rotated_name(name, o->path, &r);
	return rotated_shift(o->path);
}

/* Removes the oldest, so that `kept` are left. */
static void
rotated_prune(struct cr *cr, const struct jsonl *o)
{
	char name[NAME_MAX_ALL + 1];
	struct rotated *list;
	size_t i, n;

	if (o->kept == 0)
		return;
	if (rotated_list(o->path, &list, &n) == -1) {
		cr->log(cr, "%s: none of its rotated files was removed: %s", o->path,
		    strerror(errno));
		return;
	}
	for (i = 0; i < n && (int64_t)(n - i) > o->kept; i++) {
		rotated_name(name, o->path, &list[i]);
		if (unlink(name) == -1 && errno != ENOENT)
			cr->log(cr, "%s: %s", name, strerror(errno));
	}
	free(list);
}

/* Moves the file away and opens a new one. -1 with errno: neither may have happened; file_ready()
 * finds out. */
static int
rotate(struct cr *cr, struct jsonl *o)
{
	char name[NAME_MAX_ALL + 1];

	if (rotated_next(o, name) == -1 || rename(o->path, name) == -1)
		return -1;
	rotated_prune(cr, o);
	file_close(o);
	return file_open(cr, o);
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

/* The bytes up to the end of a line's first member, the delivery's id; the NUL behind the line: 0. */
static size_t
id_len(const char *json)
{
	return json != NULL && json[0] == '{' ? strcspn(json, ",") : 0;
}

/* Whether the line at p is one of that delivery. Behind the id the same delivery may differ: its
 * story's heat fades. */
static int
is_line(const char *p, const char *end, const char *json)
{
	size_t len = id_len(json);

	return len > 0 && (size_t)(end - p) > len && memcmp(p, json, len) == 0 && p[len] == ',';
}

static const char *
next_line(const char *p, const char *end)
{
	const char *line = memchr(p, '\n', (size_t)(end - p));

	return line != NULL ? line + 1 : end;
}

/* How many of the batch's first the last lines of the file already are. */
static size_t
count_repeated(struct cr *cr, const struct cr_batch *batch, const char *p, const char *end)
{
	const char *json = cr->json(batch->items[0]), *first = NULL;
	size_t i;

	for (; json != NULL && p < end; p = next_line(p, end))
		if (is_line(p, end, json))
			first = p;
	if (first == NULL)
		return 0;
	for (i = 0, p = first; i < batch->n && p < end; i++) {
		if (!is_line(p, end, cr->json(batch->items[i])))
			return 0;
		p = next_line(p, end);
	}
	return p == end ? i : 0;
}

/* A process that was killed may have written a batch, or its first lines, that is now handed out
 * again. The lines of the same delivery begin with the same id. */
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
		if (files_write(o->fd, t->data, t->len) == -1)
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
