/* Lists of stories in the API.
 *
 * /api/v1/stories?list=LIST&limit=20&after=PLACE
 *	{"stories": [...], "next": PLACE or null, "head": N}: the stories of a page's list, in its order. LIST: front
 *	(today's, by heat), trending, new, day:2026-11-27, week:2026-W48, month:2026-11; without a name behind the colon
 *	the present one. A story: id, title, link, summary, authors, image, sources, born, score, heat, numbers, records
 *	([{source, id, link}]). head: the log's last n. */
#ifndef CORE_API_STORIES_H
#define CORE_API_STORIES_H

struct evhttp_request;
struct serve;

void	api_stories(struct serve *, struct evhttp_request *, const char *path);
#endif
