/* Works by their own ids: the forms of URLs and texts in which the ids occur. */
#include "work.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"

#include <string.h>
#include <strings.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define WORK_HOPS	2		/* pages of a cache inside pages of a cache */
#define WORK_TOKENS	4		/* ids that one extra may list */
#define YOUTUBE_ID	11		/* bytes */

/* A canonical key of a page, taken apart. path: without its first '/'. */
struct page {
	const char	*host, *path, *query;
	size_t		 host_len, path_len, query_len;
};

static int
digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
letter(int c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static int
word_char(int c)
{
	return digit(c) || letter(c) || c == '-' || c == '_';
}

static size_t
digits(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && digit(s[i]))
		i++;
	return i;
}

/* The length of prefix when s begins with it in any case, else 0. */
static size_t
leads(const char *s, size_t n, const char *prefix)
{
	size_t len = strlen(prefix);

	return n >= len && strncasecmp(s, prefix, len) == 0 ? len : 0;
}

static void
add_lower(struct buf *b, const char *s, size_t n)
{
	for (; n > 0; n--, s++)
		buf_char(b, (char)text_lower((unsigned char)*s));
}

/* The length of the arXiv id at s without its version; *drop, *drop_len: its subject class, which
 * is no part of it ("math.GT/0309136"). 0: none. */
static size_t
arxiv_id(const char *s, size_t n, size_t *drop, size_t *drop_len)
{
	size_t i = digits(s, n), len;

	*drop = *drop_len = 0;
	if (i == 4 && i < n && s[i] == '.') {
		len = digits(s + 5, n - 5);
		return (len == 4 || len == 5) && (s[2] == '0' || (s[2] == '1' && s[3] <= '2')) ?
		    5 + len : 0;
	}
	for (i = 0; i < n && (letter(s[i]) || s[i] == '-'); i++)
		;
	if (i < 2 || i > 16)
		return 0;
	if (i + 3 < n && s[i] == '.' && letter(s[i + 1]) && letter(s[i + 2])) {
		*drop = i;
		*drop_len = 3;
		i += 3;
	}
	return i + 8 <= n && s[i] == '/' && digits(s + i + 1, n - i - 1) == 7 ? i + 8 : 0;
}

static int
add_arxiv(struct buf *b, const char *s, size_t n)
{
	size_t drop, drop_len, len, skip = leads(s, n, "arxiv:"), end;

	s += skip;
	n -= skip;
	if ((len = arxiv_id(s, n, &drop, &drop_len)) == 0)
		return 0;
	end = len;
	if (end + 1 < n && (s[end] | 0x20) == 'v' && digit(s[end + 1]))
		end += 1 + digits(s + end + 1, n - end - 1);
	if (end < n && word_char(s[end]))
		return 0;
	buf_str(b, "arxiv:");
	if (drop_len > 0) {
		add_lower(b, s, drop);
		s += drop + drop_len;
		len -= drop + drop_len;
	}
	add_lower(b, s, len);
	return 1;
}

static int
hex(int c)
{
	if (digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Adds s with the %XX of visible ASCII decoded, in lower case, up to a blank, a quote or < >. */
static void
add_decoded(struct buf *b, const char *s, size_t n)
{
	int c, high, low;

	for (size_t i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		high = c == '%' && i + 2 < n ? hex(s[i + 1]) : -1;
		low = high != -1 ? hex(s[i + 2]) : -1;
		if (low != -1) {
			c = high * 16 + low;
			if (c <= ' ' || c >= 0x7f)
				c = '%';
			else
				i += 2;
		}
		if (c <= ' ' || c == '"' || c == '<' || c == '>' || c == 0x7f)
			return;
		buf_char(b, (char)text_lower(c));
	}
}

/* Drops what follows an id in prose or in a path: punctuation, a bracket that nothing opened. */
static void
trim(struct buf *b, size_t from)
{
	size_t opened, closed;
	char last;

	for (; b->len > from; b->data[--b->len] = '\0') {
		last = b->data[b->len - 1];
		if (last == ')' || last == ']') {
			opened = closed = 0;
			for (size_t i = from; i < b->len; i++) {
				opened += b->data[i] == (last == ')' ? '(' : '[');
				closed += b->data[i] == last;
			}
			if (closed <= opened)
				break;
		} else if (strchr(".,;:/", last) == NULL) {
			break;
		}
	}
}

/* DOI Handbook 2.2: "10.", the registrant, a slash, a suffix of any characters. */
static int
add_doi(struct buf *b, const char *s, size_t n)
{
	static const char arxiv[] = "10.48550/arxiv.";
	size_t was = b->len, len, at, suffix;
	struct buf value;
	int is;

	if (leads(s, n, "10.") == 0)
		return 0;
	buf_init(&value, WORK_ID_MAX);
	add_decoded(&value, s, n);
	if (value.data != NULL && !value.over)
		trim(&value, 0);
	at = 3;
	len = value.over || value.data == NULL || value.len < at ? 0 : strspn(value.data + at, "0123456789.");
	suffix = at + len + 1;
	is = value.data != NULL && len >= 4 && len <= 12 && suffix < value.len && value.data[suffix - 1] == '/';
	if (is && leads(value.data, value.len, arxiv) > 0) {
		len = sizeof(arxiv) - 1;
		is = add_arxiv(b, value.data + len, value.len - len);
	} else if (is) {
		buf_str(b, "doi:");
		buf_add(b, value.data, value.len);
	}
	buf_free(&value);
	return is && b->len > was;
}

/* Pages of publishers whose paths hold the DOI: ".../10.1145/1234.5678/full.pdf". */
static int
key_doi_within(struct buf *b, const struct page *p)
{
	static const char *const views[] = { "/full", "/pdf", "/html", "/abstract", "/meta",
		"/epub", "/fulltext", "/full-text", "/summary", "/references", "/figures",
		".full-text", ".full", ".pdf", ".abstract", ".short", ".html", ".xml" };
	const char *s = p->path, *end = p->path + p->path_len, *found;
	size_t n, len;

	while (s < end && leads(s, (size_t)(end - s), "10.") == 0) {
		found = memchr(s, '/', (size_t)(end - s));
		s = found != NULL ? found + 1 : end;
	}
	n = (size_t)(end - s);
	for (size_t i = 0; i < COUNT(views); i++) {
		len = strlen(views[i]);
		if (n > len && strncasecmp(s + n - len, views[i], len) == 0) {
			n -= len;
			i = (size_t)-1;		/* there may be another before it */
		}
	}
	return add_doi(b, s, n);
}

/* bioRxiv and medRxiv: a DOI with its version, "10.1101/2020.01.02.123456v3.full". */
static int
key_preprint(struct buf *b, const struct page *p)
{
	size_t was = b->len, n;

	if (!key_doi_within(b, p))
		return 0;
	for (n = b->len; n > was && digit(b->data[n - 1]); n--)
		;
	if (n < b->len && n > was + 1 && b->data[n - 1] == 'v' && digit(b->data[n - 2])) {
		b->len = n - 1;
		b->data[b->len] = '\0';
	}
	return 1;
}

/* The rest of the path behind the row's lead is an arXiv id. */
static int
key_arxiv(struct buf *b, const struct page *p)
{
	return add_arxiv(b, p->path, p->path_len);
}

/* "s41586-024-07487-w": what nature.com calls its articles is the suffix of their DOI. */
static int
key_nature(struct buf *b, const struct page *p)
{
	size_t n = 0;

	while (n < p->path_len && word_char(p->path[n]))
		n++;
	if (n < 12 || (p->path[0] != 's' && p->path[0] != 'd') ||
	    digits(p->path + 1, n - 1) != 5 || p->path[6] != '-' ||
	    (n < p->path_len && p->path[n] != '.' && p->path[n] != '/'))
		return 0;
	buf_str(b, "doi:10.1038/");
	add_lower(b, p->path, n);
	return 1;
}

/* A number, which with a prefix of the publisher is the DOI. */
static int
add_numbered(struct buf *b, const struct page *p, const char *prefix)
{
	size_t n = digits(p->path, p->path_len);

	if (n == 0 || (n < p->path_len && p->path[n] != '/'))
		return 0;
	buf_str(b, prefix);
	buf_add(b, p->path, n);
	return 1;
}

static int
key_zenodo(struct buf *b, const struct page *p)
{
	return add_numbered(b, p, "doi:10.5281/zenodo.");
}

static int
key_elife(struct buf *b, const struct page *p)
{
	return add_numbered(b, p, "doi:10.7554/elife.");
}

/* The value of a parameter, or NULL. */
static const char *
param(const struct page *p, const char *name, size_t *len)
{
	const char *s = p->query, *end = s != NULL ? s + p->query_len : NULL, *stop;
	size_t n = strlen(name);

	for (; s != NULL && s < end; s = stop + 1) {
		if ((stop = memchr(s, '&', (size_t)(end - s))) == NULL)
			stop = end;
		if ((size_t)(stop - s) > n && s[n] == '=' && strncmp(s, name, n) == 0) {
			*len = (size_t)(stop - s) - n - 1;
			return s + n + 1;
		}
	}
	return NULL;
}

static int
key_plos(struct buf *b, const struct page *p)
{
	size_t n;
	const char *id = param(p, "id", &n);

	return id != NULL && add_doi(b, id, n);
}

static int
key_youtube(struct buf *b, const struct page *p)
{
	size_t n;
	const char *id = param(p, "v", &n);

	if (id == NULL || n != YOUTUBE_ID)
		return 0;
	buf_str(b, "youtube:");
	buf_add(b, id, n);
	return 1;
}

/* The segment at s, and the start of the one behind it in *next. */
static size_t
segment(const char *s, const char *end, const char **next)
{
	const char *slash = memchr(s, '/', (size_t)(end - s));

	*next = slash != NULL ? slash + 1 : end;
	return (size_t)((slash != NULL ? slash : end) - s);
}

static int
base36(const char *s, size_t n)
{
	if (n < 2 || n > 13)
		return 0;
	for (; n > 0; n--, s++)
		if (!digit(*s) && !letter(*s))
			return 0;
	return 1;
}

/* "comments/ID/title/ID" wherever the path has it, "gallery/ID"; other pages by one host. */
static int
key_reddit(struct buf *b, const struct page *p)
{
	const char *s = p->path, *end = s + p->path_len, *next = end, *title;
	size_t n, len;

	for (; s < end; s = next) {
		n = segment(s, end, &next);
		if (text_is(s, n, "comments") || (text_is(s, n, "gallery") && s == p->path))
			break;
	}
	n = s < end ? segment(next, end, &title) : 0;
	if (n > 0 && base36(next, n)) {
		buf_str(b, "reddit:");
		add_lower(b, next, n);
		segment(title, end, &s);
		len = s < end ? segment(s, end, &next) : 0;
		if (len > 0 && base36(s, len)) {
			buf_char(b, '/');
			add_lower(b, s, len);
		}
		return 1;
	}
	return 0;
}

static int
key_redd_it(struct buf *b, const struct page *p)
{
	if (!base36(p->path, p->path_len))
		return 0;
	buf_str(b, "reddit:");
	add_lower(b, p->path, p->path_len);
	return 1;
}

/* First segments of github.com that are no owner of repositories. */
static const char *const github_pages[] = {
	"about", "apps", "collections", "contact", "customer-stories", "dashboard", "enterprise",
	"events", "explore", "features", "issues", "join", "login", "marketplace", "new",
	"notifications", "organizations", "orgs", "pricing", "pulls", "readme", "resources",
	"search", "security", "sessions", "settings", "site", "solutions", "sponsors", "stars",
	"team", "topics", "trending", "users",
};

/* The lengths of owner and name; 0: the page is in no repository. */
static size_t
github_names(const struct page *p, const char **name, size_t *name_len, const char **rest)
{
	const char *end = p->path + p->path_len;
	size_t owner = segment(p->path, end, name);

	*name_len = segment(*name, end, rest);
	if (*name_len > 4 && strncasecmp(*name + *name_len - 4, ".git", 4) == 0)
		*name_len -= 4;
	for (size_t i = 0; i < COUNT(github_pages); i++)
		if (text_is(p->path, owner, github_pages[i]))
			return 0;
	return *name_len > 0 ? owner : 0;
}

static int
key_github(struct buf *b, const struct page *p)
{
	const char *name, *rest;
	size_t name_len, owner = github_names(p, &name, &name_len, &rest);

	if (owner == 0 || rest != p->path + p->path_len ||
	    (p->query != NULL && p->query_len > 0 && leads(p->query, p->query_len, "tab=") == 0))
		return 0;
	buf_str(b, "github:");
	add_lower(b, p->path, owner);
	buf_char(b, '/');
	add_lower(b, name, name_len);
	return 1;
}

/* A host (with a dot before it: and those below it), what the path begins with, and the rule that
 * reads the rest. A rule adds an id and returns 1, or adds nothing. */
static const struct form {
	const char	*host, *lead;
	int		(*key)(struct buf *, const struct page *);
} forms[] = {
	{ ".arxiv.org", "abs/", key_arxiv }, { ".arxiv.org", "pdf/", key_arxiv },
	{ ".arxiv.org", "html/", key_arxiv }, { ".arxiv.org", "src/", key_arxiv },
	{ ".arxiv.org", "e-print/", key_arxiv }, { ".arxiv.org", "format/", key_arxiv },
	{ ".arxiv.org", "papers/", key_arxiv }, { "ar5iv.org", "abs/", key_arxiv },
	{ "ar5iv.org", "html/", key_arxiv }, { "ar5iv.org", "pdf/", key_arxiv },
	{ "ar5iv.org", "", key_arxiv }, { "xxx.lanl.gov", "abs/", key_arxiv },
	{ "xxx.lanl.gov", "pdf/", key_arxiv }, { ".alphaxiv.org", "abs/", key_arxiv },
	{ ".alphaxiv.org", "pdf/", key_arxiv }, { ".alphaxiv.org", "html/", key_arxiv },
	{ ".alphaxiv.org", "overview/", key_arxiv }, { ".alphaxiv.org", "resources/", key_arxiv },
	{ "arxiv-vanity.com", "papers/", key_arxiv }, { "huggingface.co", "papers/", key_arxiv },
	{ "hf.co", "papers/", key_arxiv }, { "scirate.com", "arxiv/", key_arxiv },
	{ "dl.acm.org", "doi/", key_doi_within }, { ".wiley.com", "doi/", key_doi_within },
	{ "tandfonline.com", "doi/", key_doi_within },
	{ "journals.sagepub.com", "doi/", key_doi_within },
	{ "pubs.acs.org", "doi/", key_doi_within }, { "science.org", "doi/", key_doi_within },
	{ "pnas.org", "doi/", key_doi_within }, { "nejm.org", "doi/", key_doi_within },
	{ "epubs.siam.org", "doi/", key_doi_within }, { "annualreviews.org", "doi/", key_doi_within },
	{ "ahajournals.org", "doi/", key_doi_within }, { "journals.asm.org", "doi/", key_doi_within },
	{ "royalsocietypublishing.org", "doi/", key_doi_within },
	{ "link.springer.com", "article/", key_doi_within },
	{ "link.springer.com", "chapter/", key_doi_within },
	{ "link.springer.com", "book/", key_doi_within },
	{ "link.springer.com", "content/pdf/", key_doi_within },
	{ "iopscience.iop.org", "article/", key_doi_within },
	{ "frontiersin.org", "articles/", key_doi_within },
	{ "frontiersin.org", "journals/", key_doi_within },
	{ "journals.aps.org", "", key_doi_within },
	{ "biorxiv.org", "content/", key_preprint }, { "medrxiv.org", "content/", key_preprint },
	{ "nature.com", "articles/", key_nature }, { "zenodo.org", "record/", key_zenodo },
	{ "zenodo.org", "records/", key_zenodo }, { "elifesciences.org", "articles/", key_elife },
	{ "journals.plos.org", "", key_plos }, { "music.youtube.com", "watch", key_youtube },
	{ ".reddit.com", "", key_reddit }, { "redd.it", "", key_redd_it },
	{ "github.com", "", key_github },
};

static int
on_host(const struct page *p, const char *host)
{
	size_t n = strlen(host);

	if (host[0] != '.')
		return text_is(p->host, p->host_len, host);
	return text_is(p->host, p->host_len, host + 1) || (p->host_len > n &&
	    strncasecmp(p->host + p->host_len - n, host, n) == 0);
}

static int
add_form(struct buf *b, const struct page *p)
{
	struct page rest = *p;
	size_t n;

	for (size_t i = 0; i < COUNT(forms); i++) {
		n = leads(p->path, p->path_len, forms[i].lead);
		if ((n == 0 && forms[i].lead[0] != '\0') || !on_host(p, forms[i].host))
			continue;
		rest.path = p->path + n;
		rest.path_len = p->path_len - n;
		if (forms[i].key(b, &rest))
			return 1;
	}
	return 0;
}

static void
page_split(struct page *p, const char *key)
{
	size_t n = strcspn(key, "/?#");

	*p = (struct page){ .host = key, .host_len = n, .path = key + n };
	if (key[n] == '/')
		p->path++;
	p->path_len = strcspn(p->path, "?#");
	key = p->path + p->path_len;
	if (*key == '?') {
		p->query = key + 1;
		p->query_len = strcspn(p->query, "#");
	}
}

/* Adds the query without what asks for a page's AMP form; returns what follows it. */
static const char *
add_query(struct buf *b, const struct page *p)
{
	const char *s = p->query, *end = s + p->query_len, *stop;
	char before = '?';

	for (; s < end; s = stop + 1) {
		if ((stop = memchr(s, '&', (size_t)(end - s))) == NULL)
			stop = end;
		if (text_is(s, (size_t)(stop - s), "amp") || text_is(s, (size_t)(stop - s), "amp=1") ||
		    text_is(s, (size_t)(stop - s), "amp=true") ||
		    text_is(s, (size_t)(stop - s), "outputType=amp"))
			continue;
		buf_char(b, before);
		buf_add(b, s, (size_t)(stop - s));
		before = '&';
	}
	return end;
}

static void
add_page(struct buf *b, const struct page *p)
{
	const char *name, *rest, *path = p->host + p->host_len;
	size_t amp = leads(p->host, p->host_len, "amp."), name_len;

	if (on_host(p, ".reddit.com") && leads(p->host, p->host_len, "i.") == 0 &&
	    leads(p->host, p->host_len, "v.") == 0)
		buf_str(b, "reddit.com");
	else if (amp > 0 && memchr(p->host + amp, '.', p->host_len - amp) != NULL)
		buf_add(b, p->host + amp, p->host_len - amp);
	else
		buf_add(b, p->host, p->host_len);
	if (on_host(p, "github.com") && github_names(p, &name, &name_len, &rest) > 0) {
		add_lower(b, path, (size_t)(name + name_len - path));
		path = name + name_len;
		path += leads(path, strlen(path), ".git");
	}
	buf_add(b, path, (size_t)(p->path + p->path_len - path));
	path = p->path + p->path_len;
	if (p->query != NULL)
		path = add_query(b, p);
	buf_str(b, path);
}

/* Whether s is the port of a host that is called as a scheme is. */
static int
is_port(const char *s, size_t n)
{
	size_t len = digits(s, n);

	return len > 0 && len <= 5 && (len == n || s[len] == '/' || s[len] == '?');
}

/* An id that url_canonical() found already: 1; 0: there is none; -1: it is the same for many works
 * (players of lists and of what is on air). */
static int
add_found(struct buf *b, const char *key, size_t n)
{
	static const char *const schemes[] = { "youtube:", "openreview:" };
	size_t len;

	if ((len = leads(key, n, "arxiv:")) > 0)
		return add_arxiv(b, key + len, n - len);
	if ((len = leads(key, n, "doi:")) > 0)
		return add_doi(b, key + len, n - len);
	if (strcmp(key, "youtube:videoseries") == 0 || strcmp(key, "youtube:live_stream") == 0)
		return -1;
	for (size_t i = 0; i < COUNT(schemes); i++)
		if ((len = leads(key, n, schemes[i])) > 0 && n > len && !is_port(key + len, n - len)) {
			buf_add(b, key, n);
			return 1;
		}
	return 0;
}

/* The page that a cache of AMP pages shows; NULL: the key is of no such cache. */
static const char *
amp_target(const struct page *p)
{
	static const char *const caches[] = { "amp/s/", "c/s/", "v/s/" };
	size_t n;

	if (!on_host(p, "google.com") && !on_host(p, ".cdn.ampproject.org"))
		return NULL;
	for (size_t i = 0; i < COUNT(caches); i++)
		if ((n = leads(p->path, p->path_len, caches[i])) > 0)
			return p->path + n;
	return NULL;
}

int
work_key(struct buf *b, const char *url)
{
	struct buf key, target;
	const char *inner;
	struct page p;
	int is = -1;

	buf_init(&key, 4 * URL_MAX);
	buf_init(&target, 4 * URL_MAX);
	for (int hops = 0; url_canonical(&key, url) == 0 && !key.over; hops++) {
		page_split(&p, key.data);
		is = 0;
		if (hops == WORK_HOPS || (inner = amp_target(&p)) == NULL)
			break;
		buf_clear(&target);
		buf_str(&target, "https://");
		buf_str(&target, inner);
		buf_clear(&key);
		url = target.data;
		is = -1;
	}
	if (is == 0) {
		if ((is = add_found(b, key.data, key.len)) == 0)
			is = add_form(b, &p);
		if (is == 0)
			add_page(b, &p);
	}
	buf_free(&key);
	buf_free(&target);
	return is;
}

static void
ids_add(struct work_ids *ids, const struct buf *b)
{
	if (b->len == 0 || b->over || b->len > WORK_ID_MAX || ids->n == WORK_IDS)
		return;
	for (size_t i = 0; i < ids->n; i++)
		if (strcmp(ids->id[i], b->data) == 0)
			return;
	memcpy(ids->id[ids->n++], b->data, b->len + 1);
}

/* An id as texts name it. scheme: that of a bare value, or NULL. 1: added one. */
static int
add_named(struct buf *b, const char *s, size_t n, const char *scheme)
{
	static const char *const dois[] = { "doi:", "info:doi/", "urn:doi:" };
	MEM_UNSET char url[URL_MAX + 1];
	size_t len;

	if (leads(s, n, "http:") > 0 || leads(s, n, "https:") > 0) {
		if (n > URL_MAX)
			return 0;
		memcpy(url, s, n);
		url[n] = '\0';
		if (work_key(b, url) == 1)
			return 1;
		buf_clear(b);
		return 0;
	}
	for (size_t i = 0; i < COUNT(dois); i++)
		if ((len = leads(s, n, dois[i])) > 0)
			return add_doi(b, s + len, n - len);
	if ((len = leads(s, n, "oai:arxiv.org:")) > 0)
		return add_arxiv(b, s + len, n - len);
	if (leads(s, n, "arxiv:") > 0)
		return add_arxiv(b, s, n);
	len = leads(s, n, "yt:video:");
	if (scheme == NULL && len == 0)
		return 0;
	if (scheme != NULL && strcmp(scheme, "arxiv") == 0)
		return add_arxiv(b, s, n);
	if (scheme != NULL && strcmp(scheme, "doi") == 0)
		return add_doi(b, s, n);
	s += len;
	n -= len;
	for (size_t i = 0; i < n; i++)
		if (!word_char(s[i]))
			return 0;
	if (len > 0 || strcmp(scheme, "youtube") == 0 ? n != YOUTUBE_ID : n < 5)
		return 0;
	buf_str(b, len > 0 ? "youtube" : scheme);
	buf_char(b, ':');
	buf_add(b, s, n);
	return 1;
}

/* Extras that name works, and the scheme of a bare value. Those of an article's code, data and
 * project do not: several works share them. */
static const struct named {
	const char	*name, *scheme;
} names[] = {
	{ "work", NULL }, { "identifier", NULL }, { "doi", "doi" }, { "arxiv", "arxiv" },
	{ "arxiv_id", "arxiv" }, { "openreview", "openreview" }, { "youtube", "youtube" },
};

static void
ids_of_extra(struct work_ids *ids, struct buf *b, const char *name, const char *text)
{
	const char *colon = strrchr(name, ':');
	size_t i, n;

	if (colon != NULL)
		name = colon + 1;
	for (i = 0; i < COUNT(names) && strcasecmp(name, names[i].name) != 0; i++)
		;
	for (int tokens = 0; i < COUNT(names) && tokens < WORK_TOKENS; tokens++, text += n) {
		while (text_space(*text))
			text++;
		for (n = 0; text[n] != '\0' && !text_space(text[n]); n++)
			;
		buf_clear(b);
		if (n > 0 && add_named(b, text, n, names[i].scheme))
			ids_add(ids, b);
	}
}

/* The schemes that give a work one id. */
static const char *const schemes_single[] = { "arxiv", "doi", "openreview", "youtube" };

static int
of_scheme(const char *id, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncmp(id, scheme, n) == 0 && id[n] == ':';
}

static void
ids_of_extras(struct work_ids *ids, const struct cr_record *r, struct buf *b)
{
	const char *name, *text;

	for (size_t i = 0; record_extra_at(r, i, &name, &text); i++)
		ids_of_extra(ids, b, name, text);
}

void
work_ids_extra(struct work_ids *ids, const struct cr_record *r)
{
	struct buf b;

	ids->n = 0;
	buf_init(&b, 4 * URL_MAX);
	ids_of_extras(ids, r, &b);
	buf_free(&b);
}

void
work_ids(struct work_ids *ids, const struct cr_record *r)
{
	const char *link = record_get(r, CR_LINK, 0), *guid = record_get(r, CR_GUID, 0);
	struct buf b;

	ids->n = 0;
	buf_init(&b, 4 * URL_MAX);
	if (link != NULL && work_key(&b, link) == 1)
		ids_add(ids, &b);
	ids_of_extras(ids, r, &b);
	buf_clear(&b);
	if (guid != NULL && add_named(&b, guid, strlen(guid), NULL))
		for (size_t i = 0; i < COUNT(schemes_single); i++)
			if (of_scheme(b.data, schemes_single[i]))
				ids_add(ids, &b);
	buf_free(&b);
}

const char *
work_ids_clash(const struct work_ids *a, const struct work_ids *b)
{
	int in_a, in_b, common;

	for (size_t s = 0; s < COUNT(schemes_single); s++) {
		in_a = in_b = common = 0;
		for (size_t i = 0; i < a->n; i++)
			in_a |= of_scheme(a->id[i], schemes_single[s]);
		for (size_t j = 0; j < b->n; j++) {
			if (!of_scheme(b->id[j], schemes_single[s]))
				continue;
			in_b = 1;
			for (size_t i = 0; i < a->n; i++)
				common |= strcmp(a->id[i], b->id[j]) == 0;
		}
		if (in_a && in_b && !common)
			return schemes_single[s];
	}
	return NULL;
}
