/* Atom (RFC 4287). */
#include "feed_out.h"

#include <string.h>

static void
atom_link(struct out *o, const char *rel, const char *url)
{
	if (url == NULL)
		return;
	out_str(o, "<link");
	attribute(o, "rel", rel);
	attribute_uri(o, "href", url);
	out_str(o, "/>\n");
}

static void
atom_head(struct out *o, const struct list *l)
{
	out_str(o, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	    "<feed xmlns=\"http://www.w3.org/2005/Atom\""
	    " xmlns:media=\"http://search.yahoo.com/mrss/\"");
	if (l->language != NULL)
		attribute(o, "xml:lang", l->language);
	out_str(o, ">\n<id>");
	out_feed_id(o, l);
	out_str(o, "</id>\n");
	element(o, "title", "", l->title);
	if (l->o->description != NULL && l->o->description[0] != '\0')
		element(o, "subtitle", "", l->description);
	out_str(o, "<updated>");
	out_rfc3339(o, l->updated != CR_NO_TIME ? l->updated : 0);
	out_str(o, "</updated>\n");
	if (o->self[0] != '\0') {
		out_str(o, "<link rel=\"self\" type=\"application/atom+xml\"");
		attribute_uri(o, "href", o->self);
		out_str(o, "/>\n");
	}
	atom_link(o, "alternate", l->home);
	element_uri(o, "icon", l->icon);
	out_str(o, "<generator>Courant</generator>\n");
}

/* A person's members; the name is demanded, a mail has to look like one (RFC 4287 3.2). */
static void
atom_person(struct out *o, const struct item *it, const char *kind, const char *who)
{
	const char *name = json_member(who, "name"), *at;
	char text[AUTHOR_MAX];

	if (name == NULL)
		name = json_member(who, "mail");
	out_str(o, "<");
	out_str(o, kind);
	out_str(o, "><name>");
	if (json_text(text, sizeof(text), name) == 0)
		out_xml(o, readable(it->cr, text));
	else
		out_xml_of_json(o, name != NULL ? name : json_member(who, "uri"));
	out_str(o, "</name>");
	if (json_text(text, sizeof(text), json_member(who, "uri")) == 0)
		element_uri(o, "uri", text);
	if (json_text(text, sizeof(text), json_member(who, "mail")) == 0 &&
	    (at = strchr(text, '@')) != NULL && at > text && at[1] != '\0')
		element(o, "email", "", text);
	out_str(o, "</");
	out_str(o, kind);
	out_str(o, ">\n");
}

static void
atom_lists(struct out *o, const struct item *it)
{
	const char *p, *text;
	struct file f;
	size_t i;
	int more;

	/* An entry has an author, or its feed has (4.2.1): at least where it came from. */
	if ((p = json_first(it->authors)) == NULL) {
		out_str(o, "<author>");
		element(o, "name", "", it->source != NULL ? it->source : "unknown");
		out_str(o, "</author>\n");
	}
	for (; p != NULL; p = json_next(p))
		atom_person(o, it, "author", p);
	for (p = json_first(it->contributors); p != NULL; p = json_next(p))
		atom_person(o, it, "contributor", p);
	for (i = 0; (text = it->cr->get(it->rec, CR_CATEGORY, i)) != NULL; i++) {
		out_str(o, "<category");
		attribute(o, "term", text);
		out_str(o, "/>\n");
	}
	for (more = file_first(&f, it); more; more = file_next(&f)) {
		out_str(o, "<link rel=\"enclosure\"");
		attribute_uri(o, "href", f.url);
		attribute(o, "type", f.type);
		attribute_of_json(o, "length", f.size);
		out_str(o, "/>\n");
	}
}

/* The feed that the entry came from (4.2.11). */
static void
atom_source(struct out *o, const struct item *it)
{
	const char *id = origin_id(it), *title = origin_title(it), *page = feed_text(it, CR_LINK);
	int64_t updated = it->feed != NULL ? it->cr->get_time(it->feed, CR_UPDATED) : CR_NO_TIME;

	if (id == NULL && title == NULL)
		return;
	out_str(o, "<source>\n");
	if (id != NULL)
		element(o, "id", "", id);
	else {
		out_str(o, "<id>urn:courant:source:");
		out_urn_part(o, title);
		out_str(o, "</id>\n");
	}
	element(o, "title", "", title != NULL ? title : id);
	out_str(o, "<updated>");
	out_rfc3339(o, updated != CR_NO_TIME ? updated : it->updated);
	out_str(o, "</updated>\n");
	atom_link(o, "self", origin_self(it));
	atom_link(o, "alternate", is_page(page) ? page : NULL);
	element_uri(o, "icon", feed_text(it, CR_IMAGE));
	out_str(o, "</source>\n");
}

/* What there is to read; without it and an alternate link the title is (4.1.2). */
static void
atom_texts(struct out *o, const struct item *it)
{
	if (it->content != NULL || it->link != NULL)
		element(o, "summary", " type=\"html\"", it->summary);
	if (it->content != NULL)
		element(o, "content", " type=\"html\"", it->content);
	else if (it->link == NULL && it->summary != NULL)
		element(o, "content", " type=\"html\"", it->summary);
	else if (it->link == NULL)
		element(o, "content", " type=\"text\"", it->title);
}

static void
atom_item(struct out *o, const struct list *l, const struct item *it, size_t nth)
{
	(void)l;
	(void)nth;
	out_str(o, "<entry");
	if (it->language != NULL)
		attribute(o, "xml:lang", it->language);
	out_str(o, ">\n<id>urn:courant:");
	out_urn_part(o, it->id);
	out_str(o, "</id>\n");
	if (it->title_html != NULL)
		element(o, "title", " type=\"html\"", it->title_html);
	else
		element(o, "title", "", it->title);
	out_str(o, "<updated>");
	out_rfc3339(o, it->updated);
	out_str(o, "</updated>\n");
	if (it->published != CR_NO_TIME) {
		out_str(o, "<published>");
		out_rfc3339(o, it->published);
		out_str(o, "</published>\n");
	}
	atom_link(o, "alternate", it->link);
	atom_link(o, "replies", it->comments);
	atom_lists(o, it);
	element(o, "rights", "", it->cr->get(it->rec, CR_RIGHTS, 0));
	atom_texts(o, it);
	atom_source(o, it);
	if (it->image != NULL) {
		out_str(o, "<media:thumbnail");
		attribute_uri(o, "url", it->image);
		out_str(o, "/>\n");
	}
	out_str(o, "</entry>\n");
}

static void
atom_foot(struct out *o)
{
	out_str(o, "</feed>\n");
}

const struct format format_atom = { "atom", ".atom", atom_head, atom_item, atom_foot };
