/* RSS 2.0 (https://www.rssboard.org/rss-specification), with content, dc, atom:link and media. */
#include "out.h"

static void
rss_head(struct out *o, const struct list *l)
{
	out_str(o, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\""
	    " xmlns:atom=\"http://www.w3.org/2005/Atom\""
	    " xmlns:content=\"http://purl.org/rss/1.0/modules/content/\""
	    " xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
	    " xmlns:media=\"http://search.yahoo.com/mrss/\">\n<channel>\n");
	element(o, "title", "", l->title);
	out_str(o, "<link>");
	out_home(o, l);
	out_str(o, "</link>\n");
	element(o, "description", "", l->description);
	if (o->self[0] != '\0') {
		out_str(o, "<atom:link rel=\"self\" type=\"application/rss+xml\"");
		attribute(o, "href", o->self);
		out_str(o, "/>\n");
	}
	if (l->updated != CR_NO_TIME) {
		out_str(o, "<lastBuildDate>");
		out_rfc822(o, l->updated);
		out_str(o, "</lastBuildDate>\n");
	}
	out_str(o, "<generator>Courant</generator>\n");
}

static void
rss_lists(struct out *o, const struct item *it)
{
	const char *p, *text, *size;
	size_t i;

	for (p = json_first(it->authors); p != NULL; p = json_next(p)) {
		if ((text = json_member(p, "name")) == NULL)
			text = json_member(p, "mail");
		out_str(o, "<dc:creator>");
		out_xml_of_json(o, text);
		out_str(o, "</dc:creator>\n");
	}
	for (i = 0; (text = it->cr->get(it->rec, CR_CATEGORY, i)) != NULL; i++)
		element(o, "category", "", text);
	for (p = json_first(it->enclosures); p != NULL; p = json_next(p)) {
		size = json_member(p, "size");
		text = json_member(p, "type");
		out_str(o, "<enclosure");
		attribute_of_json(o, "url", json_member(p, "url"));
		attribute_of_json(o, "length", size != NULL ? size : "0");
		attribute_of_json(o, "type", text != NULL ? text : "\"application/octet-stream\"");
		out_str(o, "/>\n");
	}
}

static void
rss_item(struct out *o, const struct list *l, const struct item *it, size_t nth)
{
	(void)l;
	(void)nth;
	out_str(o, "<item>\n");
	element(o, "title", "", it->title);
	element(o, "link", "", it->link);
	element(o, "guid", " isPermaLink=\"false\"", it->id);
	out_str(o, "<pubDate>");
	out_rfc822(o, it->published != CR_NO_TIME ? it->published : it->updated);
	out_str(o, "</pubDate>\n");
	rss_lists(o, it);
	element(o, "comments", "", it->comments);
	element(o, "description", "", it->summary);
	element(o, "content:encoded", "", it->content);
	element(o, "dc:language", "", it->language);
	element(o, "dc:rights", "", it->cr->get(it->rec, CR_RIGHTS, 0));
	element(o, "dc:source", "", it->source);
	if (it->image != NULL) {
		out_str(o, "<media:thumbnail");
		attribute(o, "url", it->image);
		out_str(o, "/>\n");
	}
	out_str(o, "</item>\n");
}

static void
rss_foot(struct out *o)
{
	out_str(o, "</channel>\n</rss>\n");
}

const struct format format_rss = { "rss", ".rss", rss_head, rss_item, rss_foot };
