/* Stories in the API. The id of any of a story's records leads to it.
 *
 * /api/v1/stories/ID		{id, title, link, authors, image, summary, sources, heat, score, rank,
 *	born, numbers {NAME: N}, merged [ID..], records [..]}: link, authors, image and summary are of the
 *	first record that has one; numbers are the highest of all; each record as in JSON Lines
 * /api/v1/stories/ID/heat	{id, sum, now, score, rank, half_life, terms [..]}: sum is the logarithm
 *	(base 2) of the heat as it is stored, and that of the sum of the terms that count; now is what is
 *	left of it, half_life ms later half of that; terms as `courant explain --json` has them
 * 410: the story is hidden. */
#ifndef CORE_API_STORY_H
#define CORE_API_STORY_H

struct evhttp_request;
struct serve;

#define API_STORY_RECORDS	200	/* records and terms of a story in one answer */

void	api_story(struct serve *, struct evhttp_request *, const char *path);
#endif
