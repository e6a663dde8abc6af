/* Where an entry came from: what its feed says, or the entry itself when it was taken over from
 * another feed (RFC 4287 4.2.11). */
#include "feed_out.h"

#include <string.h>

const char *
feed_text(const struct item *it, int field)
{
	const char *s = it->feed != NULL ? it->cr->get(it->feed, field, 0) : NULL;

	return s != NULL && s[0] != '\0' ? s : NULL;
}

const char *
feed_extra(const struct item *it, const char *name)
{
	return it->feed != NULL ? it->cr->get_extra(it->feed, name) : NULL;
}

const char *
origin_self(const struct item *it)
{
	const char *url = it->feed == NULL ? it->cr->get_extra(it->rec, "source-url") :
	    feed_extra(it, "self");

	return is_page(url) ? url : NULL;
}

const char *
origin_title(const struct item *it)
{
	const char *title = it->feed == NULL ? it->cr->get_extra(it->rec, "source") :
	    feed_text(it, CR_TITLE);

	return title != NULL && title[0] != '\0' ? title : it->source;
}

const char *
origin_id(const struct item *it)
{
	const char *id = it->feed == NULL ? it->cr->get_extra(it->rec, "source-id") :
	    feed_extra(it, "id");
	const char *colon = id != NULL ? strchr(id, ':') : NULL;

	if (colon != NULL && colon > id && id[strcspn(id, " \t\r\n<>\"")] == '\0')
		return id;
	return origin_self(it);
}

void
out_feed_id(struct out *o, const struct list *l)
{
	out_str(o, "urn:courant:feed:");
	out_urn_part(o, l->o->path);
}
