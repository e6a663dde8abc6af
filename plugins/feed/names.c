/* Names: which namespace a URI means, and an element's rows by the pointers that libxml2 keeps. */
#include "feed.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_SIZE	512		/* slots; a power of two */
#define TABLE_FULL	384		/* names of a document that are remembered */
#define URI_MAX		128
#define OWN_MAX		4		/* namespaces that a document has for its format's */

/* In lower case, without scheme, "www." and closing slashes or hashes. Sorted. */
static const struct {
	const char	*uri;
	enum ns		 ns;
} uris[] = {
	{ "a9.com/-/spec/opensearchrss/1.0", NS_OTHER },
	{ "backend.userland.com/creativecommonsrssmodule", NS_CC },
	{ "backend.userland.com/rss", NS_RSS },
	{ "backend.userland.com/rss091", NS_RSS },
	{ "backend.userland.com/rss092", NS_RSS },
	{ "backend.userland.com/rss2", NS_RSS },
	{ "blogs.law.harvard.edu/tech/rss", NS_RSS },
	{ "blogs.yandex.ru/schema/foaf", NS_YA },
	{ "channel.netscape.com/rdf/simple/0.9", NS_RSS090 },
	{ "channel.netscape.com/rdf/simple/0.90", NS_RSS090 },
	{ "creativecommons.org/ns", NS_CC },
	{ "cyber.law.harvard.edu/rss/creativecommonsrssmodule.html", NS_CC },
	{ "cyber.law.harvard.edu/rss/rss.html", NS_RSS },
	{ "example.com/dtds/podcast-1.0.dtd", NS_ITUNES },
	{ "example.com/necho", NS_ATOM03 },
	{ "example.com/newformat", NS_ATOM03 },
	{ "georss.org/georss", NS_GEORSS },
	{ "georss.org/georss/10", NS_GEORSS },
	{ "github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md", NS_PODCAST },
	{ "google.com/schemas/play-podcasts/1.0", NS_GOOGLEPLAY },
	{ "google.com/schemas/play-podcasts/1.0/play-podcasts.xsd", NS_GOOGLEPLAY },
	{ "itunes.com/dtds/podcast-1.0.dtd", NS_ITUNES },
	{ "my.netscape.com/publish/formats/rss-0.91.dtd", NS_RSS },
	{ "my.netscape.com/rdf/simple/0.9", NS_RSS090 },
	{ "my.netscape.com/rdf/simple/0.90", NS_RSS090 },
	{ "opengis.net/gml", NS_GML },
	{ "opengis.net/gml/3.2", NS_GML },
	{ "pheedo.com/namespace/pheedo", NS_FEEDBURNER },
	{ "podcastindex.org/namespace/1.0", NS_PODCAST },
	{ "podlove.org/simple-chapters", NS_PSC },
	{ "prismstandard.org/namespaces/1.2/basic", NS_PRISM },
	{ "prismstandard.org/namespaces/basic/2.0", NS_PRISM },
	{ "purl.org/atom/ns", NS_ATOM03 },
	{ "purl.org/dc/elements/1.0", NS_DC },
	{ "purl.org/dc/elements/1.1", NS_DC },
	{ "purl.org/dc/terms", NS_DCTERMS },
	{ "purl.org/echo", NS_ATOM03 },
	{ "purl.org/net/rss1.1", NS_RSS },
	{ "purl.org/pie", NS_ATOM03 },
	{ "purl.org/rss/1.0", NS_RSS },
	{ "purl.org/rss/1.0/modules/content", NS_CONTENT },
	{ "purl.org/rss/1.0/modules/dcterms", NS_DCTERMS },
	{ "purl.org/rss/1.0/modules/rss091", NS_RSS },
	{ "purl.org/rss/1.0/modules/slash", NS_SLASH },
	{ "purl.org/rss/1.0/modules/syndication", NS_SY },
	{ "purl.org/syndication/history/1.0", NS_HISTORY },
	{ "purl.org/syndication/thread/1.0", NS_THR },
	{ "rawvoice.com/rawvoicerssmodule", NS_RAWVOICE },
	{ "rssnamespace.org/feedburner/ext/1.0", NS_FEEDBURNER },
	{ "search.yahoo.com/mrss", NS_MEDIA },
	{ "tools.search.yahoo.com/mrss", NS_MEDIA },
	{ "uri/of/echo/namespace", NS_ATOM03 },
	{ "video.search.yahoo.com/mrss", NS_MEDIA },
	{ "w3.org/1999/02/22-rdf-syntax-ns", NS_RDF },
	{ "w3.org/1999/xhtml", NS_XHTML },
	{ "w3.org/2000/01/rdf-schema", NS_RDFS },
	{ "w3.org/2000/svg", NS_SVG },
	{ "w3.org/2003/01/geo/wgs84_pos", NS_GEO },
	{ "w3.org/2005/atom", NS_ATOM },
	{ "w3.org/xml/1998/namespace", NS_XML },
	{ "web.resource.org/cc", NS_CC },
	{ "webns.net/mvcb", NS_ADMIN },
	{ "wellformedweb.org/commentapi", NS_WFW },
	{ "xmlns.com/foaf/0.1", NS_FOAF },
};

/* What these prefixes stand for where a document does not say. */
static const struct {
	const char	*prefix;
	enum ns		 ns;
} prefixes[] = {
	{ "a10", NS_ATOM }, { "admin", NS_ADMIN }, { "atom", NS_ATOM }, { "atom03", NS_ATOM03 },
	{ "atom10", NS_ATOM }, { "cc", NS_CC }, { "content", NS_CONTENT },
	{ "creativecommons", NS_CC }, { "dc", NS_DC }, { "dcterms", NS_DCTERMS },
	{ "feedburner", NS_FEEDBURNER }, { "foaf", NS_FOAF }, { "geo", NS_GEO },
	{ "georss", NS_GEORSS }, { "gml", NS_GML }, { "googleplay", NS_GOOGLEPLAY },
	{ "itunes", NS_ITUNES }, { "media", NS_MEDIA }, { "pheedo", NS_FEEDBURNER },
	{ "podcast", NS_PODCAST },
	{ "rdf", NS_RDF }, { "rss", NS_RSS }, { "slash", NS_SLASH }, { "sy", NS_SY },
	{ "thr", NS_THR }, { "wfw", NS_WFW }, { "xhtml", NS_XHTML }, { "xml", NS_XML },
};

struct entry {
	const void		*name;		/* libxml2's pointer; NULL: a free slot */
	const struct element	*row;		/* its first; NULL: it is not known */
	size_t			 n;		/* rows */
};
struct uri {
	const xmlChar	*uri, *prefix;
	enum ns		 ns;
};
struct names {
	size_t		 used;
	struct entry	 table[TABLE_SIZE];
	struct uri	 uris[16];	/* the last ones asked for */
	struct uri	 own[OWN_MAX];	/* names_adopt() */
	size_t		 nown;
	unsigned	 turn;
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* As in the table above; 0 when it is too long to be in it. */
static int
normalise(char *out, const char *uri)
{
	static const char *const skip[] = { "http://", "https://", "www." };
	size_t i, n;

	for (i = 0; i < sizeof(skip) / sizeof(*skip); i++) {
		n = strlen(skip[i]);
		if (xmlStrncasecmp((const xmlChar *)uri, (const xmlChar *)skip[i], (int)n) == 0)
			uri += n;
	}
	for (n = 0; n < URI_MAX - 1 && uri[n] != '\0'; n++)
		out[n] = lower(uri[n]);
	if (uri[n] != '\0')
		return 0;
	while (n > 0 && (out[n - 1] == '/' || out[n - 1] == '#' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
	return 1;
}

enum ns
ns_of_uri(const char *uri)
{
	size_t low = 0, high = sizeof(uris) / sizeof(*uris), middle;
	char key[URI_MAX];
	int order;

	while (*uri == ' ')
		uri++;
	if (!normalise(key, uri))
		return NS_OTHER;
	if (key[0] == '\0')
		return NS_NONE;
	while (low < high) {
		middle = (low + high) / 2;
		if ((order = strcmp(key, uris[middle].uri)) == 0)
			return uris[middle].ns;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NS_OTHER;
}

enum ns
ns_of_prefix(const char *prefix)
{
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (xmlStrcasecmp((const xmlChar *)prefix,
			(const xmlChar *)prefixes[i].prefix) == 0)
			return prefixes[i].ns;
	return NS_OTHER;
}

static enum ns
ns_in(const struct names *t, const xmlChar *uri, const xmlChar *key)
{
	size_t i;

	for (i = 0; i < t->nown; i++)
		if (t->own[i].uri == uri && t->own[i].prefix == key)
			return NS_NONE;
	return uri != NULL ? ns_of_uri((const char *)uri) : ns_of_prefix((const char *)key);
}

enum ns
names_ns(struct names *t, const xmlChar *uri, const xmlChar *prefix)
{
	const xmlChar *key = uri != NULL ? NULL : prefix;
	struct uri *u;
	size_t i;

	if (uri == NULL && prefix == NULL)
		return NS_NONE;
	for (i = 0; i < sizeof(t->uris) / sizeof(*t->uris); i++)
		if (t->uris[i].uri == uri && t->uris[i].prefix == key)
			return t->uris[i].ns;
	u = &t->uris[t->turn++ % (sizeof(t->uris) / sizeof(*t->uris))];
	u->uri = uri;
	u->prefix = key;
	u->ns = ns_in(t, uri, key);
	return u->ns;
}

enum ns
names_adopt(struct names *t, const xmlChar *uri, const xmlChar *prefix)
{
	if (t->nown == OWN_MAX)
		return NS_OTHER;
	t->own[t->nown].uri = uri;
	t->own[t->nown++].prefix = uri != NULL ? NULL : prefix;
	memset(t->uris, 0, sizeof(t->uris));	/* what was said of it before */
	return NS_NONE;
}

static struct entry *
slot_of(struct names *t, const void *name)
{
	size_t i = ((uintptr_t)name >> 2) * 2654435761u % TABLE_SIZE;

	while (t->table[i].name != NULL && t->table[i].name != name)
		i = (i + 1) % TABLE_SIZE;
	return &t->table[i];
}

static void
rows_of(struct entry *e, const char *name)
{
	size_t low = 0, high = elements_count, middle;

	while (low < high) {	/* the first row of that name: the table is sorted */
		middle = (low + high) / 2;
		if (strcmp(elements[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	e->row = &elements[low];
	for (e->n = 0; low + e->n < elements_count; e->n++)
		if (strcmp(elements[low + e->n].name, name) != 0)
			break;
}

/* Each name is looked up once a document; after that its pointer finds it. */
static void
learn(struct entry *e, const xmlChar *name)
{
	char key[FEED_NAME_MAX];
	size_t n;

	for (n = 0; n < sizeof(key) - 1 && name[n] != '\0'; n++)
		key[n] = lower((char)name[n]);
	key[n] = '\0';
	e->n = 0;
	if (name[n] == '\0')
		rows_of(e, key);
	e->name = name;
}

/* RSS and Atom elements are the same to us wherever they stand; attributes tell links apart. */
static enum ns
fold_ns(enum ns ns)
{
	return ns <= NS_ATOM03 ? NS_NONE : ns;
}

const struct element *
names_find(struct names *t, const xmlChar *name, enum ns ns, unsigned in)
{
	struct entry *slot = slot_of(t, name), e = *slot;

	if (e.name == NULL) {
		learn(&e, name);
		if (t->used < TABLE_FULL) {
			*slot = e;
			t->used++;
		}
	}
	ns = fold_ns(ns);
	for (; e.n > 0; e.n--, e.row++)
		if (e.row->ns == ns && (e.row->in & in) != 0)
			return e.row;
	return NULL;
}

struct names *
names_new(void)
{
	return calloc(1, sizeof(struct names));
}

void
names_free(struct names *t)
{
	free(t);
}
