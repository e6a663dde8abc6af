/* The answers of the recording origin: rules, files and what is made up. */
#include "origin.h"
#include "serve/status_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define ITEMS_MAX	1000000		/* of a generated feed */
#define KEY_MAX		2048		/* bytes of a path with its query, for a rule */

static void
http_date(char *out, size_t size, time_t t)
{
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, size, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static long long
rule_int(const json_t *rule, const char *name, long long other)
{
	const json_t *v = json_object_get(rule, name);

	return json_is_integer(v) ? (long long)json_integer_value(v) : other;
}

const char *
rule_str(const json_t *rule, const char *name)
{
	return json_string_value(json_object_get(rule, name));
}

/* ---- Rules ---- */

int
rules_load(struct origin *o, const char *text, size_t len)
{
	json_error_t error;
	json_t *all = json_loadb(text, len, 0, &error), *value;
	const char *key;

	if (!json_is_object(all)) {
		fprintf(stderr, "origin: rules: line %d: %s\n", error.line, error.text);
		json_decref(all);
		return -1;
	}
	json_object_foreach(all, key, value)
		if (json_is_null(value))
			json_object_del(o->rules, key);
		else
			json_object_set(o->rules, key, value);
	json_decref(all);
	return 0;
}

/* The whole of a file as a string of *len bytes; NULL when it cannot be read. */
static char *
file_read(int dir, const char *name, size_t *len, struct stat *st)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	ssize_t n;

	*len = 0;
	if (fd == -1)
		return NULL;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_size <= (off_t)BODY_MAX) {
		text = need(malloc((size_t)st->st_size + 1));
		while (*len < (size_t)st->st_size &&
		    (n = read(fd, text + *len, (size_t)st->st_size - *len)) > 0)
			*len += (size_t)n;
		text[*len] = '\0';
	}
	close(fd);
	return text;
}

void
script_look(struct origin *o)
{
	struct stat st;
	size_t len;
	char *text;

	if (o->script == NULL || stat(o->script, &st) == -1 ||
	    (st.st_size == o->script_size && st.st_mtim.tv_sec == o->script_time.tv_sec &&
	    st.st_mtim.tv_nsec == o->script_time.tv_nsec))
		return;
	o->script_size = st.st_size;
	o->script_time = st.st_mtim;
	if ((text = file_read(AT_FDCWD, o->script, &len, &st)) == NULL)
		return;
	json_object_clear(o->rules);
	rules_load(o, text, len);
	free(text);
}

/* The rule of a list that the nth request falls to. */
static json_t *
rule_of_list(json_t *list, long long nth)
{
	json_t *rule = NULL;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		rule = json_array_get(list, i);
		nth -= rule_int(rule, "times", 1);
		if (nth < 0)
			break;
	}
	return rule;
}

static json_t *
rule_find(const struct origin *o, const struct request *q)
{
	char key[KEY_MAX];
	json_t *rule;
	char *slash;
	int n;

	n = snprintf(key, sizeof(key) - 2, "%s?%s", q->path, q->query != NULL ? q->query : "");
	if (q->query != NULL && (rule = json_object_get(o->rules, key)) != NULL)
		return rule;
	if ((rule = json_object_get(o->rules, q->path)) != NULL || n >= (int)sizeof(key) - 2)
		return rule;
	key[strlen(q->path)] = '\0';
	while ((slash = strrchr(key, '/')) != NULL) {
		slash[1] = '\0';
		if ((rule = json_object_get(o->rules, key)) != NULL)
			return rule;
		*slash = '\0';
	}
	return NULL;
}

static long long
hit(struct origin *o, const char *path)
{
	long long n = json_integer_value(json_object_get(o->hits, path));

	json_object_set_new(o->hits, path, json_integer(n + 1));
	return n;
}

/* Finds the rule of this request; tells how many there were before it. */
static long long
rule_take(struct origin *o, struct reply *r, const struct request *q)
{
	long long nth = hit(o, q->path);

	r->rule = rule_find(o, q);
	if (json_is_array(r->rule))
		r->rule = rule_of_list(r->rule, nth);
	return nth;
}

/* ---- Bodies ---- */

void
header_set(struct reply *r, const char *name, const char *value)
{
	json_object_set_new(r->headers, name, json_string(value));
}

/* Validators, unless the rule tells others. */
static void
validators(struct reply *r, const char *etag, const char *modified)
{
	const char *told;

	if (json_object_get(r->rule, "etag") != NULL)
		etag = rule_str(r->rule, "etag");
	if ((told = rule_str(r->rule, "modified")) != NULL ||
	    json_object_get(r->rule, "modified") != NULL)
		modified = told;
	if (etag != NULL)
		header_set(r, "ETag", etag);
	if (modified != NULL)
		header_set(r, "Last-Modified", modified);
}

static const char *
type_of(const char *name)
{
	static const struct { const char *end, *type; } types[] = {
		{ ".rss", "application/rss+xml" }, { ".atom", "application/atom+xml" },
		{ ".xml", "application/xml" }, { ".json", "application/json" },
		{ ".html", "text/html; charset=utf-8" }, { ".txt", "text/plain" },
	};
	size_t i, len = strlen(name), end;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		end = strlen(types[i].end);
		if (len > end && strcasecmp(name + len - end, types[i].end) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

static int
body_file(const struct origin *o, struct reply *r, const char *name)
{
	char etag[64], modified[64], *text;
	struct stat st;
	size_t len;

	while (*name == '/')
		name++;
	if (o->root == -1 || strstr(name, "..") != NULL ||
	    (text = file_read(o->root, name, &len, &st)) == NULL)
		return -1;
	evbuffer_add(r->body, text, len);
	free(text);
	snprintf(etag, sizeof(etag), "\"%llx-%llx\"", (unsigned long long)len,
	    (unsigned long long)st.st_mtim.tv_sec * 1000000000 +
	    (unsigned long long)st.st_mtim.tv_nsec);
	http_date(modified, sizeof(modified), st.st_mtime);
	validators(r, etag, modified);
	header_set(r, "Content-Type", type_of(name));
	return 0;
}

static void
body_filler(struct reply *r, long long size)
{
	static const char piece[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct evbuffer_iovec v;
	size_t left = size < (long long)BODY_MAX ? (size_t)size : BODY_MAX;

	if (left <= sizeof(piece) - 1) {
		evbuffer_add(r->body, piece, left);
	} else if (evbuffer_reserve_space(r->body, (ev_ssize_t)left, &v, 1) == 1) {
		memset(v.iov_base, 'a', left);
		v.iov_len = left;
		evbuffer_commit_space(r->body, &v, 1);
	}
	header_set(r, "Content-Type", "text/plain");
	validators(r, NULL, NULL);
}

/* An item of a generated feed: the same number, the same bytes. */
static void
item_put(struct reply *r, const char *name, long long n, int atom)
{
	long long fill = rule_int(r->rule, "item_bytes", 0);
	char date[64];
	struct tm tm;
	time_t t = (time_t)(1700000000 + n);

	gmtime_r(&t, &tm);
	strftime(date, sizeof(date), atom ? "%Y-%m-%dT%H:%M:%SZ" : "%a, %d %b %Y %H:%M:%S +0000", &tm);
	if (fill > 100000)
		fill = 100000;
	evbuffer_add_printf(r->body, atom ?
	    "<entry><id>%s#%lld</id><title>Item %lld of %s</title><updated>%s</updated>"
	    "<link href=\"http://example.org%s/%lld\"/><content>" :
	    "<item><guid isPermaLink=\"false\">%s#%lld</guid><title>Item %lld of %s</title>"
	    "<pubDate>%s</pubDate><link>http://example.org%s/%lld</link><description>",
	    name, n, n, name, date, name, n);
	evbuffer_add_printf(r->body, "Text %lld ", n);
	for (; fill > 0; fill -= 16)
		evbuffer_add(r->body, "words and words ", 16);
	evbuffer_add_printf(r->body, atom ? "</content></entry>\n" : "</description></item>\n");
}

static void
body_feed(const struct origin *o, struct reply *r, const struct request *q, long long nth)
{
	const char *name = rule_str(r->rule, "name"), *format = rule_str(r->rule, "format");
	long long total = rule_int(r->rule, "generate", 0), window, n;
	long long step = rule_int(r->rule, "grow_ms", 0), grow = rule_int(r->rule, "grow", 0);
	int atom = format != NULL && strcmp(format, "atom") == 0;
	char etag[64];

	if (name == NULL)
		name = q->path;
	total += grow * (step > 0 ? (now_ms() - o->started) / step : nth);
	window = rule_int(r->rule, "window", total);
	if (window > ITEMS_MAX)
		window = ITEMS_MAX;
	evbuffer_add_printf(r->body, atom ?
	    "<?xml version=\"1.0\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>%s</id>"
	    "<title>Feed %s</title><updated>2023-11-14T22:13:20Z</updated>\n" :
	    "<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel><link>http://example.org%s</link>"
	    "<title>Feed %s</title><description>made up</description>\n", name, name);
	for (n = total; n > 0 && n > total - window; n--)
		item_put(r, name, n, atom);
	evbuffer_add_printf(r->body, atom ? "</feed>\n" : "</channel></rss>\n");
	snprintf(etag, sizeof(etag), "\"g%lld-%lld\"", total, window);
	validators(r, etag, NULL);
	header_set(r, "Content-Type", atom ? "application/atom+xml" : "application/rss+xml");
}

static void
body_text(struct reply *r)
{
	const json_t *body = json_object_get(r->rule, "body");
	const char *text = json_is_string(body) ? json_string_value(body) : "";
	size_t len = json_is_string(body) ? json_string_length(body) : 0, i;
	unsigned long hash = 5381;
	char etag[32];

	for (i = 0; i < len; i++)
		hash = hash * 33 + (unsigned char)text[i];
	evbuffer_add(r->body, text, len);
	snprintf(etag, sizeof(etag), "\"t%lx\"", hash);
	validators(r, body != NULL ? etag : NULL, NULL);
	if (body != NULL)
		header_set(r, "Content-Type", "text/plain; charset=utf-8");
}

/* Fills the body; 404 when there is nothing by that name. */
static void
body_choose(const struct origin *o, struct reply *r, const struct request *q, long long nth)
{
	const char *name = rule_str(r->rule, "file"), *type = rule_str(r->rule, "type");

	if (json_object_get(r->rule, "generate") != NULL)
		body_feed(o, r, q, nth);
	else if (json_object_get(r->rule, "size") != NULL)
		body_filler(r, rule_int(r->rule, "size", 0));
	else if (json_object_get(r->rule, "body") != NULL || (name == NULL && r->status != 200))
		body_text(r);
	else if (body_file(o, r, name != NULL ? name : q->path) == -1) {
		r->status = 404;
		evbuffer_add_printf(r->body, "no such file\n");
		header_set(r, "Content-Type", "text/plain");
	}
	if (type != NULL)
		header_set(r, "Content-Type", type);
}

static void
body_gzip(struct reply *r)
{
	size_t len = evbuffer_get_length(r->body);
	z_stream z = { 0 };
	size_t room;
	unsigned char *out;

	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		die("zlib");
	room = deflateBound(&z, len);
	out = need(malloc(room));
	z.next_in = evbuffer_pullup(r->body, -1);
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)room;
	deflate(&z, Z_FINISH);
	evbuffer_drain(r->body, len);
	evbuffer_add(r->body, out, z.total_out);
	deflateEnd(&z);
	free(out);
}

static void
body_chunk(struct reply *r, int broken)
{
	struct evbuffer *plain = r->body;
	size_t left = evbuffer_get_length(plain), stop = broken ? left / 2 : 0, n;

	r->body = need(evbuffer_new());
	while (left > stop) {
		n = left - stop < 4096 ? left - stop : 4096;
		evbuffer_add_printf(r->body, "%zx\r\n", n);
		evbuffer_remove_buffer(plain, r->body, n);
		evbuffer_add(r->body, "\r\n", 2);
		left -= n;
	}
	evbuffer_add_printf(r->body, broken ? "no chunk\r\n" : "0\r\n\r\n");
	evbuffer_free(plain);
}

/* ---- Answers ---- */

void
reply_encode(struct reply *r, const struct request *q)
{
	const json_t *gzip = json_object_get(r->rule, "gzip");
	const json_t *chunked = json_object_get(r->rule, "chunked");
	const char *how = json_string_value(gzip), *takes = request_header(q, "accept-encoding");
	char length[32];

	if (how != NULL || (json_is_true(gzip) && takes != NULL && strstr(takes, "gzip") != NULL)) {
		header_set(r, "Content-Encoding", "gzip");
		if (how == NULL || strcmp(how, "lie") != 0)
			body_gzip(r);
	}
	snprintf(length, sizeof(length), "%lld",
	    rule_int(r->rule, "length", (long long)evbuffer_get_length(r->body)));
	if (chunked != NULL) {
		header_set(r, "Transfer-Encoding", "chunked");
		body_chunk(r, !json_is_true(chunked));
	} else if (r->status != 204 && r->status != 304) {
		header_set(r, "Content-Length", length);
	}
}

static void
reply_headers(struct reply *r)
{
	long long pad = rule_int(r->rule, "pad", 0);
	const char *name;
	json_t *value;
	char *text;

	json_object_foreach(json_object_get(r->rule, "headers"), name, value)
		if (json_is_string(value))
			json_object_set(r->headers, name, value);
		else
			json_object_del(r->headers, name);
	if (pad <= 0 || pad > (long long)BODY_MAX)
		return;
	text = need(malloc((size_t)pad + 1));
	memset(text, 'p', (size_t)pad);
	text[pad] = '\0';
	header_set(r, "X-Pad", text);
	free(text);
}

static int
not_modified(const struct reply *r, const struct request *q)
{
	const char *etag = json_string_value(json_object_get(r->headers, "ETag"));
	const char *modified = json_string_value(json_object_get(r->headers, "Last-Modified"));
	const char *match = request_header(q, "if-none-match");
	const char *since = request_header(q, "if-modified-since");

	if (r->status != 200 || json_is_false(json_object_get(r->rule, "conditional")))
		return 0;
	if (match != NULL)
		return etag != NULL && strcmp(match, etag) == 0;
	return since != NULL && modified != NULL && strcmp(since, modified) == 0;
}

/* "stall", "close", "reset": where the answer ends, and how. */
static void
reply_ending(struct reply *r)
{
	static const struct { const char *name; enum end end; } endings[] = {
		{ "stall", END_STALL }, { "close", END_CLOSE }, { "reset", END_RESET },
	};
	size_t i;

	r->cut = -1;
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (json_object_get(r->rule, endings[i].name) != NULL) {
			r->cut = rule_int(r->rule, endings[i].name, 0);
			r->silent = r->cut < 0;
			r->end = endings[i].end;
		}
}

/* Whether the nth request of this path is one that fails. */
static int
fails(const json_t *rule, const char *path, long long nth)
{
	unsigned long long h = (unsigned long long)rule_int(rule, "seed", 1) + 0x9e3779b97f4a7c15;

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3;
	h = (h ^ (unsigned long long)nth) * 0xbf58476d1ce4e5b9;
	h ^= h >> 31;
	h *= 0x94d049bb133111eb;
	return (long long)((h >> 33) % 100) < rule_int(rule, "fail", 0);
}

static void
reply_failing(struct reply *r)
{
	r->status = (int)rule_int(r->rule, "fail_status", 500);
	if (r->status == 0) {
		r->silent = 1;
		r->end = END_RESET;
	}
	evbuffer_add_printf(r->body, "failing as told\n");
}

void
reply_choose(struct origin *o, struct reply *r, const struct request *q)
{
	long long nth = rule_take(o, r, q);
	const json_t *drip = json_object_get(r->rule, "drip");
	const char *to = rule_str(r->rule, "redirect");

	r->headers = need(json_object());
	r->body = need(evbuffer_new());
	r->status = (int)rule_int(r->rule, "status", to != NULL ? 302 : 200);
	r->delay = (int)rule_int(r->rule, "delay", 0);
	r->drip = (size_t)json_integer_value(json_array_get(drip, 0));
	r->drip_ms = (int)json_integer_value(json_array_get(drip, 1));
	reply_ending(r);
	if (fails(r->rule, q->path, nth)) {
		reply_failing(r);
		reply_encode(r, q);
		return;
	}
	if (to != NULL)
		header_set(r, "Location", to);
	body_choose(o, r, q, nth);
	reply_headers(r);
	if (not_modified(r, q)) {
		r->status = 304;
		evbuffer_drain(r->body, evbuffer_get_length(r->body));
		json_object_del(r->headers, "Content-Type");
	}
	reply_encode(r, q);
}
