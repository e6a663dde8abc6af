/* Embedded players: from a player's URL to the web page that shows the same. */
#include "player.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The page's URL is `page` and the id. host: without "www."; path: a prefix of the player's path.
 * The id is the path's next segment (`rest`: all segments), or with `query` the value of that
 * parameter; with a page of "" the id is the page's URL. The first row that matches and has an id
 * counts. */
static const struct player {
	const char	*host, *path, *query, *page;
	int		 rest;
} players[] = {
	{ "youtube.com", "/embed/videoseries", "list", "https://www.youtube.com/playlist?list=", 0 },
	{ "youtube-nocookie.com", "/embed/videoseries", "list",
	    "https://www.youtube.com/playlist?list=", 0 },
	{ "youtube.com", "/embed/", NULL, "https://www.youtube.com/watch?v=", 0 },
	{ "youtube-nocookie.com", "/embed/", NULL, "https://www.youtube.com/watch?v=", 0 },
	{ "youtube.com", "/v/", NULL, "https://www.youtube.com/watch?v=", 0 },
	{ "youtube-nocookie.com", "/v/", NULL, "https://www.youtube.com/watch?v=", 0 },
	{ "player.vimeo.com", "/video/", NULL, "https://vimeo.com/", 0 },
	{ "vimeo.com", "/moogaloop.swf", "clip_id", "https://vimeo.com/", 0 },
	{ "dailymotion.com", "/embed/video/", NULL, "https://www.dailymotion.com/video/", 0 },
	{ "geo.dailymotion.com", "/player", "video", "https://www.dailymotion.com/video/", 0 },
	{ "open.spotify.com", "/embed/", NULL, "https://open.spotify.com/", 1 },
	{ "open.spotify.com", "/embed-podcast/", NULL, "https://open.spotify.com/", 1 },
	{ "w.soundcloud.com", "/player", "url", "", 0 },
	{ "archive.org", "/embed/", NULL, "https://archive.org/details/", 0 },
	{ "embed.ted.com", "/", NULL, "https://www.ted.com/", 1 },
	{ "player.twitch.tv", "/", "channel", "https://www.twitch.tv/", 0 },
	{ "player.twitch.tv", "/", "video", "https://www.twitch.tv/videos/", 0 },
	{ "clips.twitch.tv", "/embed", "clip", "https://clips.twitch.tv/", 0 },
	{ "embed.podcasts.apple.com", "/", NULL, "https://podcasts.apple.com/", 1 },
	{ "embed.music.apple.com", "/", NULL, "https://music.apple.com/", 1 },
	{ "streamable.com", "/e/", NULL, "https://streamable.com/", 0 },
	{ "streamable.com", "/o/", NULL, "https://streamable.com/", 0 },
	{ "odysee.com", "/$/embed/", NULL, "https://odysee.com/", 1 },
	{ "facebook.com", "/plugins/video.php", "href", "", 0 },
	{ "facebook.com", "/plugins/post.php", "href", "", 0 },
};
#define PEERTUBE	"/videos/embed/"	/* on any host */

/* Writes the decoded value of a query's parameter to out[URL_MAX + 1]; "": none. */
static void
player_query(char *out, const char *url, const char *name)
{
	const char *s = strchr(url, '?');
	size_t n = strlen(name), fill = 0;
	char hex[3] = "";

	out[0] = '\0';
	for (; s != NULL; s = strpbrk(s + 1, "?&;#")) {
		if (*s == '#')
			return;
		if (strncmp(s + 1, name, n) == 0 && s[1 + n] == '=')
			break;
	}
	if (s == NULL)
		return;
	for (s += n + 2; *s != '\0' && *s != '&' && *s != '#'; s++) {
		if (*s == '%' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2])) {
			memcpy(hex, s + 1, 2);
			out[fill++] = (char)strtol(hex, NULL, 16);
			s += 2;
		} else
			out[fill++] = *s;
	}
	out[fill] = '\0';
}

/* Whether an id may become a part of the page's URL, or for a page of "" is a URL itself. */
static int
player_fits(const char *s, const char *page)
{
	if (*page == '\0')
		return strncmp(s, "https://", 8) == 0 || strncmp(s, "http://", 7) == 0;
	return *s != '\0' && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~%@:/+!$,=")] == '\0';
}

void
player_page(char *out, const char *url)
{
	char id[URL_MAX + 1];
	const char *host = strstr(url, "://") + 3, *path;
	size_t i, n, len;

	host += strncasecmp(host, "www.", 4) == 0 ? 4 : 0;
	n = strcspn(host, "/?#");
	path = host + n;
	if (strncmp(path, PEERTUBE, strlen(PEERTUBE)) == 0) {
		len = strcspn(path + strlen(PEERTUBE), "/?#");
		snprintf(out, URL_MAX + 1, "%.*s/videos/watch/%.*s", (int)(path - url), url, (int)len,
		    path + strlen(PEERTUBE));
		return;
	}
	for (i = 0; i < sizeof(players) / sizeof(players[0]); i++) {
		const struct player *p = &players[i];

		len = strlen(p->path);
		if (!text_is(host, n, p->host) || strncmp(path, p->path, len) != 0)
			continue;
		if (p->query != NULL)
			player_query(id, path, p->query);
		else
			snprintf(id, sizeof(id), "%.*s",
			    (int)strcspn(path + len, p->rest ? "?#" : "/?&#"), path + len);
		if (player_fits(id, p->page) &&
		    (size_t)snprintf(out, URL_MAX + 1, "%s%s", p->page, id) <= URL_MAX)
			return;
	}
	memmove(out, url, strlen(url) + 1);
}
