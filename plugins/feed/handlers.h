/* What is done at the start and end of an element: the functions that the table of elements
 * names. */
#ifndef PLUGINS_FEED_HANDLERS_H
#define PLUGINS_FEED_HANDLERS_H
#include "feed.h"

typedef void	open_fn(struct reader *, struct frame *, const struct attrs *);
typedef void	close_fn(struct reader *, struct frame *, uint32_t at, size_t len);

/* roots.c: what kind of document it is, its feed and its entries */
open_fn	 open_rss, open_rdf, open_atom, open_cdf, open_rdf_channel, open_entry, open_opml;
close_fn close_entry;

/* texts.c: titles, texts, addresses, dates, and what is kept under a name */
open_fn	 open_typed, open_content, open_link, open_guid, open_category, open_resource,
	 open_transcript, open_source, open_reply;
close_fn close_text, close_line, close_guid, close_category, close_keywords, close_extra,
	 close_counter, close_number, close_hour, close_day, close_link,
	 close_id, close_page;
void	 link_if_web(struct reader *, const struct frame *, uint32_t at, uint8_t rank);

/* people.c */
open_fn	 open_person, open_person_mail, open_person_uri;
close_fn close_person, close_person_name, close_person_mail, close_person_uri;

/* media.c: enclosures and pictures */
void	 add_enclosure(struct reader *, const struct frame *, uint32_t url, uint32_t type,
	    long long size, int media);
open_fn	 open_enclosure, open_media_content, open_thumbnail, open_statistics, open_star_rating;

/* outline.c: lists of feeds */
open_fn	 open_outline;
close_fn close_outline;
#endif
