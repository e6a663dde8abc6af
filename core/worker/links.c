/* The links of a record's texts to code, data, a project's page, a video, a demo. */
#include "links.h"
#include "link_kind.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/url.h"
#include "record/record.h"

#include <string.h>
#include <strings.h>

#define LINKS_TRIES	1000		/* addresses of one record that are looked at */
#define RUN_TRIES	32		/* places in one run of bytes without blanks that are looked at */
#define TAGS_BEFORE	16		/* tags that may stand in the text before a URL */
#define HREF		"<a href=\""	/* as html_sanitise() writes a link */

static const char *const names[LINK_KINDS] = { [LINK_CODE] = "code", [LINK_DATA] = "data",
	[LINK_PROJECT] = "project", [LINK_VIDEO] = "video", [LINK_DEMO] = "demo" };

struct links {
	enum link_kind	 kind[LINKS_MAX];
	size_t		 at[LINKS_MAX], key_at[LINKS_MAX];	/* in url, in key */
	size_t		 n, tries;
	struct buf	 url, key;	/* the addresses and their canonical forms, with NUL */
	const char	*home[2];	/* the record's link, the page it was read in; or NULL */
	const char	*html;		/* the text that is read */
	size_t		 len;
	size_t		 run_end, run_tries;	/* of the run of bytes looked at last */
};

/* ---- One address ---- */

/* Bytes of a URL at s, without what closes the sentence or a parenthesis around the URL. 0: it was cut
 * ("https://example.org/pa..."). */
static size_t
url_end(const char *s, size_t len)
{
	size_t n = 0, open = 0, whole;

	while (n < len && (unsigned char)s[n] > ' ' && (unsigned char)s[n] < 0x7f &&
	    strchr("<>\"{}|\\^`", s[n]) == NULL) {
		if (s[n] == '(')
			open++;
		else if (s[n] == ')' && open-- == 0)
			break;
		n++;
	}
	if (len - n >= 3 && memcmp(s + n, "\xe2\x80\xa6", 3) == 0)
		return 0;
	for (whole = n; n > 0 && strchr(".,;:!?'*_])", s[n - 1]) != NULL &&
	    (s[n - 1] != ')' || open > 0); n--)
		;
	return whole - n >= 3 && memcmp(s + n, "...", 3) == 0 ? 0 : n;
}

/* Whether the address is on the site that the record is of: that of the page it was read in, or that
 * of its own link, unless the address is this very link, which a plugin may have found in the text. */
static int
is_home(const struct links *l, const char *url)
{
	struct url u, own;

	if (url_split(&u, url) == -1)
		return 0;
	for (size_t i = 0; i < 2; i++)
		if (l->home[i] != NULL && url_split(&own, l->home[i]) == 0 &&
		    u.host_len == own.host_len && strncasecmp(u.host, own.host, u.host_len) == 0 &&
		    (i == 1 || strcmp(url, l->home[i]) != 0))
			return 1;
	return 0;
}

/* `said`: the kind by the words that announce the link. */
static enum link_kind
kind_of(const struct links *l, const char *url, enum link_kind said)
{
	int known;
	enum link_kind kind = link_kind(url, &known);

	if (kind == LINK_NONE && !known)
		kind = said != LINK_NONE && !is_home(l, url) ? said : LINK_NONE;
	return kind == LINK_PROJECT && is_home(l, url) ? LINK_NONE : kind;
}

/* Adds a URL unless the same page is there. */
static void
add(struct links *l, const char *url, enum link_kind kind)
{
	size_t at = l->key.len, i;

	if (url_canonical(&l->key, url) == -1)
		return;
	buf_char(&l->key, '\0');
	for (i = 0; i < l->n; i++)
		if (strcmp(l->key.data + l->key_at[i], l->key.data + at) == 0) {
			l->key.len = at;
			return;
		}
	l->kind[l->n] = kind;
	l->key_at[l->n] = at;
	l->at[l->n++] = l->url.len;
	buf_add(&l->url, url, strlen(url) + 1);
}

/* An address as the text has it. */
static void
take(struct links *l, const char *scheme, const char *s, size_t len, enum link_kind said)
{
	char url[LINKS_URL + 1], made[URL_MAX + 1];
	size_t n = strlen(scheme);
	enum link_kind kind;
	struct url u;

	if (l->n == LINKS_MAX || l->tries++ >= LINKS_TRIES || n + len > LINKS_URL)
		return;
	memcpy(url, scheme, n);
	memcpy(url + n, s, len);
	url[n + len] = '\0';
	if (url_split(&u, url) == -1 || u.user != NULL || u.host_len == 0)
		return;
	kind = kind_of(l, url, said);
	if (kind != LINK_NONE && url_resolve_to(made, NULL, url) == 0 && url_fetchable(made) &&
	    strlen(made) <= LINKS_URL)
		add(l, made, kind);
}

/* ---- The text ---- */

static size_t
scheme_at(const char *s, size_t len)
{
	if (len > 8 && strncasecmp(s, "https://", 8) == 0)
		return 8;
	return len > 7 && strncasecmp(s, "http://", 7) == 0 ? 7 : 0;
}

/* The references of escaped text that stand in addresses: decodes len bytes into out, as many as fit.
 * Returns the number of bytes of the result. */
static size_t
unescape(char *out, size_t size, const char *s, size_t len)
{
	static const struct { const char *reference; char c; } of[] = {
		{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&#39;", '\'' },
	};
	size_t n = 0, i, skip;

	for (; len > 0 && n < size; s += skip, len -= skip, n++) {
		out[n] = *s;
		skip = 1;
		for (i = 0; *s == '&' && i < sizeof(of) / sizeof(of[0]); i++)
			if (len >= strlen(of[i].reference) &&
			    memcmp(s, of[i].reference, strlen(of[i].reference)) == 0) {
				out[n] = of[i].c;
				skip = strlen(of[i].reference);
			}
	}
	return n;
}

/* Text in front of html[at], tags left out, at most LINK_BEFORE bytes of it. */
static size_t
text_before(const struct links *l, size_t at, char out[LINK_BEFORE])
{
	size_t n = LINK_BEFORE;
	unsigned tags = 0;
	const char *tag;

	while (at > 0 && n > 0) {
		if (l->html[at - 1] != '>') {
			out[--n] = l->html[--at];
			out[n] = text_space((unsigned char)out[n]) ? ' ' : out[n];
			continue;
		}
		if (tags++ == TAGS_BEFORE || (tag = memrchr(l->html, '<', at)) == NULL)
			break;
		if (at - (size_t)(tag - l->html) > 3 && (tag[1] == 'p' || tag[1] == '/') &&
		    (tag[2] == '>' || tag[2] == 'p' || tag[2] == 'l'))
			break;			/* a paragraph, an item of a list */
		at = (size_t)(tag - l->html);
	}
	memmove(out, out + n, LINK_BEFORE - n);
	return LINK_BEFORE - n;
}

/* A URL in the text at `at`; returns its bytes in the text, at least 1. */
static size_t
text_url(struct links *l, size_t at, size_t scheme)
{
	char plain[LINKS_URL + 8], before[LINK_BEFORE];
	size_t raw, n, end;

	if (at >= l->run_end) {
		l->run_tries = 0;
		for (l->run_end = at; l->run_end < l->len && l->html[l->run_end] != '<' &&
		    (unsigned char)l->html[l->run_end] > ' ';)
			l->run_end++;
	}
	raw = l->run_end - at;
	if (l->run_tries++ == RUN_TRIES)
		return raw > 0 ? raw : 1;
	n = unescape(plain, sizeof(plain), l->html + at, raw);
	end = url_end(plain, n);
	if (scheme == 0 && end > 0 && link_bare(plain, end))
		take(l, "https://", plain, end, LINK_NONE);
	else if (scheme > 0 && end > scheme)
		take(l, "", plain, end, link_kind_before(before, text_before(l, at, before)));
	else if (scheme == 0)
		return 1;
	/* "name{https://...}": the rest of the run of bytes is looked at, too */
	return end > 0 && end < n && plain[end] == '{' ? end : raw > 0 ? raw : 1;
}

/* A tag at `at`; returns its bytes. */
static size_t
tag(struct links *l, size_t at)
{
	const char *s = l->html + at, *end = memchr(s, '>', l->len - at), *close, *text;
	size_t skip = end != NULL ? (size_t)(end + 1 - s) : l->len - at, n = sizeof(HREF) - 1, len;
	char url[LINKS_URL + 8];

	if (end == NULL || skip < n || memcmp(s, HREF, n) != 0 ||
	    (close = memchr(s + n, '"', skip - n)) == NULL)
		return skip;
	len = unescape(url, sizeof(url), s + n, (size_t)(close - s) - n);
	text = end + 1;
	close = memchr(text, '<', l->len - at - skip);
	if (scheme_at(url, len) > 0)
		take(l, "", url, len, close != NULL ?
		    link_kind_named(text, (size_t)(close - text)) : LINK_NONE);
	return skip;
}

/* Whether a word at s may be an address: bytes of a host's name, with a dot that a letter follows. */
static int
may_be_host(const char *s, size_t len)
{
	size_t n = 0;
	int dot = 0;

	for (; n < len && (s[n] == '.' || s[n] == '-' || (s[n] >= '0' && s[n] <= '9') ||
	    (s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z')); n++)
		dot |= n > 0 && s[n - 1] == '.' && s[n] >= 'a';
	return dot;
}

static void
read_html(struct links *l, const char *html)
{
	size_t i, n, scheme;
	int begin = 1;			/* of a word */

	if (html == NULL)
		return;
	l->html = html;
	l->len = strlen(html);
	l->run_end = 0;
	for (i = 0; i < l->len && l->n < LINKS_MAX; i += n) {
		n = 1;
		if (html[i] == '<') {
			n = tag(l, i);
		} else if (html[i] == 'h' || html[i] == 'H' || begin) {
			scheme = scheme_at(html + i, l->len - i);
			if (scheme > 0 || (begin && may_be_host(html + i, l->len - i)))
				n = text_url(l, i, scheme);
		}
		begin = strchr(" \t\n([{>;", html[i + n - 1]) != NULL;
	}
}

void
links_set(struct cr_record *r, const char *page)
{
	struct links l = { .home = { record_get(r, CR_LINK, 0), page } };
	struct buf all;
	size_t i, kind;

	buf_init(&l.url, LINKS_MAX * (LINKS_URL + 1));
	buf_init(&l.key, LINKS_MAX * 2 * (URL_MAX + 1));
	buf_init(&all, LINKS_MAX * (LINKS_URL + 1));
	read_html(&l, record_get(r, CR_CONTENT, 0));
	read_html(&l, record_get(r, CR_SUMMARY, 0));
	for (kind = LINK_NONE + 1; l.n > 0 && !l.url.over && !l.key.over && kind < LINK_KINDS; kind++) {
		if (record_get_extra(r, names[kind]) != NULL)
			continue;
		buf_clear(&all);
		for (i = 0; i < l.n; i++) {
			if (l.kind[i] != kind)
				continue;
			if (all.len > 0)
				buf_char(&all, ' ');
			buf_str(&all, l.url.data + l.at[i]);
		}
		if (all.len > 0 && record_spare(r, all.len + strlen(names[kind])))
			record_set_extra(r, names[kind], all.data);
	}
	buf_free(&l.url);
	buf_free(&l.key);
	buf_free(&all);
}
