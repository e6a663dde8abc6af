/* Serves over HTTP the files that sinks write: validators, ranges, compression. */
#include "outputs.h"
#include "reply.h"
#include "serve.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/written.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP_MIN	256		/* bytes: smaller files are not compressed */
#define GZIP_LEVEL	5
#define NAME_BYTES	255
#define ETAG_MAX	80

/* A compressed file; etag identifies the content. */
struct cached {
	char		 etag[ETAG_MAX];
	struct shared	*body;			/* NULL: a free place */
	uint64_t	 used;			/* outputs.clock at the last use */
};

struct outputs {
	char		*folder;
	int		 fd;			/* of the folder; -1: not open */
	struct written	 written;
	uint64_t	 clock;			/* counts uses of the cache */
	size_t		 bytes;			/* in the cache */
	struct cached	 cache[OUTPUTS_CACHE_FILES];
};

/* A file that was asked for. */
struct found {
	int		 fd;
	struct stat	 st;
	const char	*type;
	int		 gzip;			/* gzip was chosen as the encoding */
	char		 etag[ETAG_MAX];	/* of this content in this encoding, quoted */
	char		 modified[DATE_MAX];
};

static const struct type {
	const char	*suffix, *type;
} types[] = {
	{ ".rss", "application/rss+xml; charset=utf-8" },
	{ ".atom", "application/atom+xml; charset=utf-8" },
	{ ".json", "application/feed+json; charset=utf-8" },
	{ ".jsonl", "application/jsonl; charset=utf-8" },
	{ ".xml", "application/xml; charset=utf-8" },
	{ ".opml", "text/x-opml; charset=utf-8" },
	{ ".html", "text/html; charset=utf-8" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".csv", "text/csv; charset=utf-8" },
};

struct outputs *
outputs_new(const char *folder)
{
	struct outputs *o = xcalloc(1, sizeof(*o));

	o->folder = xstrdup(folder);
	o->fd = -1;
	return o;
}

static void
cache_drop(struct outputs *o, struct cached *c)
{
	if (c->body == NULL)
		return;
	o->bytes -= c->body->len;
	shared_free(c->body);
	*c = (struct cached){ .body = NULL };
}

void
outputs_free(struct outputs *o)
{
	size_t i;

	if (o == NULL)
		return;
	for (i = 0; i < OUTPUTS_CACHE_FILES; i++)
		cache_drop(o, &o->cache[i]);
	if (o->fd != -1)
		close(o->fd);
	written_free(&o->written);
	free(o->folder);
	free(o);
}

int
outputs_take(struct outputs *o, struct wire *w)
{
	return written_read(&o->written, w);
}

/* Whether no route of the configuration writes the file any more. */
static int
is_abandoned(const struct outputs *o, const char *file)
{
	const struct written_file *f = written_find(&o->written, file);

	return f != NULL && !f->active;
}

/* ---- types ---- */

/* The type by the last known suffix: a rotated all.jsonl.2026-11-21 is JSON Lines, too. */
static const struct type *
find_type(const char *name)
{
	const struct type *t, *best = NULL;
	const char *dot, *at = NULL;
	size_t len;

	for (t = types; t < types + sizeof(types) / sizeof(types[0]); t++) {
		len = strlen(t->suffix);
		for (dot = strstr(name, t->suffix); dot != NULL; dot = strstr(dot + 1, t->suffix))
			if ((dot[len] == '\0' || dot[len] == '.') && dot > name && dot > at) {
				at = dot;
				best = t;
			}
	}
	return best;
}

const char *
outputs_type(const char *name)
{
	const struct type *t = find_type(name);

	return t != NULL ? t->type : "application/octet-stream";
}

/* ---- finding a file ---- */

/* The folder's file descriptor, or -1. The folder may be created, or replaced, while serve runs. */
static int
root(struct outputs *o)
{
	struct stat st;

	if (o->fd != -1 && (fstat(o->fd, &st) == -1 || st.st_nlink == 0)) {
		close(o->fd);
		o->fd = -1;
	}
	if (o->fd == -1)
		o->fd = open(o->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return o->fd;
}

/* Copies one name of a path. 0, or -1 with ENOENT: a name that is not served. */
static int
path_name(char out[NAME_BYTES + 1], const char *at, size_t len)
{
	errno = ENOENT;
	if (len == 0 || len > NAME_BYTES || at[0] == '.')
		return -1;
	memcpy(out, at, len);
	out[len] = '\0';
	return 0;
}

/* Opens the file below the folder, name by name, following no symbolic link. -1: there is none. */
static int
open_below(struct outputs *o, const char *path)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	char name[NAME_BYTES + 1];
	int folder = root(o), fd;
	size_t len;

	while (folder != -1) {
		path++;
		len = strcspn(path, "/");
		fd = -1;
		if (path_name(name, path, len) == 0)
			fd = openat(folder, name, path[len] == '/' ? flags | O_DIRECTORY : flags);
		if (folder != o->fd)
			close(folder);
		if (path[len] == '\0')
			return fd;
		folder = fd;
		path += len;
	}
	return -1;
}

int
outputs_open(struct outputs *o, const char *path)
{
	return open_below(o, path);
}

/* ---- compression ---- */

/* Whether an Accept-Encoding (RFC 9110 12.5.3) allows gzip. */
static int
accepts_gzip(const char *s)
{
	int any = 0, named = -1, yes;
	size_t len, name;
	const char *q;

	for (; s != NULL && *s != '\0'; s += len + (s[len] == ',')) {
		s += strspn(s, " \t");
		len = strcspn(s, ",");
		name = strcspn(s, ",; \t");
		q = memchr(s, ';', len);
		if (q != NULL)
			q += 1 + strspn(q + 1, " \t");
		yes = q == NULL || strncasecmp(q, "q=", 2) != 0 || strtod(q + 2, NULL) > 0;
		if ((name == 4 && strncasecmp(s, "gzip", 4) == 0) ||
		    (name == 6 && strncasecmp(s, "x-gzip", 6) == 0))
			named = yes;
		else if (name == 1 && *s == '*')
			any = yes;
	}
	return named != -1 ? named : any;
}

/* Reads the whole file into b. -1: the file has become shorter, or cannot be read. */
static int
slurp(int fd, size_t size, struct buf *b)
{
	char *room = buf_room(b, size);
	size_t got = 0;
	ssize_t n;

	while (room != NULL && got < size) {
		n = pread(fd, room + got, size - got, (off_t)got);
		if (n <= 0)
			return -1;
		got += (size_t)n;
	}
	b->len = size;
	return room != NULL ? 0 : -1;
}

/* Compresses in the gzip format (RFC 1952), without a time: equal files give equal bytes. -1: no
 * memory. */
static int
compress_gzip(const struct buf *in, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)in->data, .avail_in = (uInt)in->len };
	uLong bound;
	char *room;
	int rc = -1;

	if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	bound = deflateBound(&z, in->len);
	if ((room = buf_room(out, bound)) != NULL) {
		z.next_out = (Bytef *)room;
		z.avail_out = (uInt)bound;
		if (deflate(&z, Z_FINISH) == Z_STREAM_END) {
			out->len = z.total_out;
			rc = 0;
		}
	}
	deflateEnd(&z);
	return rc;
}

/* The file's place in the cache, else the least recently used place. */
static struct cached *
cache_find(struct outputs *o, const char *etag)
{
	struct cached *c, *oldest = o->cache;

	for (c = o->cache; c < o->cache + OUTPUTS_CACHE_FILES; c++) {
		if (strcmp(c->etag, etag) == 0)
			return c;
		if (c->used < oldest->used)
			oldest = c;
	}
	return oldest;
}

/* The least recently used file in the cache other than `but`; NULL: none. */
static struct cached *
cache_oldest(struct outputs *o, const struct cached *but)
{
	struct cached *c, *oldest = NULL;

	for (c = o->cache; c < o->cache + OUTPUTS_CACHE_FILES; c++)
		if (c != but && c->body != NULL && (oldest == NULL || c->used < oldest->used))
			oldest = c;
	return oldest;
}

/* Takes over the caller's reference to body. */
static void
cache_put(struct outputs *o, const char *etag, struct shared *body)
{
	struct cached *c = cache_find(o, etag), *old;

	cache_drop(o, c);
	snprintf(c->etag, sizeof(c->etag), "%s", etag);
	c->body = body;
	c->used = ++o->clock;
	o->bytes += body->len;
	while (o->bytes > OUTPUTS_CACHE_BYTES && (old = cache_oldest(o, c)) != NULL)
		cache_drop(o, old);
}

/* The compressed file, from the cache or newly made; NULL: an error. Borrowed from the cache. */
static struct shared *
gzipped(struct serve *s, const struct found *f)
{
	struct outputs *o = s->outputs;
	struct cached *c = cache_find(o, f->etag);
	struct buf in, out;
	struct shared *body = NULL;

	if (c->body != NULL && strcmp(c->etag, f->etag) == 0) {
		c->used = ++o->clock;
		return c->body;
	}
	buf_init(&in, OUTPUTS_GZIP_MAX);
	buf_init(&out, OUTPUTS_GZIP_MAX + OUTPUTS_GZIP_MAX / 8);
	if (slurp(f->fd, (size_t)f->st.st_size, &in) == 0 && compress_gzip(&in, &out) == 0) {
		body = shared_new(s, &out);
		cache_put(o, f->etag, body);
	}
	buf_free(&in);
	buf_free(&out);
	return body;
}

/* ---- conditions (RFC 9110 13) ---- */

static int
not_modified(struct evhttp_request *req, const struct found *f)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *since = evhttp_find_header(in, "If-Modified-Since");
	int64_t ms;

	if (evhttp_find_header(in, "If-None-Match") != NULL)
		return reply_matches(req, f->etag);
	return since != NULL && date_parse(since, &ms) == 0 && f->st.st_mtim.tv_sec <= ms / 1000;
}

/* A decimal number that fits off_t; -1: none. *end points behind it. */
static off_t
number(const char *s, const char **end)
{
	off_t n = 0;

	for (*end = s; **end >= '0' && **end <= '9'; ++*end) {
		if (n > INT64_MAX / 10 - 1)
			return -1;
		n = n * 10 + (**end - '0');
	}
	return *end > s ? n : -1;
}

/* A single byte range (RFC 9110 14.1.2). 1: *from and *len are set; 0: no range that is supported,
 * the whole file is sent; -1: outside of the file. */
static int
range(struct evhttp_request *req, const struct found *f, off_t *from, off_t *len)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *s = evhttp_find_header(in, "Range");
	const char *unless = evhttp_find_header(in, "If-Range");
	off_t first, last, size = f->st.st_size;

	if (s == NULL || strncasecmp(s, "bytes=", 6) != 0 || is_head(req) ||
	    (unless != NULL && strcmp(unless, f->etag) != 0 && strcmp(unless, f->modified) != 0))
		return 0;
	first = number(s + 6, &s);
	if (*s++ != '-')
		return 0;
	last = number(s, &s);
	if (*s != '\0' || (first == -1 && last == -1) || (last != -1 && last < first))
		return 0;
	if (first == -1) {
		first = last < size ? size - last : 0;
		last = size - 1;
	} else if (last == -1 || last >= size)
		last = size - 1;
	if (first > last || first >= size)
		return -1;
	*from = first;
	*len = last - first + 1;
	return 1;
}

/* ---- answering ---- */

static void
common_headers(struct evhttp_request *req, const struct found *f)
{
	reply_common(req);
	reply_header(req, "ETag", f->etag);
	reply_header(req, "Last-Modified", f->modified);
	if (evhttp_find_header(evhttp_request_get_output_headers(req), "Cache-Control") == NULL)
		reply_header(req, "Cache-Control", "no-cache");
	reply_header(req, "Vary", "Accept-Encoding");
}

/* Sends a part of the file from the file descriptor, which is taken over: the bytes are not held in
 * memory. If the file is truncated meanwhile, the connection ends early. */
static void
send_part(struct evhttp_request *req, int status, struct found *f, off_t from, off_t len)
{
	struct bufferevent *bev =
	    evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)len);
	reply_header(req, "Content-Length", text);
	reply_header(req, "Accept-Ranges", "bytes");
	if (is_head(req) || len == 0) {
		evhttp_send_reply(req, status, NULL, NULL);
		return;
	}
	evhttp_send_reply_start(req, status, status == 206 ? "Partial Content" : "OK");
	if (evbuffer_add_file(bufferevent_get_output(bev), f->fd, from, len) == -1)
		fatal("no memory for an answer");
	f->fd = -1;
	evhttp_send_reply_end(req);
}

static void
send_plain(struct serve *s, struct evhttp_request *req, struct found *f)
{
	off_t from = 0, len = f->st.st_size;
	char text[96];

	switch (range(req, f, &from, &len)) {
	case -1:
		snprintf(text, sizeof(text), "bytes */%lld", (long long)f->st.st_size);
		reply_header(req, "Content-Range", text);
		reply_error(s, req, 416, "the file has %lld bytes", (long long)f->st.st_size);
		return;
	case 1:
		snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)from,
		    (long long)(from + len - 1), (long long)f->st.st_size);
		reply_header(req, "Content-Range", text);
		send_part(req, 206, f, from, len);
		return;
	}
	send_part(req, 200, f, 0, f->st.st_size);
}

/* Chooses the encoding and sets the validators. Ranges, and files below GZIP_MIN or over
 * OUTPUTS_GZIP_MAX, are not compressed. */
static void
choose(struct evhttp_request *req, struct found *f, int plain)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	unsigned long long ns = (unsigned long long)f->st.st_mtim.tv_sec * 1000000000 +
	    (unsigned long long)f->st.st_mtim.tv_nsec;

	f->gzip = !plain && f->st.st_size >= GZIP_MIN && f->st.st_size <= OUTPUTS_GZIP_MAX &&
	    evhttp_find_header(in, "Range") == NULL &&
	    accepts_gzip(evhttp_find_header(in, "Accept-Encoding"));
	snprintf(f->etag, sizeof(f->etag), "\"%llx-%llx-%llx%s\"", ns,
	    (unsigned long long)f->st.st_size, (unsigned long long)f->st.st_ino,
	    f->gzip ? "-gz" : "");
	date_http(f->modified, (int64_t)f->st.st_mtim.tv_sec * 1000);
}

static void
answer(struct serve *s, struct evhttp_request *req, struct found *f)
{
	struct shared *body = NULL;

	choose(req, f, 0);
	if (!not_modified(req, f) && f->gzip && (body = gzipped(s, f)) == NULL)
		choose(req, f, 1);
	common_headers(req, f);
	if (not_modified(req, f)) {
		reply_empty(req, 304);
		return;
	}
	reply_header(req, "Content-Type", f->type);
	if (body == NULL) {
		send_plain(s, req, f);
		return;
	}
	reply_header(req, "Content-Encoding", "gzip");
	reply_shared(req, body);
}

void
outputs_answer(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct found f = { .type = outputs_type(path) };

	if (is_abandoned(s->outputs, path + 1)) {
		reply_error(s, req, 410, "nobody writes %s any more", path);
		return;
	}
	f.fd = open_below(s->outputs, path);
	if (f.fd == -1 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		log_warn("%s: %s", path, strerror(errno));
	if (f.fd == -1 || fstat(f.fd, &f.st) == -1 || !S_ISREG(f.st.st_mode))
		reply_error(s, req, 404, "there is no %s", path);
	else
		answer(s, req, &f);
	if (f.fd != -1)
		close(f.fd);
}

/* ---- the list ---- */

struct names {
	char	*name[OUTPUTS_LISTED];
	size_t	 n;
};

static void	list_folder(struct names *, int fd, const char *prefix, int depth);

/* Lists one name of a folder; takes ownership of path. */
static void
list_one(struct names *names, int folder, const char *name, char *path, int depth)
{
	struct stat st = { .st_mode = 0 };
	char *below;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    find_type(path) != NULL) {
		names->name[names->n++] = path;
		return;
	}
	if (S_ISDIR(st.st_mode) && depth < OUTPUTS_DEPTH && strcmp(path, OUTPUTS_EDITIONS) != 0) {
		below = xasprintf("%s/", path);
		list_folder(names, openat(folder, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), below, depth + 1);
		free(below);
	}
	free(path);
}

/* Closes fd, which may be -1. */
static void
list_folder(struct names *names, int fd, const char *prefix, int depth)
{
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while (names->n < OUTPUTS_LISTED && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			list_one(names, fd, e->d_name, xasprintf("%s%s", prefix, e->d_name), depth);
	closedir(dir);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
outputs_list(struct outputs *o, struct buf *b)
{
	struct names names = { .n = 0 };
	size_t i;

	if (root(o) != -1)
		list_folder(&names, openat(o->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "", 0);
	qsort(names.name, names.n, sizeof(names.name[0]), by_name);
	for (i = 0; i < names.n; i++) {
		if (!is_abandoned(o, names.name[i])) {
			buf_str(b, names.name[i]);
			buf_char(b, '\n');
		}
		free(names.name[i]);
	}
}
