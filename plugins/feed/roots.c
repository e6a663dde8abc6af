/* The outermost elements: they tell the format, and where the feed and its entries begin. */
#include "handlers.h"

#include <string.h>

/* RSS says its version itself; what it says is not always a version. */
static const struct {
	const char	*version, *format;
} versions[] = {
	{ "0.90", "rss090" }, { "0.91", "rss091" }, { "0.92", "rss092" }, { "0.93", "rss093" },
	{ "0.94", "rss094" }, { "1.0", "rss10" }, { "2.0", "rss20" }, { "2.01", "rss20" },
	{ "2.00", "rss20" }, { "2", "rss20" },
};

void
open_rss(struct reader *r, struct frame *f, const struct attrs *a)
{
	struct str version = attr(a, "version");
	size_t i;

	(void)f;
	r->format = version.len > 0 && version.p[0] == '2' ? "rss20" : "rss";
	for (i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (str_is(version, versions[i].version))
			r->format = versions[i].format;
}

void
open_rdf(struct reader *r, struct frame *f, const struct attrs *a)
{
	(void)f;
	(void)a;
	r->format = "rdf";	/* until the namespace of its channel is seen */
}

void
open_rdf_channel(struct reader *r, struct frame *f, const struct attrs *a)
{
	draft_extra(&r->feed, "id", attr_keep(a, "about"));
	if (strcmp(r->format, "rdf") == 0)
		r->format = f->ns == NS_RSS090 ? "rss090" : "rss10";
}

void
open_atom(struct reader *r, struct frame *f, const struct attrs *a)
{
	r->atom = f->ns == NS_ATOM03 || str_is(attr(a, "version"), "0.3") ||
	    str_is(attr(a, "version"), "0.2") || str_is(attr(a, "version"), "0.1") ? 3 : 10;
	r->format = r->atom == 3 ? "atom03" : "atom10";
	if (f->lang != 0)
		draft_set(&r->feed, SLOT_LANGUAGE, (struct value){ .at = draft_text(&r->feed,
		    r->strings[f->lang], strlen(r->strings[f->lang])) });
}

/* Channel Definition Format: a channel for a root, addresses in attributes. */
void
open_cdf(struct reader *r, struct frame *f, const struct attrs *a)
{
	struct str base = attr(a, "base");

	if (f->in == IN_FEED && r->format == NULL)
		r->format = "cdf";
	if (base.len > 0)
		f->base = reader_string(r, base.p, base.len, f->base);
	draft_set(r->now, SLOT_LINK, value_of(f, attr_keep(a, "href"), KIND_TEXT));
	draft_set(r->now, SLOT_UPDATED, value_of(f, attr_keep(a, "lastmod"), KIND_TEXT));
}

void
open_opml(struct reader *r, struct frame *f, const struct attrs *a)
{
	(void)f;
	(void)a;
	r->format = "opml";
}

void
open_entry(struct reader *r, struct frame *f, const struct attrs *a)
{
	uint32_t about;

	draft_clear(&r->entry);
	r->now = &r->entry;
	r->entered = 1;
	if (r->format == NULL) {	/* an Atom entry on its own */
		r->atom = f->ns == NS_ATOM03 ? 3 : 10;
		r->format = r->atom == 3 ? "atom03" : "atom10";
	}
	about = attr_keep(a, "about");
	draft_set(r->now, SLOT_GUID, value_of(f, about, KIND_TEXT));
	link_if_web(r, f, about, 1);
	if (r->format != NULL && strcmp(r->format, "cdf") == 0)
		open_cdf(r, f, a);
}

void
close_entry(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)at;
	(void)len;
	if (f->lang != 0)
		draft_set(r->now, SLOT_LANGUAGE, (struct value){ .at = draft_text(r->now,
		    r->strings[f->lang], strlen(r->strings[f->lang])) });
	reader_entry(r);
	r->now = &r->feed;
}
