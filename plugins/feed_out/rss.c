/* RSS 2.0 (https://www.rssboard.org/rss-specification) as the profile of the RSS Advisory Board has
 * it, with content, dc, atom:link, media, itunes and podcast. */
#include "feed_out.h"

#include <string.h>

static void
rss_picture(struct out *o, const struct list *l, const char *page)
{
	if (l->icon == NULL)
		return;
	out_str(o, "<image>\n");
	element_uri(o, "url", l->icon);
	element(o, "title", "", l->title);
	element_uri(o, "link", page);
	out_str(o, "</image>\n<itunes:image");
	attribute_uri(o, "href", l->icon);
	out_str(o, "/>\n");
}

static void
rss_head(struct out *o, const struct list *l)
{
	const char *page = l->home != NULL ? l->home : l->any_page;

	out_str(o, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\""
	    " xmlns:atom=\"http://www.w3.org/2005/Atom\""
	    " xmlns:content=\"http://purl.org/rss/1.0/modules/content/\""
	    " xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
	    " xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\""
	    " xmlns:media=\"http://search.yahoo.com/mrss/\""
	    " xmlns:podcast=\"https://podcastindex.org/namespace/1.0\">\n<channel>\n");
	element(o, "title", "", l->title);
	if (page == NULL) {		/* an address is demanded */
		out_str(o, "<link>");
		out_feed_id(o, l);
		out_str(o, "</link>\n");
	}
	element_uri(o, "link", page);
	element(o, "description", "", l->description);
	element(o, "language", "", l->language);
	if (o->self[0] != '\0') {
		out_str(o, "<atom:link rel=\"self\" type=\"application/rss+xml\"");
		attribute_uri(o, "href", o->self);
		out_str(o, "/>\n");
	}
	if (l->updated != CR_NO_TIME) {
		out_str(o, "<lastBuildDate>");
		out_rfc822(o, l->updated);
		out_str(o, "</lastBuildDate>\n");
	}
	out_str(o, "<generator>Courant</generator>\n");
	if (page != NULL)
		rss_picture(o, l, page);
}

/* A person's name, else the mail, else the URI; -1: there is none of them. */
static int
person(char name[AUTHOR_MAX], const char *who)
{
	static const char *const members[] = { "name", "mail", "uri" };
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_text(name, AUTHOR_MAX, json_member(who, members[i])) == 0)
			return 0;
	return -1;
}

/* In one element: of several, most readers take the first or the last. */
static void
rss_authors(struct out *o, const struct item *it)
{
	const char *p, *between = "<dc:creator>", *comma = ", ";
	char name[AUTHOR_MAX];

	for (p = json_first(it->authors); p != NULL; p = json_next(p))
		if (person(name, p) == 0 && strchr(name, ',') != NULL)
			comma = "; ";
	for (p = json_first(it->authors); p != NULL; p = json_next(p)) {
		if (person(name, p) == -1)
			continue;
		out_str(o, between);
		out_xml(o, readable(it->cr, name));
		between = comma;
	}
	if (between == comma)
		out_str(o, "</dc:creator>\n");
}

/* There is room for one file; the others are Media RSS's. Whether it is one to hear or see. */
static int
rss_files(struct out *o, const struct item *it)
{
	size_t chosen = file_chosen(it);
	struct file f;
	int more, plays = 0;

	for (more = file_first(&f, it); more; more = file_next(&f)) {
		if (f.nth != chosen) {
			media_content(o, &f);
			continue;
		}
		plays = file_is(&f, "audio/") || file_is(&f, "video/");
		out_str(o, "<enclosure");
		attribute_uri(o, "url", f.url);
		/* of unknown size: 0 (RSS Advisory Board) */
		attribute_of_json(o, "length", f.size != NULL ? f.size : "0");
		attribute(o, "type", f.type);
		out_str(o, "/>\n");
	}
	return plays;
}

/* description, which each reader knows, is always there: of a record with one text it is that. */
static void
rss_texts(struct out *o, const struct item *it)
{
	const char *text = it->summary != NULL ? it->summary : it->content;

	element(o, "description", "", text != NULL ? text : "");
	if (it->summary != NULL)
		element(o, "content:encoded", "", it->content);
}

static void
rss_picture_of(struct out *o, const struct item *it, int episode)
{
	if (it->image == NULL)
		return;
	out_str(o, "<media:thumbnail");
	attribute_uri(o, "url", it->image);
	out_str(o, "/>\n");
	if (!episode)
		return;
	out_str(o, "<itunes:image");
	attribute_uri(o, "href", it->image);
	out_str(o, "/>\n");
}

static void
rss_source(struct out *o, const struct item *it)
{
	const char *self = origin_self(it), *title = origin_title(it);

	if (self != NULL) {
		out_str(o, "<source");
		attribute_uri(o, "url", self);
		out_str(o, ">");
		out_xml(o, title != NULL ? title : self);
		out_str(o, "</source>\n");
	}
	element(o, "dc:source", "", it->source);
}

static void
rss_item(struct out *o, const struct list *l, const struct item *it, size_t nth)
{
	const char *text;
	int episode;
	size_t i;

	(void)l;
	(void)nth;
	out_str(o, "<item>\n");
	element(o, "title", "", it->title);
	element_uri(o, "link", it->link);
	element(o, "guid", " isPermaLink=\"false\"", it->id);
	out_str(o, "<pubDate>");
	out_rfc822(o, it->shown);
	out_str(o, "</pubDate>\n");
	rss_authors(o, it);
	for (i = 0; (text = it->cr->get(it->rec, CR_CATEGORY, i)) != NULL; i++)
		element(o, "category", "", text);
	element_uri(o, "comments", it->comments);
	rss_texts(o, it);
	rss_source(o, it);
	element(o, "dc:language", "", it->language);
	element(o, "dc:rights", "", it->cr->get(it->rec, CR_RIGHTS, 0));
	episode = rss_files(o, it);
	episode |= podcast_put(o, it);
	rss_picture_of(o, it, episode);
	out_str(o, "</item>\n");
}

static void
rss_foot(struct out *o)
{
	out_str(o, "</channel>\n</rss>\n");
}

const struct format format_rss = { "rss", ".rss", rss_head, rss_item, rss_foot };
