/* The kind of a link by its address, or by the words that announce it. */
#include "link_kind.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

#define NAMED_MAX	40		/* bytes of a link's text that may name its kind */
#define BARE		1		/* known without "https://" as well */
#define FORGE		2		/* has repositories at /OWNER/NAME */

/* Hosts, and all below them; the first row whose host and path fit counts. parts: of the path, at
 * least. */
static const struct {
	const char	*host, *path;
	unsigned char	 parts, kind, flags;
} sites[] = {
	{ "gist.github.com", "/", 1, LINK_CODE, 0 },
	{ "docs.github.com", "/", 0, LINK_NONE, 0 },
	{ "github.com", "/orgs/", 0, LINK_NONE, 0 },
	{ "github.com", "/users/", 0, LINK_NONE, 0 },
	{ "github.com", "/topics/", 0, LINK_NONE, 0 },
	{ "github.com", "/sponsors/", 0, LINK_NONE, 0 },
	{ "github.com", "/features/", 0, LINK_NONE, 0 },
	{ "github.com", "/collections/", 0, LINK_NONE, 0 },
	{ "github.com", "/marketplace/", 0, LINK_NONE, 0 },
	{ "github.com", "/advisories/", 0, LINK_NONE, 0 },
	{ "github.com", "/apps/", 0, LINK_NONE, 0 },
	{ "github.com", "/", 2, LINK_CODE, BARE | FORGE },
	{ "gitlab.com", "/", 2, LINK_CODE, BARE | FORGE },
	{ "bitbucket.org", "/", 2, LINK_CODE, BARE | FORGE },
	{ "codeberg.org", "/", 2, LINK_CODE, BARE | FORGE },
	{ "gitee.com", "/", 2, LINK_CODE, FORGE },
	{ "git.sr.ht", "/", 2, LINK_CODE, 0 },
	{ "anonymous.4open.science", "/", 1, LINK_CODE, 0 },
	{ "sourceforge.net", "/projects/", 2, LINK_CODE, 0 },
	{ "codeocean.com", "/capsule/", 2, LINK_CODE, 0 },
	{ "pypi.org", "/project/", 2, LINK_CODE, 0 },
	{ "npmjs.com", "/package/", 2, LINK_CODE, 0 },
	{ "crates.io", "/crates/", 2, LINK_CODE, 0 },
	{ "huggingface.co", "/datasets/", 2, LINK_DATA, BARE },
	{ "huggingface.co", "/spaces/", 2, LINK_DEMO, BARE },
	{ "huggingface.co", "/papers/", 0, LINK_NONE, 0 },
	{ "huggingface.co", "/blog/", 0, LINK_NONE, 0 },
	{ "huggingface.co", "/docs/", 0, LINK_NONE, 0 },
	{ "huggingface.co", "/collections/", 0, LINK_NONE, 0 },
	{ "huggingface.co", "/", 2, LINK_CODE, BARE },
	{ "hf.co", "/datasets/", 2, LINK_DATA, 0 },
	{ "hf.co", "/spaces/", 2, LINK_DEMO, 0 },
	{ "hf.co", "/papers/", 0, LINK_NONE, 0 },
	{ "hf.co", "/", 2, LINK_CODE, 0 },
	{ "modelscope.cn", "/datasets/", 2, LINK_DATA, 0 },
	{ "modelscope.cn", "/studios/", 2, LINK_DEMO, 0 },
	{ "modelscope.cn", "/models/", 2, LINK_CODE, 0 },
	{ "kaggle.com", "/datasets/", 2, LINK_DATA, 0 },
	{ "kaggle.com", "/code/", 2, LINK_CODE, 0 },
	{ "zenodo.org", "/", 2, LINK_DATA, 0 },
	{ "doi.org", "/10.5281/zenodo.", 2, LINK_DATA, 0 },
	{ "doi.org", "/10.6084/m9.figshare.", 2, LINK_DATA, 0 },
	{ "doi.org", "/10.5061/dryad.", 2, LINK_DATA, 0 },
	{ "doi.org", "/10.7910/dvn/", 3, LINK_DATA, 0 },
	{ "doi.org", "/10.17632/", 2, LINK_DATA, 0 },
	{ "doi.org", "/", 0, LINK_NONE, 0 },
	{ "figshare.com", "/", 2, LINK_DATA, 0 },
	{ "datadryad.org", "/", 2, LINK_DATA, 0 },
	{ "data.mendeley.com", "/", 2, LINK_DATA, 0 },
	{ "dataverse.harvard.edu", "/", 1, LINK_DATA, 0 },
	{ "physionet.org", "/content/", 2, LINK_DATA, 0 },
	{ "ieee-dataport.org", "/", 1, LINK_DATA, 0 },
	{ "openml.org", "/", 1, LINK_DATA, 0 },
	{ "opendatalab.com", "/", 1, LINK_DATA, 0 },
	{ "archive.ics.uci.edu", "/", 1, LINK_DATA, 0 },
	{ "github.io", "/", 0, LINK_PROJECT, BARE },
	{ "gitlab.io", "/", 0, LINK_PROJECT, BARE },
	{ "sites.google.com", "/", 2, LINK_PROJECT, 0 },
	{ "osf.io", "/", 1, LINK_PROJECT, 0 },
	{ "youtube.com", "/watch", 1, LINK_VIDEO, 0 },
	{ "youtube.com", "/playlist", 1, LINK_VIDEO, 0 },
	{ "youtube.com", "/embed/", 2, LINK_VIDEO, 0 },
	{ "youtube.com", "/shorts/", 2, LINK_VIDEO, 0 },
	{ "youtube.com", "/live/", 2, LINK_VIDEO, 0 },
	{ "youtube.com", "/", 0, LINK_NONE, 0 },
	{ "youtu.be", "/", 1, LINK_VIDEO, 0 },
	{ "vimeo.com", "/", 1, LINK_VIDEO, 0 },
	{ "bilibili.com", "/video/", 2, LINK_VIDEO, 0 },
	{ "dailymotion.com", "/video/", 2, LINK_VIDEO, 0 },
	{ "slideslive.com", "/", 1, LINK_VIDEO, 0 },
	{ "media.ccc.de", "/v/", 2, LINK_VIDEO, 0 },
	{ "colab.research.google.com", "/", 1, LINK_DEMO, 0 },
	{ "hf.space", "/", 0, LINK_DEMO, 0 },
	{ "gradio.app", "/", 0, LINK_DEMO, 0 },
	{ "gradio.live", "/", 0, LINK_DEMO, 0 },
	{ "streamlit.app", "/", 0, LINK_DEMO, 0 },
	{ "replicate.com", "/", 2, LINK_DEMO, 0 },
	{ "mybinder.org", "/", 1, LINK_DEMO, 0 },
	{ "arxiv.org", "/", 0, LINK_NONE, 0 },
	{ "openreview.net", "/", 0, LINK_NONE, 0 },
	{ "aclanthology.org", "/", 0, LINK_NONE, 0 },
	{ "wikipedia.org", "/", 0, LINK_NONE, 0 },
};
#define SITES	(sizeof(sites) / sizeof(sites[0]))

/* Parts of a repository's address that are about the work on the code. */
static const char *const about[] = { "issues", "pull", "pulls", "merge_requests", "discussions",
	"commit", "commits", "compare", "actions", "projects", "wiki", "security", "graphs",
	"milestone", "milestones", "labels", "stargazers", "network", "sponsors", "pipelines" };

/* ---- By address ---- */

/* Whether the host s of n bytes is `host` or below it. */
static int
is_below(const char *s, size_t n, const char *host)
{
	size_t tail = strlen(host);

	return n >= tail && strncasecmp(s + n - tail, host, tail) == 0 &&
	    (n == tail || s[n - tail - 1] == '.');
}

static size_t
host_end(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] != '\0' && strchr("/?#:", s[n]) == NULL)
		n++;
	return n;
}

/* The nth part of a path that begins with '/', from 0; its bytes: 0, there is none. */
static size_t
path_part(const char *path, size_t nth, const char **part)
{
	size_t n;

	for (; *path == '/'; path += n) {
		path++;
		n = strcspn(path, "/?#");
		if (n > 0 && nth-- == 0) {
			*part = path;
			return n;
		}
	}
	return 0;
}

/* Whether an address on a forge leads to issues and the like. GitLab has "/-/" before these. */
static int
is_about(const char *path)
{
	const char *part;
	size_t n = path_part(path, 2, &part), i;

	if (n == 1 && *part == '-')
		n = path_part(path, 3, &part);
	for (i = 0; n > 0 && i < sizeof(about) / sizeof(about[0]); i++)
		if (text_is(part, n, about[i]))
			return 1;
	return 0;
}

static enum link_kind
site_kind(size_t i, const char *path)
{
	const char *part;

	if (sites[i].parts > 0 && path_part(path, sites[i].parts - 1u, &part) == 0)
		return LINK_NONE;
	return (sites[i].flags & FORGE) != 0 && is_about(path) ? LINK_NONE :
	    (enum link_kind)sites[i].kind;
}

enum link_kind
link_kind(const char *url, int *known)
{
	const char *host = strstr(url, "://"), *path, *part;
	size_t n, i;

	*known = 0;
	if (host == NULL)
		return LINK_NONE;
	host += 3;
	n = strcspn(host, "/?#:");
	path = host + n + strcspn(host + n, "/?#");
	path = *path == '/' ? path : "/";
	for (i = 0; i < SITES; i++)
		if (is_below(host, n, sites[i].host) &&
		    strncasecmp(path, sites[i].path, strlen(sites[i].path)) == 0) {
			*known = 1;
			return site_kind(i, path);
		}
	if (n > 7 && strncasecmp(host, "gitlab.", 7) == 0 && path_part(path, 1, &part) > 0)
		return is_about(path) ? LINK_NONE : LINK_CODE;
	return n > 5 && strncasecmp(host, "demo.", 5) == 0 ? LINK_DEMO : LINK_NONE;
}

int
link_bare(const char *s, size_t len)
{
	size_t n = host_end(s, len), i;

	if (n < len && s[n] != '/')
		return 0;
	for (i = 0; i < SITES; i++)
		if ((sites[i].flags & BARE) != 0 && is_below(s, n, sites[i].host))
			return sites[i].parts == 0 ? n > strlen(sites[i].host) :
			    n == strlen(sites[i].host) && n + 1 < len;
	return 0;
}

/* ---- By words ---- */

static const struct { const char *word; enum link_kind kind; } words[] = {
	{ "code", LINK_CODE }, { "codes", LINK_CODE }, { "codebase", LINK_CODE },
	{ "implementation", LINK_CODE }, { "repository", LINK_CODE }, { "repo", LINK_CODE },
	{ "model", LINK_CODE }, { "models", LINK_CODE }, { "checkpoints", LINK_CODE },
	{ "weights", LINK_CODE }, { "data", LINK_DATA }, { "dataset", LINK_DATA },
	{ "datasets", LINK_DATA }, { "corpus", LINK_DATA }, { "project", LINK_PROJECT },
	{ "website", LINK_PROJECT }, { "webpage", LINK_PROJECT }, { "homepage", LINK_PROJECT },
	{ "video", LINK_VIDEO }, { "videos", LINK_VIDEO }, { "demo", LINK_DEMO },
	{ "demos", LINK_DEMO },
};
/* What stands directly before the URL of something that is announced. */
static const char *const leads[] = { "at", "on", "in", "via", "from", "here", "is", "are", "available",
	"released", "found", "see", "visit", "page" };

static enum link_kind
word_kind(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_is(s, n, words[i].word))
			return words[i].kind;
	return LINK_NONE;
}

static int
is_lead(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (text_is(s, n, leads[i]))
			return 1;
	return word_kind(s, n) != LINK_NONE;
}

static int
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Where the sentence begins in which the text ends, or the first whole word of the bytes looked at. */
static size_t
sentence_begin(const char *s, size_t len)
{
	size_t at = len;

	while (at > 0 && len - at < LINK_BEFORE &&
	    !(at < len && strchr(".!?;", s[at - 1]) != NULL && s[at] == ' '))
		at--;
	while (len - at >= LINK_BEFORE - 4 && at < len && is_letter(s[at]))
		at++;
	return at;
}

enum link_kind
link_kind_before(const char *s, size_t len)
{
	enum link_kind kind = LINK_NONE, is;
	size_t at, n, last;
	int announced = 0;

	while (len > 0 && strchr(" (:[", s[len - 1]) != NULL)
		announced |= s[--len] == ':';
	for (last = len; last > 0 && is_letter(s[last - 1]);)
		last--;
	if (last == len || (!announced && !is_lead(s + last, len - last)))
		return LINK_NONE;
	for (at = sentence_begin(s, len); at < len; at += n > 0 ? n : 1) {
		for (n = 0; at + n < len && is_letter(s[at + n]); n++)
			;
		if (n == 0 || (is = word_kind(s + at, n)) == LINK_NONE)
			continue;
		/* code and data and more in one place: a page of the project */
		kind = kind == LINK_NONE || kind == is ? is : LINK_PROJECT;
	}
	return kind;
}

enum link_kind
link_kind_named(const char *s, size_t len)
{
	static const struct { const char *name; enum link_kind kind; } names[] = {
		{ "code", LINK_CODE }, { "source code", LINK_CODE }, { "the code", LINK_CODE },
		{ "repository", LINK_CODE }, { "code repository", LINK_CODE }, { "data", LINK_DATA },
		{ "dataset", LINK_DATA }, { "datasets", LINK_DATA }, { "project", LINK_PROJECT },
		{ "project page", LINK_PROJECT }, { "project website", LINK_PROJECT },
		{ "project site", LINK_PROJECT }, { "video", LINK_VIDEO }, { "demo", LINK_DEMO },
		{ "demo video", LINK_VIDEO }, { "live demo", LINK_DEMO }, { "online demo", LINK_DEMO },
	};

	while (len > 0 && strchr(" []():.\n", s[len - 1]) != NULL)
		len--;
	for (; len > 0 && strchr(" []():.\n", *s) != NULL; len--)
		s++;
	for (size_t i = 0; len > 0 && len <= NAMED_MAX && i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(s, len, names[i].name))
			return names[i].kind;
	return LINK_NONE;
}
