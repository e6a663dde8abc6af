/* URLs: their parts, resolution against a base, and canonical keys of pages. */
#include "url.h"
#include "idn.h"
#include "mem.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_PARAMS	256		/* parameters of a query that are sorted */
#define BOM		"\xef\xbb\xbf"	/* at the start of a list's line, and so of a URL */
#define URL_HOPS	3		/* nested redirecting links that are unwrapped */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* A URL being built; `over`: it does not fit. */
struct url_out {
	size_t	 len;
	int	 over;
	char	 text[URL_MAX + 1];
};

/* Does not clear text, which is large. */
static void
out_init(struct url_out *o)
{
	o->len = 0;
	o->over = 0;
	o->text[0] = '\0';
}

static void
out_add(struct url_out *o, const char *s, size_t n)
{
	if (o->over || n > URL_MAX - o->len) {
		o->over = 1;
		return;
	}
	memcpy(o->text + o->len, s, n);
	o->len += n;
	o->text[o->len] = '\0';
}

static void
out_char(struct url_out *o, char c)
{
	out_add(o, &c, 1);
}

static void
out_percent(struct url_out *o, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";
	char hex[3] = { '%', digits[c >> 4], digits[c & 15] };

	out_add(o, hex, 3);
}

static int
url_letter(int c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static int
url_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
url_hex(int c)
{
	if (url_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length of the scheme at s, without its colon; 0: no scheme. */
static size_t
url_scheme(const char *s)
{
	size_t n = 0;

	if (!url_letter(*s))
		return 0;
	while (url_letter(s[n]) || url_digit(s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.')
		n++;
	return s[n] == ':' ? n : 0;
}

static int
url_is_web(const char *scheme, size_t n)
{
	return text_is(scheme, n, "http") || text_is(scheme, n, "https");
}

/* The port after the colon at s, up to end: 0 when empty, -1 when invalid. */
static int
url_port(const char *s, const char *end, int *port)
{
	int value = 0;

	*port = 0;
	if (s == end)
		return 0;
	for (s++; s < end; s++) {
		if (!url_digit(*s) || (value = value * 10 + (*s - '0')) > 65535)
			return -1;
		*port = value;
	}
	return 0;
}

/* Splits user@host:port between s and end. */
static int
url_authority(struct url *u, const char *s, const char *end)
{
	const char *at = memrchr(s, '@', (size_t)(end - s)), *stop;

	if (at != NULL) {
		u->user = s;
		u->user_len = (size_t)(at - s);
		s = at + 1;
	}
	u->host = s;
	if (*s == '[') {
		if ((stop = memchr(s, ']', (size_t)(end - s))) == NULL)
			return -1;
		stop++;
	} else if ((stop = memchr(s, ':', (size_t)(end - s))) == NULL) {
		stop = end;
	}
	u->host_len = (size_t)(stop - s);
	if (stop < end && *stop != ':')
		return -1;
	return url_port(stop, end, &u->port);
}

int
url_split(struct url *u, const char *s)
{
	size_t n = url_scheme(s);
	const char *end;

	*u = (struct url){ .scheme = s, .scheme_len = n };
	if (n == 0)
		return -1;
	s += n + 1;
	if (s[0] == '/' && s[1] == '/') {
		s += 2;
		end = s + strcspn(s, url_is_web(u->scheme, n) ? "/\\?#" : "/?#");
		if (url_authority(u, s, end) == -1)
			return -1;
		s = end;
	}
	u->path = s;
	u->path_len = strcspn(s, "?#");
	s += u->path_len;
	if (*s == '?') {
		u->query = s + 1;
		u->query_len = strcspn(s + 1, "#");
		s = u->query + u->query_len;
	}
	if (*s == '#') {
		u->fragment = s + 1;
		u->fragment_len = strlen(s + 1);
	}
	return 0;
}

int
url_fetchable(const char *s)
{
	struct url u;
	size_t n;

	for (n = 0; s[n] != '\0'; n++)
		if (n == URL_MAX || (unsigned char)s[n] <= ' ' || (unsigned char)s[n] >= 0x7f)
			return 0;
	if (url_split(&u, s) == -1 || !url_is_web(u.scheme, u.scheme_len) || u.host == NULL)
		return 0;
	return idn_plain(u.host, u.host_len) && u.user == NULL &&
	    memchr(u.path, '\\', u.path_len) == NULL &&
	    (u.host[u.host_len] != ':' || u.port != 0 || !url_digit(u.host[u.host_len + 1]));
}

/* Adds a part of a URL: removes line ends and tabs, encodes characters that end URLs in texts and
 * those outside ASCII (RFC 3987 3.1); slashes: \ becomes /. */
static void
out_part(struct url_out *o, const char *s, size_t n, int slashes)
{
	size_t from = 0;
	unsigned char c;

	for (size_t i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		if (c > '>' && c != '\\' && c < 0x7f)
			continue;
		if (c > ' ' && c != '"' && c != '<' && c != '>' && c < 0x7f &&
		    (c != '\\' || !slashes))
			continue;
		out_add(o, s + from, i - from);
		from = i + 1;
		if (c == '\\')
			out_char(o, '/');
		else if (c != '\t' && c != '\n' && c != '\r')
			out_percent(o, c);
	}
	out_add(o, s + from, n - from);
}

/* RFC 3986 5.2.4, in place: the path begins at `from` and ends at o->len. */
static void
out_dots(struct url_out *o, size_t from)
{
	char *out = o->text + from, *in = out, *first = out;
	const char *end = o->text + o->len;
	size_t n;

	while (in < end) {
		n = 1 + strcspn(in + 1, "/");
		if (n == 2 && in[1] == '.') {
			if (in + n == end)
				*out++ = '/';
		} else if (n == 3 && in[1] == '.' && in[2] == '.') {
			while (out > first && *--out != '/')
				;
			if (in + n == end)
				*out++ = '/';
		} else {
			memmove(out, in, n);
			out += n;
		}
		in += n;
	}
	o->len = (size_t)(out - o->text);
	*out = '\0';
}

static void
out_lower(struct url_out *o, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out_char(o, (char)text_lower((unsigned char)s[i]));
}

/* Adds the authority of a web URL, without user and password, with its host in the form of the DNS.
 * A host without such a form is escaped instead. Returns the authority's length in s. */
static size_t
out_authority(struct url_out *o, const char *s, size_t n)
{
	char host[IDN_HOST_MAX + 1];
	const char *at, *colon, *end;
	size_t len;

	for (len = 0; len < n && strchr("/\\?#", s[len]) == NULL; len++)
		;
	n = len;
	end = s + n;
	if ((at = memrchr(s, '@', n)) != NULL)
		s = at + 1;
	if ((colon = *s == '[' ? NULL : memchr(s, ':', (size_t)(end - s))) == NULL)
		colon = end;
	for (at = s; at < colon && (unsigned char)*at < 0x7f && *at != '%'; at++)
		;
	if (at < colon && (len = idn_host(host, s, (size_t)(colon - s))) > 0) {
		out_add(o, host, len);
		s = colon;
	}
	out_part(o, s, (size_t)(end - s), 1);
	return n;
}

/* Adds the scheme and authority of the base. */
static void
out_root(struct url_out *o, const struct url *base)
{
	const char *s = base->scheme + base->scheme_len + 1;

	out_lower(o, base->scheme, base->scheme_len);
	out_char(o, ':');
	if (base->host != NULL && url_is_web(base->scheme, base->scheme_len)) {
		out_add(o, "//", 2);
		out_authority(o, s + 2, (size_t)(base->path - s) - 2);
	} else {
		out_part(o, s, (size_t)(base->path - s), 0);
	}
}

/* Resolves path, query and fragment of a reference that begins with neither scheme nor //. */
static void
out_relative(struct url_out *o, const struct url *base, const char *ref, size_t n)
{
	size_t path = 0, from, keep = base->path_len;
	int web = url_is_web(base->scheme, base->scheme_len);

	out_root(o, base);
	from = o->len;
	while (path < n && ref[path] != '?' && ref[path] != '#')
		path++;
	if (path == 0) {
		out_part(o, base->path, base->path_len, web);
		if (base->query != NULL && (n == 0 || ref[0] == '#'))
			out_part(o, base->query - 1, base->query_len + 1, 0);
	} else {
		if (ref[0] == '/' || (web && ref[0] == '\\'))
			keep = 0;
		while (keep > 0 && base->path[keep - 1] != '/')
			keep--;
		out_part(o, base->path, keep, web);
		if (keep == 0 && ref[0] != '/' && ref[0] != '\\')
			out_char(o, '/');
		out_part(o, ref, path, web);
		if (!o->over)
			out_dots(o, from);
	}
	out_part(o, ref + path, n - path, 0);
}

/* Adds an absolute reference unchanged, except for characters that a URL must not hold. */
static int
out_absolute(struct url_out *o, const char *ref, size_t n, size_t scheme)
{
	size_t rest = scheme + 1, path;

	out_lower(o, ref, scheme);
	out_char(o, ':');
	if (!url_is_web(ref, scheme)) {
		out_part(o, ref + rest, n - rest, 0);
		return 0;
	}
	while (rest < n && (ref[rest] == '/' || ref[rest] == '\\'))
		rest++;
	for (path = rest; path < n && ref[path] != '?' && ref[path] != '#'; path++)
		;
	if (rest == path)
		return -1;
	out_add(o, "//", 2);
	rest += out_authority(o, ref + rest, path - rest);
	out_part(o, ref + rest, path - rest, 1);
	out_part(o, ref + path, n - path, 0);
	return 0;
}

static int
url_resolve_into(struct url_out *o, const char *base, const char *ref, size_t n)
{
	size_t scheme = url_scheme(ref);
	struct url u;
	int known = base != NULL && url_split(&u, base) == 0, web;

	if (scheme > 0 && known && url_is_web(ref, scheme) && scheme == u.scheme_len &&
	    strncasecmp(ref, u.scheme, scheme) == 0 && ref[scheme + 1] != '/' &&
	    ref[scheme + 1] != '\\') {
		/* "http:page" is relative to a base of the same scheme. */
		ref += scheme + 1;
		n -= scheme + 1;
		scheme = 0;
	}
	if (scheme > 0)
		return out_absolute(o, ref, n, scheme);
	if (!known)
		return -1;
	web = url_is_web(u.scheme, u.scheme_len);
	if (n >= 2 && (ref[0] == '/' || (web && ref[0] == '\\')) &&
	    (ref[1] == '/' || (web && ref[1] == '\\'))) {
		out_lower(o, u.scheme, u.scheme_len);
		out_char(o, ':');
		if (web) {
			out_add(o, "//", 2);
			ref += 2;
			n -= 2;
			scheme = out_authority(o, ref, n);
		}
		out_part(o, ref + scheme, n - scheme, web);
		return 0;
	}
	if (u.host == NULL && (web || u.path[0] != '/') && n > 0 && ref[0] != '#')
		return -1;
	out_relative(o, &u, ref, n);
	return 0;
}

/* Resolves into o: 0, or -1. */
static int
url_resolve_out(struct url_out *o, const char *base, const char *ref)
{
	struct url u;
	size_t n;

	out_init(o);
	while ((*ref != '\0' && (unsigned char)*ref <= ' ') || strncmp(ref, BOM, strlen(BOM)) == 0)
		ref += *ref == BOM[0] ? strlen(BOM) : 1;
	n = strnlen(ref, URL_MAX + 1);
	while (n > 0 && (unsigned char)ref[n - 1] <= ' ')
		n--;
	if (n > URL_MAX || url_resolve_into(o, base, ref, n) == -1 || o->over)
		return -1;
	if (url_split(&u, o->text) == -1 || (url_is_web(u.scheme, u.scheme_len) && u.host_len == 0))
		return -1;
	return 0;
}

int
url_resolve(struct buf *b, const char *base, const char *ref)
{
	MEM_UNSET struct url_out o;

	if (url_resolve_out(&o, base, ref) == -1)
		return -1;
	buf_add(b, o.text, o.len);
	return 0;
}

int
url_resolve_to(char *out, const char *base, const char *ref)
{
	MEM_UNSET struct url_out o;

	if (url_resolve_out(&o, base, ref) == -1)
		return -1;
	memcpy(out, o.text, o.len + 1);
	return 0;
}

static int
url_default_port(const struct url *u)
{
	return u->port == 0 || (u->port == 80 && text_is(u->scheme, u->scheme_len, "http")) ||
	    (u->port == 443 && text_is(u->scheme, u->scheme_len, "https"));
}

int
url_origin(struct buf *b, const char *s)
{
	MEM_UNSET struct url_out o;
	struct url u;

	if (url_split(&u, s) == -1 || u.host_len == 0)
		return -1;
	out_init(&o);
	out_lower(&o, u.scheme, u.scheme_len);
	out_add(&o, "://", 3);
	out_lower(&o, u.host, u.host_len);
	if (o.over)
		return -1;
	buf_add(b, o.text, o.len);
	if (!url_default_port(&u))
		buf_fmt(b, ":%d", u.port);
	return 0;
}

/* Parameters that track where a reader came from. A name that ends with * is a prefix. */
static const char *const url_tracking[] = {
	"utm_*", "mtm_*", "pk_*", "piwik_*", "matomo_*", "hsa_*", "_hs*", "vero_*", "oly_*",
	"mc_cid",
	"mc_eid", "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid",
	"ysclid", "_openstat", "twclid", "ttclid", "igshid", "igsh", "li_fat_id", "mkt_tok", "_ga",
	"_gl", "ref_src", "ref_url", "cmpid", "s_cid", "wt_mc", "wt_zmc", "at_medium",
	"at_campaign",
	"__twitter_impression", "guccounter", "guce_referrer", "guce_referrer_sig", "ocid", "smid",
	"smtyp", "trk", "sr_share", "xtor", "dm_i", "_branch_match_id", "__s", "rb_clickid",
};

/* These name a referrer or a version of the page: they are dropped only if the value is one of
 * url_referrers or a host name. */
static const char *const url_referring[] = { "ref", "source", "via", "referrer", "from" };
static const char *const url_referrers[] = {
	"rss", "feed", "atom", "feeds", "rssfeed", "twitter", "x", "facebook", "fb", "linkedin",
	"reddit", "hn", "hackernews", "newsletter", "email", "mail", "homepage", "home", "share",
	"social", "mastodon", "bluesky", "bsky", "telegram", "producthunt", "google", "medium",
	"substack", "youtube", "whatsapp", "instagram", "lobsters", "dailydev", "app", "web",
	"mobile",
	"desktop", "copy", "android", "ios", "push", "sidebar", "footer", "header", "related",
};

static int
url_listed(const char *const *list, size_t count, const char *s, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (text_is(s, n, list[i]))
			return 1;
	return 0;
}

/* Whether s is like "news.example.com": labels of letters, the last of two or more. */
static int
url_names_host(const char *s, size_t n)
{
	size_t last = 0, dots = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.') {
			if (last == 0)
				return 0;
			dots++;
			last = 0;
		} else if (url_letter(s[i]) || ((url_digit(s[i]) || s[i] == '-') && last > 0)) {
			last++;
		} else {
			return 0;
		}
	}
	return dots > 0 && last >= 2 && url_letter(s[n - 1]) && url_letter(s[n - 2]);
}

static int
url_tracks(const char *s, size_t n)
{
	const char *value = memchr(s, '=', n);
	size_t name = value != NULL ? (size_t)(value - s) : n, len;

	for (size_t i = 0; i < COUNT(url_tracking); i++) {
		len = strlen(url_tracking[i]);
		if (url_tracking[i][len - 1] == '*' ? name >= len - 1 &&
		    strncasecmp(s, url_tracking[i], len - 1) == 0 :
		    text_is(s, name, url_tracking[i]))
			return 1;
	}
	if (value == NULL || !url_listed(url_referring, COUNT(url_referring), s, name))
		return 0;
	n -= name + 1;
	return url_listed(url_referrers, COUNT(url_referrers), value + 1, n) ||
	    url_names_host(value + 1, n);
}

/* The byte of the "%XX" at s with n bytes left; -1: it is none. */
static int
url_percent(const char *s, size_t n)
{
	if (n < 3 || s[0] != '%' || url_hex(s[1]) == -1 || url_hex(s[2]) == -1)
		return -1;
	return url_hex(s[1]) << 4 | url_hex(s[2]);
}

/* Adds a part in its canonical form: %XX only where needed, in capitals. */
static void
out_normal(struct url_out *o, const char *s, size_t n)
{
	for (size_t i = 0; i < n && !o->over; i++) {
		int c = url_percent(s + i, n - i), coded = c != -1;

		if (coded)
			i += 2;
		else
			c = (unsigned char)s[i];
		if (coded ? url_letter(c) || url_digit(c) || (c != 0 && strchr("-._~", c) != NULL) :
		    c > ' ' && c < 0x7f && strchr("\"<>", c) == NULL)
			out_char(o, (char)c);
		else
			out_percent(o, (unsigned char)c);
	}
}

/* The value of a parameter, or NULL; its length in *len. */
static const char *
url_param(const struct url *u, const char *name, size_t *len)
{
	const char *s = u->query, *end = s != NULL ? s + u->query_len : NULL;
	size_t n, name_len = strlen(name);

	while (s != NULL && s < end) {
		n = strcspn(s, "&#");
		if (n > name_len && s[name_len] == '=' && strncmp(s, name, name_len) == 0) {
			*len = n - name_len - 1;
			return s + name_len + 1;
		}
		s += n + 1;
	}
	return NULL;
}

/* Length of the word of letters, digits, - and _ at s. */
static size_t
url_word(const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && (url_letter(s[n]) || url_digit(s[n]) || s[n] == '-' || s[n] == '_'))
		n++;
	return n;
}

/* Sites whose pages have an id of their own, the same in all URLs of a page. Each rule adds
 * its key, or nothing when the URL is another page of that site. path and end: without the
 * first '/'. */
static void
key_arxiv(struct url_out *o, const struct url *u, const char *path, const char *end)
{
	static const char *const kinds[] = { "abs/", "pdf/", "html/", "format/", "ps/" };
	size_t n, i;

	(void)u;
	for (i = 0; i < COUNT(kinds); i++)
		if (strncasecmp(path, kinds[i], strlen(kinds[i])) == 0)
			break;
	if (i == COUNT(kinds))
		return;
	path += strlen(kinds[i]);
	if (end - path > 4 && strncasecmp(end - 4, ".pdf", 4) == 0)
		end -= 4;
	while (end > path && end[-1] == '/')
		end--;
	for (n = (size_t)(end - path); n > 0 && url_digit(path[n - 1]); n--)
		;
	/* The version: "v2". */
	if (n > 1 && n < (size_t)(end - path) && path[n - 1] == 'v' && url_digit(path[n - 2]))
		end = path + n - 1;
	if (end == path)
		return;
	out_add(o, "arxiv:", 6);
	out_lower(o, path, (size_t)(end - path));
}

static void
key_doi(struct url_out *o, const struct url *u, const char *path, const char *end)
{
	static const char arxiv[] = "10.48550/arxiv.";

	(void)u;
	if (strncmp(path, "10.", 3) != 0)
		return;
	while (end > path && end[-1] == '/')
		end--;
	if (strncasecmp(path, arxiv, sizeof(arxiv) - 1) == 0) {
		out_add(o, "arxiv:", 6);
		path += sizeof(arxiv) - 1;
	} else {
		out_add(o, "doi:", 4);
	}
	for (size_t from = o->len; path < end && !o->over; path++) {
		out_normal(o, path, 1);
		for (; from < o->len; from++)
			o->text[from] = (char)text_lower(o->text[from]);
	}
}

static void
key_youtube(struct url_out *o, const struct url *u, const char *path, const char *end)
{
	static const char *const kinds[] = { "shorts/", "embed/", "live/", "v/" };
	const char *id = NULL;
	size_t n = 0;

	if (text_is(path, (size_t)(end - path), "watch"))
		id = url_param(u, "v", &n);
	for (size_t i = 0; id == NULL && i < COUNT(kinds); i++)
		if (strncmp(path, kinds[i], strlen(kinds[i])) == 0)
			id = path + strlen(kinds[i]);
	if (id == NULL || (n = url_word(id, n > 0 ? id + n : end)) == 0)
		return;
	out_add(o, "youtube:", 8);
	out_add(o, id, n);
}

static void
key_youtu_be(struct url_out *o, const struct url *u, const char *path, const char *end)
{
	size_t n = url_word(path, end);

	(void)u;
	if (n == 0)
		return;
	out_add(o, "youtube:", 8);
	out_add(o, path, n);
}

static void
key_openreview(struct url_out *o, const struct url *u, const char *path, const char *end)
{
	const char *id;
	size_t n;

	n = (size_t)(end - path);
	if (!text_is(path, n, "forum") && !text_is(path, n, "pdf"))
		return;
	if ((id = url_param(u, "id", &n)) == NULL || n == 0)
		return;
	out_add(o, "openreview:", 11);
	out_normal(o, id, n);
}

static const struct url_site {
	const char	*host;		/* by url_bare_host() */
	void		(*key)(struct url_out *, const struct url *, const char *, const char *);
} url_sites[] = {
	{ "arxiv.org", key_arxiv }, { "export.arxiv.org", key_arxiv }, { "doi.org", key_doi },
	{ "dx.doi.org", key_doi }, { "youtube.com", key_youtube },
	{ "youtube-nocookie.com", key_youtube }, { "youtu.be", key_youtu_be },
	{ "openreview.net", key_openreview },
};

/* Redirecting links: host, path, and the parameter with the target. */
static const struct url_leader {
	const char	*host, *path, *param;
} url_leaders[] = {
	{ "google.com", "/url", "url" }, { "google.com", "/url", "q" },
	{ "l.facebook.com", "/l.php", "u" }, { "lm.facebook.com", "/l.php", "u" },
	{ "out.reddit.com", "", "url" }, { "youtube.com", "/redirect", "q" },
	{ "vk.com", "/away.php", "to" }, { "l.instagram.com", "/", "u" },
};

/* The host without www., m. or mobile., and without a final dot. */
static const char *
url_bare_host(const struct url *u, size_t *n)
{
	static const char *const kinds[] = { "www.", "m.", "mobile." };
	const char *host = u->host;
	size_t len;

	*n = u->host_len;
	if (*n > 0 && host[*n - 1] == '.')
		(*n)--;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		len = strlen(kinds[i]);
		if (*n > len && strncasecmp(host, kinds[i], len) == 0 &&
		    memchr(host + len, '.', *n - len) != NULL) {
			*n -= len;
			return host + len;
		}
	}
	return host;
}

/* 1: `to` has the target of a redirecting link; 0: the URL is no such link. */
static int
url_follow(struct url_out *to, const struct url *u, const char *host, size_t host_len)
{
	const char *value;
	size_t n;
	int c;

	for (size_t i = 0; i < COUNT(url_leaders); i++) {
		if (!text_is(host, host_len, url_leaders[i].host) ||
		    (url_leaders[i].path[0] != '\0' &&
		        !text_is(u->path, u->path_len, url_leaders[i].path)) ||
		    (value = url_param(u, url_leaders[i].param, &n)) == NULL ||
		    strncasecmp(value, "http", 4) != 0)
			continue;
		out_init(to);
		for (size_t at = 0; at < n; at++) {
			c = url_percent(value + at, n - at);
			at += c != -1 ? 2 : 0;
			out_char(to, c != -1 ? (char)c : value[at]);
		}
		return !to->over && strlen(to->text) == to->len;
	}
	return 0;
}

/* Adds the path without index page and closing slash. */
static void
key_path(struct url_out *o, const struct url *u)
{
	static const char *const pages[] = {
		"index.html", "index.htm", "index.php", "index.asp", "index.aspx", "index.jsp",
		"index.shtml", "index.xhtml", "default.asp", "default.aspx", "default.htm",
		"default.html",
	};
	size_t from = o->len, slash;

	out_normal(o, u->path, u->path_len);
	if (o->over || o->len == from || o->text[from] != '/')
		return;
	out_dots(o, from);
	for (slash = o->len; slash > from && o->text[slash - 1] != '/'; slash--)
		;
	if (url_listed(pages, COUNT(pages), o->text + slash, o->len - slash))
		o->len = slash;
	while (o->len > from && o->text[o->len - 1] == '/')
		o->len--;
	o->text[o->len] = '\0';
}

struct url_span {
	const char	*s;
	size_t		 n;
};

static int
span_order(const void *a, const void *b)
{
	const struct url_span *x = a, *y = b;
	int order = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);

	return order != 0 ? order : x->n < y->n ? -1 : x->n > y->n;
}

/* Adds those parameters of the query that identify the page, sorted. */
static void
key_query(struct url_out *o, const struct url *u)
{
	struct url_out normal;
	struct url_span params[URL_PARAMS];
	size_t count = 0, n;
	const char *s;

	if (u->query == NULL)
		return;
	out_init(&normal);
	out_normal(&normal, u->query, u->query_len);
	for (s = normal.text; *s != '\0'; s += n + (s[n] == '&')) {
		n = strcspn(s, "&");
		if (n == 0 || url_tracks(s, n))
			continue;
		if (count == URL_PARAMS) {
			o->over = 1;
			return;
		}
		params[count++] = (struct url_span){ s, n };
	}
	o->over |= normal.over;
	qsort(params, count, sizeof(params[0]), span_order);
	for (n = 0; n < count; n++) {
		out_char(o, n == 0 ? '?' : '&');
		out_add(o, params[n].s, params[n].n);
	}
}

static void
key_plain(struct url_out *o, const struct url *u, const char *host, size_t host_len)
{
	char port[8] = { ':' };
	int n, rest;

	out_lower(o, host, host_len);
	if (!url_default_port(u)) {
		for (n = 1, rest = u->port; rest > 0; rest /= 10)
			n++;
		for (int i = n - 1, value = u->port; i > 0; i--, value /= 10)
			port[i] = (char)('0' + value % 10);
		out_add(o, port, (size_t)n);
	}
	key_path(o, u);
	key_query(o, u);
	/* Pages that share one file and differ by the fragment. */
	if (u->fragment_len > 1 && (u->fragment[0] == '!' || u->fragment[0] == '/')) {
		if (u->query == NULL)
			out_char(o, '/');
		out_char(o, '#');
		out_normal(o, u->fragment, u->fragment_len);
	}
}

static void
url_key(struct url_out *o, const struct url *u, const char *host, size_t host_len)
{
	const char *path = u->path + (u->path_len > 0);

	for (size_t i = 0; i < COUNT(url_sites); i++)
		if (text_is(host, host_len, url_sites[i].host)) {
			url_sites[i].key(o, u, path, u->path + u->path_len);
			break;
		}
	if (o->len == 0)
		key_plain(o, u, host, host_len);
}

int
url_canonical(struct buf *b, const char *s)
{
	struct url_out plain, next, key;
	const char *host, *amp;
	size_t host_len;
	struct url u;

	out_init(&plain);
	out_init(&key);
	while (text_space(*s))
		s++;
	for (; (amp = strcasestr(s, "&amp;")) != NULL && !plain.over; s = amp + 5)
		out_add(&plain, s, (size_t)(amp - s) + 1);
	out_add(&plain, s, strlen(s));
	while (plain.len > 0 && text_space(plain.text[plain.len - 1]))
		plain.text[--plain.len] = '\0';
	for (s = plain.text; (*s & 0x80) == 0 && *s != '\0'; s++)
		;
	if (*s != '\0' && url_resolve_out(&next, NULL, plain.text) == 0)
		plain = next;		/* an IRI: the key is that of its URI */
	for (int hops = 0;; hops++) {
		if (plain.over || url_split(&u, plain.text) == -1 || u.host_len == 0 ||
		    !url_is_web(u.scheme, u.scheme_len))
			return -1;
		host = url_bare_host(&u, &host_len);
		if (hops == URL_HOPS || !url_follow(&next, &u, host, host_len))
			break;
		plain = next;
	}
	if (host_len == 0)
		return -1;
	url_key(&key, &u, host, host_len);
	if (key.over)
		return -1;
	buf_add(b, key.text, key.len);
	return 0;
}
