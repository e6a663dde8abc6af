/* The links that an abstract names: the work itself, its project's page, its code. */
#include "papers.h"

#include <string.h>
#include <strings.h>

/* Hosts, and those below them. A path in front of which nothing is known begins with '/'. */
static const struct {
	const char	*host;
	int		 kind;
	int		 bare;		/* known without https:// as well */
} hosts[] = {
	{ "arxiv.org", LINK_WORK, 1 }, { "openreview.net", LINK_WORK, 1 },
	{ "aclanthology.org", LINK_WORK, 1 }, { "doi.org", LINK_WORK, 0 },
	{ "github.io", LINK_PROJECT, 1 }, { "gitlab.io", LINK_PROJECT, 1 },
	{ "sites.google.com", LINK_PROJECT, 0 }, { "github.com", LINK_CODE, 1 },
	{ "gitlab.com", LINK_CODE, 1 }, { "bitbucket.org", LINK_CODE, 1 },
	{ "codeberg.org", LINK_CODE, 1 }, { "anonymous.4open.science", LINK_CODE, 0 },
	{ "huggingface.co", LINK_HUB, 1 }, { "hf.co", LINK_HUB, 0 },
	{ "zenodo.org", LINK_HUB, 0 },
};
/* A DOI of data or code is none of the paper. */
static const char zenodo[] = "https://doi.org/10.5281/zenodo.";

static size_t
url_end(const char *s, size_t len)
{
	size_t n = 0, open = 0;

	while (n < len && (unsigned char)s[n] > ' ' && (unsigned char)s[n] < 0x7f &&
	    strchr("<>\"{}|\\^`", s[n]) == NULL) {
		if (s[n] == '(')
			open++;
		else if (s[n] == ')' && open-- == 0)
			break;
		n++;
	}
	while (n > 0 && strchr(".,;:!?'*_])", s[n - 1]) != NULL && (s[n - 1] != ')' || open > 0))
		n--;
	return n;
}

/* The place in the table of the host that s begins with, or of what is below it; -1. */
static int
host_of(const char *s, size_t len)
{
	size_t n = 0, tail, i;

	while (n < len && strchr("/?#:", s[n]) == NULL)
		n++;
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		tail = strlen(hosts[i].host);
		if (n >= tail && strncasecmp(s + n - tail, hosts[i].host, tail) == 0 &&
		    (n == tail || s[n - tail - 1] == '.'))
			return (int)i;
	}
	return -1;
}

static int
kind_of(const char *url, size_t len)
{
	const char *s = strstr(url, "://");
	int at;

	if (strncasecmp(url, zenodo, sizeof(zenodo) - 1) == 0)
		return LINK_HUB;
	s += 3;
	at = host_of(s, len - (size_t)(s - url));
	return at == -1 ? LINK_OTHER : hosts[at].kind;
}

static void
links_add(struct links *l, const char *scheme, const char *s, size_t len)
{
	size_t n = strlen(scheme), i;
	char *to;

	if (l->n == PAPERS_LINKS || n + len >= PAPERS_URL)
		return;
	to = l->url[l->n];
	memcpy(to, scheme, n);
	memcpy(to + n, s, len);
	to[n + len] = '\0';
	for (i = 0; i < l->n; i++)
		if (strcmp(l->url[i], to) == 0)
			return;
	l->kind[l->n++] = kind_of(to, n + len);
}

/* "github.com/a/b" or "name.github.io" without a scheme, at the beginning of a word. */
static int
bare_at(const char *s, size_t len)
{
	int at = host_of(s, len);
	const char *slash = memchr(s, '/', len);

	if (at == -1 || !hosts[at].bare)
		return 0;
	return hosts[at].kind == LINK_PROJECT ? len > strlen(hosts[at].host) :
	    slash != NULL && slash + 1 < s + len;
}

static size_t
scheme_at(const char *s, size_t len)
{
	if (len > 8 && strncasecmp(s, "https://", 8) == 0)
		return 8;
	return len > 7 && strncasecmp(s, "http://", 7) == 0 ? 7 : 0;
}

void
links_find(struct links *l, struct text t)
{
	size_t i, n, scheme;
	int begin = 1;			/* of a word */

	l->n = 0;
	for (i = 0; i < t.len; i += n) {
		n = 1;
		scheme = scheme_at(t.s + i, t.len - i);
		if (scheme > 0 && (n = url_end(t.s + i, t.len - i)) > scheme) {
			links_add(l, "", t.s + i, n);
		} else if (scheme == 0 && begin) {
			n = url_end(t.s + i, t.len - i);
			if (n > 0 && bare_at(t.s + i, n))
				links_add(l, "https://", t.s + i, n);
			else
				n = 1;
		}
		n = n > 0 ? n : 1;
		begin = strchr(" \t\n([{", t.s[i + n - 1]) != NULL;
	}
}

static const char *
links_first(const struct links *l, int kind)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->kind[i] == kind)
			return l->url[i];
	return NULL;
}

const char *
links_best(const struct links *l)
{
	const char *best = NULL;

	for (int kind = 0; kind < LINK_KINDS && best == NULL; kind++)
		best = links_first(l, kind);
	return best;
}
