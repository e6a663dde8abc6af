/* The following page: by Link header, by a URL or cursor in the document, or by counting. */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Behind "name=" at s, whose signs may be escaped, as those of page[after] are; NULL: it is another. */
static const char *
name_behind(const char *s, const char *name)
{
	char hex[3] = "";

	for (; *name != '\0'; name++) {
		if (*s == '%' && *name != '%') {
			memcpy(hex, s + 1, s[1] != '\0' ? 2 : 1);
			if (strspn(hex, "0123456789abcdefABCDEF") != 2 ||
			    strtol(hex, NULL, 16) != (unsigned char)*name)
				return NULL;
			s += 3;
		} else if (*s++ != *name)
			return NULL;
	}
	return *s == '=' ? s + 1 : NULL;
}

/* Where the parameter stands in a URL's query, at its name, and its value; NULL: it has none. */
static const char *
param_find(const char *url, const char *name, const char **value)
{
	const char *at = strchr(url, '?');

	while (at != NULL && *at != '\0') {
		at++;
		if ((*value = name_behind(at, name)) != NULL)
			return at;
		at = strpbrk(at, "&#");
		if (at != NULL && *at == '#')
			return NULL;
	}
	return NULL;
}

static size_t
escape(char *to, size_t room, const char *s)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t n = 0;

	for (; *s != '\0' && n + 4 < room; s++)
		if (strchr(plain, *s) != NULL)
			to[n++] = *s;
		else
			n += (size_t)snprintf(to + n, room - n, "%%%02X", (unsigned char)*s);
	to[n] = '\0';
	return *s == '\0' ? n : room;
}

/* The URL with the parameter set to that value. 0, or -1: it is too long. */
static int
param_set(char *out, const char *url, const char *name, const char *value)
{
	char text[API_URL];
	const char *end, *at = param_find(url, name, &end), *hash = strchrnul(url, '#');
	int n;

	if (escape(text, sizeof(text), value) >= sizeof(text))
		return -1;
	if (at != NULL) {
		end += strcspn(end, "&#");
		n = snprintf(out, API_URL, "%.*s%s=%s%s", (int)(at - url), url, name, text, end);
	} else {
		n = snprintf(out, API_URL, "%.*s%c%s=%s", (int)(hash - url), url,
		    strchr(url, '?') != NULL ? '&' : '?', name, text);
	}
	return n >= 0 && n < API_URL ? 0 : -1;
}

/* A URL in the document: whole, from the root of the host, or a query alone. */
static int
url_join(char *out, const char *base, const char *ref)
{
	const char *host = strstr(base, "://");
	size_t len;

	if (strncasecmp(ref, "http://", 7) == 0 || strncasecmp(ref, "https://", 8) == 0)
		len = 0;
	else if (host == NULL)
		return -1;
	else if (ref[0] == '/' && ref[1] != '/')
		len = (size_t)(host - base) + 3 + strcspn(host + 3, "/?#");
	else if (ref[0] == '?')
		len = strcspn(base, "?#");
	else
		return -1;
	return snprintf(out, API_URL, "%.*s%s", (int)len, base, ref) < API_URL ? 0 : -1;
}

/* Counting pages by ones, or offsets by the items that came. */
static int
count(char *out, const struct cr_page *page, const char *param, int64_t first, int64_t by)
{
	const char *value, *at = param_find(page->url, param, &value);
	int64_t n = at != NULL ? strtoll(value, NULL, 10) : first;
	char text[32];

	if (n < 0 || n > INT32_MAX)
		return -1;
	snprintf(text, sizeof(text), "%" PRId64, n + by);
	return param_set(out, page->url, param, text);
}

/* What the document names. 0: nothing; 1: in out; -1: it cannot be used, and that was told. */
static int
named(struct cr *cr, char *out, const struct cr_page *page, const json_t *document,
    const char *path, const char *param)
{
	const json_t *v = path_one(document, path);
	char *text = json_is_string(v) || json_is_integer(v) ? value_text(v) : NULL;
	int rc = 0;

	if (text == NULL)
		return 0;
	if (*param != '\0')
		rc = param_set(out, page->url, param, text);
	else
		rc = url_join(out, page->url, text);
	if (rc == -1)
		cr->partial(cr, "next: \"%.80s\" at %s is no URL%s", text, path, *param != '\0' ?
		    " part that can be used" : "; for a cursor say in next_param where it goes");
	free(text);
	return rc == -1 ? -1 : 1;
}

void
next_ask(struct cr *cr, const struct api_opts *o, const struct cr_page *page,
    const json_t *document, size_t n)
{
	const struct preset *p = &presets[o->preset];
	const char *next = o->next != NULL ? o->next : p->next;
	const char *param = o->next_param != NULL ? o->next_param : p->next_param;
	int64_t first = o->first >= 0 ? o->first : o->next != NULL ? 1 : p->first;
	char url[API_URL] = "";

	if (next == NULL || n == 0)
		return;
	if (strcmp(next, "link") == 0) {
		if (cr->link(cr, "next") != NULL)
			cr->next(cr, cr->link(cr, "next"));
		return;
	}
	if (strcmp(next, "page") == 0) {
		if (count(url, page, param != NULL ? param : "page", first, 1) == -1)
			return;
	} else if (strcmp(next, "offset") == 0) {
		if (count(url, page, param != NULL ? param : "offset", 0, (int64_t)n) == -1)
			return;
	} else if (named(cr, url, page, document, next, param != NULL ? param : "") != 1)
		return;
	if (strcmp(url, page->url) != 0)
		cr->next(cr, url);
}
