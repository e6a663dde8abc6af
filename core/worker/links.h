/* The links of a record's texts to code, data, a project's page, a video, a demo: its extras of these
 * names. */
#ifndef CORE_LINKS_H
#define CORE_LINKS_H
struct cr_record;

#define LINKS_MAX	16		/* of one record */
#define LINKS_URL	2000		/* bytes of one; a longer one is left out */

/* Finds links in content and summary (HTML that html_sanitise() made) and sets the extras code, data,
 * project, video and demo: the addresses of that kind in the order of the texts, a space between them,
 * each page once. page: the URL of the page that the record was read in, or NULL: addresses on its
 * site are taken for no project's. An extra that the record has already stays as it is. A record that
 * has no room for the extras is left as it is. */
void	links_set(struct cr_record *, const char *page);
#endif
