/* source_feed: the entries of RSS, Atom, CDF, JSON Feed and lists of feeds. */
#include "feed/feed.h"

#include <libxml/catalog.h>
#include <string.h>
#include <strings.h>

static const struct cr_option options[] = {
	CR_OPTION(struct feed_opts, attributes, INT, "1000", "1..100000",
	    "attributes that a tag may have"),
	CR_OPTION(struct feed_opts, depth, INT, "256", "16..1000", "elements nested at most"),
	CR_OPTION(struct feed_opts, entries, INT, "10000", "1..1000000",
	    "entries taken of one document"),
	CR_OPTION(struct feed_opts, field, SIZE, "1 MB", "1 kB..1 MB",
	    "bytes of one text; the rest is cut off"),
	CR_OPTION(struct feed_opts, names, INT, "20000", "1000..1000000",
	    "different names of elements, attributes and namespaces in one document"),
	CR_END
};

static int
feed_open(struct cr *cr, void *opts)
{
	(void)cr;
	(void)opts;
	xmlInitParser();
	xmlCatalogSetDefaults(XML_CATA_ALLOW_NONE);
	return 0;
}

static struct str
begin_of(const char *s, size_t len)
{
	struct str t = str_trim((struct str){ s, len });

	if (t.len >= 3 && memcmp(t.p, "\xef\xbb\xbf", 3) == 0)
		t = str_trim((struct str){ t.p + 3, t.len - 3 });
	return t;
}

static int
begins(struct str s, const char *with)
{
	size_t n = strlen(with);

	return s.len >= n && strncasecmp(s.p, with, n) == 0;
}

/* What a document is that is no feed, in words for whoever configured it. */
static int
not_a_feed(struct cr *cr, const struct reader *r, struct str s, const struct cr_page *page)
{
	int shown = (int)strcspn(s.p, "\r\n");

	if (s.len == 0)
		return cr->fail(cr, CR_BAD_DATA, "the document is empty");
	if ((unsigned char)s.p[0] < ' ' || (s.len > 1 && (unsigned char)s.p[1] < '\t'))
		return cr->fail(cr, CR_BAD_DATA, "no text: it begins with the bytes %02x %02x",
		    (unsigned char)page->body[0], (unsigned char)page->body[1]);
	if (strcasecmp(r->root, "html") == 0 || begins(s, "<!doctype html") || begins(s, "<html"))
		return cr->fail(cr, CR_BAD_DATA,
		    "an HTML page, no feed: look there for the feed's address");
	if (r->root[0] != '\0')
		return cr->fail(cr, CR_BAD_DATA, "XML, but no feed: its root is <%s>", r->root);
	return cr->fail(cr, CR_BAD_DATA, "no feed (%s): it begins \"%.*s\"",
	    page->type[0] != '\0' ? page->type : "no type told", shown < 80 ? shown : 80, s.p);
}

/* A document without an entry that holds more than a feed without one would: in words what that is.
 * 0, or what fail() returned: not even the feed is there. */
static int
tell_instead(struct cr *cr, const struct reader *r)
{
	const struct unknown *u = &r->instead;
	char what[300];

	if (r->entries > 0 || r->lost > 0 || (u->n == 0 && r->outlines == 0))
		return 0;
	if (r->outlines > 0) {
		cr->partial(cr, "no entry: none of %lld outlines has an address (xmlUrl)",
		    (long long)r->outlines);
		return 0;
	}
	snprintf(what, sizeof(what), "no entry, but %lld of <%s%s%s>%s%.150s", (long long)u->n,
	    u->prefix != NULL ? (const char *)u->prefix : "", u->prefix != NULL ? ":" : "",
	    (const char *)u->name, u->uri != NULL ? " in the namespace " : ", not where it belongs",
	    u->uri != NULL ? (const char *)u->uri : "");
	if (r->feed.one[SLOT_TITLE].at == 0 && r->feed.one[SLOT_LINK].at == 0)
		return cr->fail(cr, CR_BAD_DATA, "no feed in <%s>: %s", r->root, what);
	cr->partial(cr, "%s", what);
	return 0;
}

/* Tells the host of the whole: what was found, in which shape. */
static void
tell(struct cr *cr, struct reader *r, const struct decoded *d, int wellformed)
{
	struct cr_record *rec = cr->feed(cr);

	cr->set_extra(rec, "hub", cr->link(cr, "hub"));	/* the feed's own word goes before */
	cr->set_extra(rec, "self", cr->link(cr, "self"));
	cr->set_extra(rec, "format", r->format);
	cr->set_extra(rec, "encoding", d->name);
	cr->set_extra(rec, "encoding-why", d->why);
	cr->set_extra(rec, "wellformed", wellformed && !r->foreign && !d->mistaken ? "yes" : "no");
	if (r->lost > 0)
		cr->partial(cr, "%lld entries beyond the first %lld left out (option entries)",
		    (long long)r->lost, (long long)r->opts->entries);
	if (r->cut > 0)
		cr->log(cr, "%lld entries have more than is kept of one: texts of %lld bytes "
		    "(option field), lists of %d", (long long)r->cut, (long long)r->opts->field,
		    FEED_LIST_MAX);
	reader_feed(r);
}

/* A second time, mended: entries given already are passed over. 0: all of it is there; -1: not so. */
static int
again(struct cr *cr, struct reader *r, struct str s, const struct feed_opts *opts,
    const struct cr_page *page)
{
	struct reader mended;
	char *text, why[200];
	size_t len;
	int lost;

	if ((text = mend(s.p, s.len, &len, &lost)) == NULL)
		return -1;
	if (scan_refuse(text, len, opts, why, sizeof(why)) != NULL) {
		free(text);
		return -1;
	}
	if (reader_init(&mended, cr, opts, page) == 0) {
		mended.skip = r->entries;
		mended.entries = r->entries;
		lost |= reader_run(&mended, text, len) != 0;
		if (!mended.stopped)	/* what was wrong at first is what there is to say */
			memcpy(mended.why, r->why, sizeof(mended.why));
		mended.line = r->line;
		mended.foreign |= r->foreign;
		reader_free(r);
		*r = mended;
	} else {
		lost = 1;
		reader_free(&mended);
	}
	free(text);
	return lost ? -1 : 0;
}

/* What is wrong with the document. Where something is lost it is to be read again; else the log tells,
 * and it counts as any other. */
static void
tell_broken(struct cr *cr, const struct reader *r, int whole, int lost)
{
	if (r->stopped)
		cr->partial(cr, "%s", r->why);
	else if (!whole && lost)
		cr->partial(cr, "not well-formed at line %d: %s", r->line, r->why);
	else if (!whole)
		cr->log(cr, "not well-formed at line %d: %s; mended, nothing is lost", r->line,
		    r->why);
	else if (r->entity != NULL)
		cr->log(cr, "not well-formed at line %d: entity %s is not declared; read as HTML's",
		    r->entity_line, r->entity);
}

static int
parse_xml(struct cr *cr, const struct feed_opts *opts, const struct cr_page *page, struct str s,
    const struct decoded *d)
{
	struct reader r;
	char why[200];
	int whole, lost = 0, rc = 0;

	if (scan_refuse(s.p, s.len, opts, why, sizeof(why)) != NULL)
		return cr->fail(cr, CR_BAD_DATA, "refused: %s", why);
	if (reader_init(&r, cr, opts, page) == -1) {
		reader_free(&r);
		return cr->fail(cr, CR_BAD_DATA, "out of memory");
	}
	whole = reader_run(&r, s.p, s.len) == 0;
	if (!whole && !r.stopped)
		lost = (r.ended && r.format != NULL) || again(cr, &r, s, opts, page) != 0;
	if (r.stopped && r.entries == 0)
		rc = cr->fail(cr, CR_BAD_DATA, "refused: %s", r.why);
	else if (r.format == NULL)
		rc = not_a_feed(cr, &r, s, page);
	else if (!whole && r.ended && r.entries == 0)
		rc = cr->fail(cr, CR_BAD_DATA,
		    "the document ends at line %d, before its first entry is whole", r.line);
	else {
		tell_broken(cr, &r, whole, lost);
		rc = tell_instead(cr, &r);
		tell(cr, &r, d, whole && r.entity == NULL);
	}
	reader_free(&r);
	return rc;
}

static int
feed_parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct decoded d;
	struct str s;
	int rc;

	decode(cr, page, &d);
	s = begin_of(d.text, d.len);
	if (s.len > 0 && (s.p[0] == '{' || s.p[0] == '['))
		rc = json_feed(cr, opts, s.p, s.len, &d);
	else
		rc = parse_xml(cr, opts, page, s, &d);
	if (rc == 0 && d.bad > 0)
		cr->partial(cr, "%zu bytes are no %s and were replaced", d.bad, d.name);
	else if (rc == 0 && d.invalid)
		cr->partial(cr, "it is not the UTF-8 that it should be: read as %s", d.name);
	return rc;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .needs = 2, .name = "feed", .version = "1",
	.help = "RSS, Atom, CDF, JSON Feed and OPML, of all versions",
	.options = options, .options_size = sizeof(struct feed_opts),
	.headers = "Accept: application/atom+xml, application/rss+xml, "
	    "application/feed+json;q=0.9, application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1\n",
	.open = feed_open, .parse = feed_parse,
};
