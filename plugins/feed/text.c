/* What can be said of a text by itself: whether it is HTML, base64, whose address it is. */
#include "feed.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && space(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && space(s.p[s.len - 1]))
		s.len--;
	return s;
}

int
text_is_web(const char *url)
{
	size_t n;

	if (url == NULL)
		return 0;
	while (space(*url))
		url++;
	n = strcspn(url, ":/?#");
	return url[n] != ':' || (n == 4 && strncasecmp(url, "http", 4) == 0) ||
	    (n == 5 && strncasecmp(url, "https", 5) == 0);
}

int
str_is(struct str s, const char *lower)
{
	s = str_trim(s);
	if (s.len > 0 && (s.p[0] | 0x20) != (lower[0] | 0x20))	/* most end here */
		return 0;
	return s.p != NULL && strlen(lower) == s.len && strncasecmp(s.p, lower, s.len) == 0;
}

long long
str_number(struct str s, long long none)
{
	long long n = 0;
	size_t i;

	s = str_trim(s);
	for (i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || n > (LLONG_MAX - 9) / 10)
			return none;
		n = 10 * n + (s.p[i] - '0');
	}
	return s.len > 0 ? n : none;
}

/* The elements by which a text is known to be HTML. Sorted. */
static const char *const html_names[] = {
	"a", "abbr", "acronym", "address", "area", "article", "aside", "audio", "b", "big",
	"blockquote", "br", "button", "canvas", "caption", "center", "cite", "code", "col",
	"colgroup", "dd", "del", "details", "dfn", "dir", "div", "dl", "dt", "em", "fieldset",
	"figcaption", "figure", "font", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
	"header", "hr", "i", "iframe", "img", "input", "ins", "kbd", "label", "legend", "li", "map",
	"mark", "menu", "nav", "nobr", "ol", "optgroup", "option", "p", "picture", "pre", "q", "s",
	"samp", "script", "section", "select", "small", "source", "span", "strike", "strong",
	"style", "sub", "summary", "sup", "table", "tbody", "td", "textarea", "tfoot", "th",
	"thead", "time", "tr", "tt", "u", "ul", "var", "video", "wbr",
};
static const char *const void_names[] = {
	"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
	"source", "track", "wbr",
};

static int
by_name(const void *a, const void *b)
{
	return strcasecmp(a, *(const char *const *)b);
}

static int
known(const char *name, const char *const *list, size_t n)
{
	return bsearch(name, list, n, sizeof(*list), by_name) != NULL;
}

int
text_is_void(const char *name)
{
	return known(name, void_names, sizeof(void_names) / sizeof(*void_names));
}

static int
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int
name_char(char c)
{
	return letter(c) || (c >= '0' && c <= '9');
}

/* At '<': 1 a comment, an end tag or a void element of HTML, 0 a start tag, -1 no tag of HTML. */
static int
judge_tag(const char *s, const char *end)
{
	char name[16];
	size_t n = 0;
	int closing;

	if (end - s >= 4 && memcmp(s, "<!--", 4) == 0)
		return 1;
	closing = s + 1 < end && s[1] == '/';
	for (s += 1 + closing; s < end && name_char(*s) && n < sizeof(name) - 1; s++)
		name[n++] = *s;
	name[n] = '\0';
	if (n == 0 || !letter(name[0]) ||
	    !known(name, html_names, sizeof(html_names) / sizeof(*html_names)))
		return -1;
	return closing || text_is_void(name);
}

/* At '&': 1 a reference that HTML knows, 0 a mere ampersand, -1 a reference that it does not
 * know. */
static int
judge_reference(const char *s, const char *end)
{
	const char *name = ++s;
	size_t n;

	if (s < end && *s == '#') {
		for (s++; s < end && name_char(*s); s++)
			;
		return s < end && *s == ';' && s > name + 1;
	}
	while (s < end && name_char(*s))
		s++;
	if (s == name || s == end || *s != ';')
		return 0;
	return entity_find(name, (size_t)(s - name), &n) != NULL ? 1 : -1;
}

/* An end tag, a void element or a reference shows that a text is HTML; a tag or a reference that
 * HTML does not have shows that it is not. */
int
text_looks_html(const char *s, size_t len)
{
	const char *end = s + len;
	int found = 0, what;

	for (; (s = memchr(s, '<', (size_t)(end - s))) != NULL; s++) {
		if ((what = judge_tag(s, end)) == -1)
			return 0;
		found |= what;
	}
	for (s = end - len; (s = memchr(s, '&', (size_t)(end - s))) != NULL; s++) {
		if ((what = judge_reference(s, end)) == -1)
			return 0;
		found |= what;
	}
	return found;
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

size_t
text_base64(char *s, size_t len)
{
	uint32_t bits = 0;
	size_t i, out = 0;
	int n = 0, digit;

	for (i = 0; i < len && s[i] != '='; i++) {
		if (s[i] == ' ' || (s[i] >= '\t' && s[i] <= '\r'))
			continue;
		if ((digit = base64_digit(s[i])) == -1)
			return SIZE_MAX;
		bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
		if ((n += 6) >= 8) {
			n -= 8;
			s[out++] = (char)(bits >> n & 0xff);
		}
	}
	return out;
}

size_t
text_cut(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* Length of the scheme with its colon, or 0. */
static size_t
scheme_len(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] == ':')
			return i > 0 && letter(s[0]) ? i + 1 : 0;
		if (!name_char(s[i]) && strchr("+-.", s[i]) == NULL)
			return 0;
	}
	return 0;
}

/* Removes "." and ".." segments of a path, in place (RFC 3986 5.2.4). */
static void
remove_dots(char *path)
{
	char *in = path, *out = path, *next;
	size_t n;

	while (*in != '\0' && *in != '?' && *in != '#') {
		n = strcspn(in + 1, "/?#");
		next = in + 1 + n;
		if (n == 1 && in[1] == '.') {
			if (*next != '/')
				*out++ = '/';
		} else if (n == 2 && in[1] == '.' && in[2] == '.') {
			while (out > path && *--out != '/')
				;
			if (*next != '/')
				*out++ = '/';
		} else {
			memmove(out, in, n + 1);
			out += n + 1;
		}
		in = next;
	}
	memmove(out, in, strlen(in) + 1);
}

/* ref against base, which may itself be relative (then no host is made up). The host resolves
 * against the page; this is for an xml:base within an xml:base. -1: too long. */
int
text_resolve(char *out, size_t size, const char *base, const char *ref, size_t len)
{
	size_t scheme = scheme_len(base, strlen(base)), root = scheme, keep;
	int n;

	if (scheme_len(ref, len) > 0 || base[0] == '\0')
		keep = 0;
	else {
		if (strncmp(base + scheme, "//", 2) == 0)
			root += 2 + strcspn(base + scheme + 2, "/?#");
		keep = root + strcspn(base + root, "?#");
		if (len >= 2 && ref[0] == '/' && ref[1] == '/')
			keep = scheme;
		else if (len > 0 && ref[0] == '/')
			keep = root;
		else if (len > 0 && ref[0] != '?' && ref[0] != '#')
			while (keep > root && base[keep - 1] != '/')
				keep--;
		else if (len == 0 || ref[0] == '#')
			keep = root + strcspn(base + root, "#");
	}
	n = snprintf(out, size, "%.*s%s%.*s", (int)keep, base,
	    keep == root && keep > scheme && len > 0 && strchr("/?#", ref[0]) == NULL ? "/" : "",
	    (int)len, ref);
	if (n < 0 || (size_t)n >= size)
		return -1;
	if (keep >= root && keep > 0 && out[root] == '/')
		remove_dots(out + root);
	return 0;
}

/* Up to the first of the characters that cannot stand in an address. */
static int
in_mail(char c)
{
	return (unsigned char)c > ' ' && strchr("()<>[]\"',;:", c) == NULL;
}

/* The e-mail address in a text, by its '@'. */
static struct str
find_mail(struct str s)
{
	const char *end = s.p + s.len, *at = s.p, *from, *to;

	for (; (at = memchr(at, '@', (size_t)(end - at))) != NULL; at++) {
		for (from = at; from > s.p && in_mail(from[-1]); from--)
			;
		for (to = at + 1; to < end && in_mail(*to); to++)
			;
		if (from < at && to > at + 1)
			return (struct str){ from, (size_t)(to - from) };
	}
	return (struct str){ NULL, 0 };
}

static struct str
trim_name(const char *from, const char *to)
{
	static const char around[] = " \t\r\n()<>\"[],:";

	while (from < to && strchr(around, *from) != NULL)
		from++;
	while (to > from && strchr(around, to[-1]) != NULL)
		to--;
	return (struct str){ from, (size_t)(to - from) };
}

static int
ends_with(const char *from, const char *to, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(to - from) >= n && strncasecmp(to - n, what, n) == 0;
}

/* "mail (Name)", "Name <mail>", "Name (mail)", "mail", "Name": RFC 822 and its relatives. */
void
text_person(struct str s, struct str *name, struct str *mail)
{
	const char *end = s.p + s.len, *before;

	*mail = find_mail(s);
	if (mail->p == NULL) {
		*name = s;
		return;
	}
	before = mail->p;
	if (ends_with(s.p, before, "mailto:"))
		before -= 7;
	*name = trim_name(s.p, before);
	if (name->len == 0)
		*name = trim_name(mail->p + mail->len, end);
}
