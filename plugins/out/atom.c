/* Atom (RFC 4287). */
#include "out.h"

static void
atom_head(struct out *o, const struct list *l)
{
	out_str(o, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	    "<feed xmlns=\"http://www.w3.org/2005/Atom\""
	    " xmlns:media=\"http://search.yahoo.com/mrss/\">\n<id>");
	if (o->self[0] != '\0')
		out_xml(o, o->self);
	else {
		out_str(o, "urn:courant:feed:");
		out_urn_part(o, l->o->path);
	}
	out_str(o, "</id>\n");
	element(o, "title", "", l->title);
	if (l->o->description != NULL && l->o->description[0] != '\0')
		element(o, "subtitle", "", l->description);
	out_str(o, "<updated>");
	out_rfc3339(o, l->updated != CR_NO_TIME ? l->updated : 0);
	out_str(o, "</updated>\n");
	if (o->self[0] != '\0') {
		out_str(o, "<link rel=\"self\" type=\"application/atom+xml\"");
		attribute(o, "href", o->self);
		out_str(o, "/>\n");
	}
	if (l->o->link != NULL && l->o->link[0] != '\0') {
		out_str(o, "<link rel=\"alternate\"");
		attribute(o, "href", l->o->link);
		out_str(o, "/>\n");
	}
	out_str(o, "<generator>Courant</generator>\n");
}

/* A person's members; the name is demanded (RFC 4287 3.2.1). */
static void
atom_person(struct out *o, const char *kind, const char *who)
{
	static const char *const members[][2] = { { "uri", "uri" }, { "mail", "email" } };
	const char *name = json_member(who, "name"), *text;
	size_t i;

	if (name == NULL)
		name = json_member(who, "mail");
	out_str(o, "<");
	out_str(o, kind);
	out_str(o, "><name>");
	out_xml_of_json(o, name != NULL ? name : json_member(who, "uri"));
	out_str(o, "</name>");
	for (i = 0; i < 2; i++) {
		if ((text = json_member(who, members[i][0])) == NULL)
			continue;
		out_str(o, "<");
		out_str(o, members[i][1]);
		out_str(o, ">");
		out_xml_of_json(o, text);
		out_str(o, "</");
		out_str(o, members[i][1]);
		out_str(o, ">");
	}
	out_str(o, "</");
	out_str(o, kind);
	out_str(o, ">\n");
}

static void
atom_lists(struct out *o, const struct item *it)
{
	const char *p, *text;
	size_t i;

	/* An entry has an author, or its feed has (4.2.1): at least where it came from. */
	if ((p = json_first(it->authors)) == NULL) {
		out_str(o, "<author>");
		element(o, "name", "", it->source != NULL ? it->source : "unknown");
		out_str(o, "</author>\n");
	}
	for (; p != NULL; p = json_next(p))
		atom_person(o, "author", p);
	for (p = json_first(it->contributors); p != NULL; p = json_next(p))
		atom_person(o, "contributor", p);
	for (i = 0; (text = it->cr->get(it->rec, CR_CATEGORY, i)) != NULL; i++) {
		out_str(o, "<category");
		attribute(o, "term", text);
		out_str(o, "/>\n");
	}
	for (p = json_first(it->enclosures); p != NULL; p = json_next(p)) {
		out_str(o, "<link rel=\"enclosure\"");
		attribute_of_json(o, "href", json_member(p, "url"));
		attribute_of_json(o, "type", json_member(p, "type"));
		attribute_of_json(o, "length", json_member(p, "size"));
		out_str(o, "/>\n");
	}
}

static void
atom_link(struct out *o, const char *rel, const char *url)
{
	if (url == NULL)
		return;
	out_str(o, "<link");
	attribute(o, "rel", rel);
	attribute(o, "href", url);
	out_str(o, "/>\n");
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
	element(o, "summary", " type=\"html\"", it->summary);
	/* without an alternate link there has to be content (4.1.2) */
	if (it->content != NULL || it->link == NULL)
		element(o, "content", " type=\"html\"", it->content != NULL ? it->content : "");
	if (it->image != NULL) {
		out_str(o, "<media:thumbnail");
		attribute(o, "url", it->image);
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
