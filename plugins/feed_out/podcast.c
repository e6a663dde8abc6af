/* What RSS says of an episode beyond its file: Apple's tags
 * (https://help.apple.com/itc/podcasts_connect/#/itcb54353390) and the podcast namespace
 * (https://github.com/Podcastindex-org/podcast-namespace), from the extras of those names. */
#include "feed_out.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX	16		/* bytes of a word of a list */
#define HOURS_100	360000		/* seconds: more has no room in HH:MM:SS */

static void
put(struct out *o, const char *name, const char *text)
{
	element(o, name, "", text);
}

/* A whole number above zero. */
static void
put_count(struct out *o, const char *name, const char *text)
{
	size_t len = strspn(text, "0123456789");

	if (len > 0 && len < 10 && text[len] == '\0' && strspn(text, "0") < len)
		put(o, name, text);
}

/* podcast:episode may be 1.5. */
static void
put_decimal(struct out *o, const char *name, const char *text)
{
	size_t len = strspn(text, "0123456789");

	if (len > 0 && text[len] == '.')
		len += 1 + strspn(text + len + 1, "0123456789");
	if (len > 0 && len < 20 && text[len] == '\0')
		put(o, name, text);
}

long
podcast_seconds(const char *s)
{
	long n = 0, part[3];
	size_t parts, i, len;

	for (parts = 0; parts < 3; parts++) {
		len = strspn(s, "0123456789");
		if (len == 0 || len > (parts > 0 ? 2 : 7))
			return -1;
		for (part[parts] = 0; len > 0; len--)
			part[parts] = part[parts] * 10 + (*s++ - '0');
		if (parts > 0 && part[parts] > 59)
			return -1;
		if (*s != ':')
			break;
		s++;
	}
	if (*s == '.')		/* 12:34.567 */
		s += 1 + strspn(s + 1, "0123456789");
	if (*s != '\0' || parts == 3)
		return -1;
	for (i = 0; i <= parts; i++)
		n = n * 60 + part[i];
	return n;
}

/* Whether a duration has a form that all players read: HH:MM:SS, MM:SS, seconds. */
static int
is_clock(const char *text)
{
	const char *colon = strchr(text, ':');

	if (text[strspn(text, "0123456789:")] != '\0')
		return 0;
	if (colon == NULL)
		return 1;
	return colon - text <= 2 && strlen(colon) % 3 == 0 &&
	    (strlen(colon) == 6 || podcast_seconds(text) < 3600);
}

/* What is no duration is left out. */
static void
put_duration(struct out *o, const char *name, const char *text)
{
	long n = podcast_seconds(text);
	char s[32];

	if (n <= 0)
		return;
	if (n < HOURS_100)
		snprintf(s, sizeof(s), "%02ld:%02ld:%02ld", n / 3600, n / 60 % 60, n % 60);
	else
		snprintf(s, sizeof(s), "%ld", n);
	put(o, name, is_clock(text) ? text : s);
}

/* A text that is one of a list of words, each with a space behind it, in lower case. */
static void
put_one_of(struct out *o, const char *name, const char *text, const char *words)
{
	char s[WORD_MAX];
	size_t n;

	for (; *words != '\0'; words += n + 1) {
		n = strcspn(words, " ");
		if (n >= sizeof(s) || strlen(text) != n || strncasecmp(words, text, n) != 0)
			continue;
		memcpy(s, words, n);
		s[n] = '\0';
		put(o, name, s);
	}
}

static void
put_explicit(struct out *o, const char *name, const char *text)
{
	put_one_of(o, name, text, "yes no true false clean explicit ");
}

static void
put_yes(struct out *o, const char *name, const char *text)
{
	put_one_of(o, name, text, "yes no ");
}

static void
put_type(struct out *o, const char *name, const char *text)
{
	put_one_of(o, name, text, "full trailer bonus ");
}

static void
put_address(struct out *o, const char *name, const char *url, const char *type, const char *text)
{
	if (!is_page(url))
		return;
	out_str(o, "<");
	out_str(o, name);
	attribute_uri(o, "url", url);
	if (type != NULL)
		attribute(o, "type", type);
	if (text == NULL) {
		out_str(o, "/>\n");
		return;
	}
	out_str(o, ">");
	out_xml(o, text);
	out_str(o, "</");
	out_str(o, name);
	out_str(o, ">\n");
}

static void
put_chapters(struct out *o, const char *name, const char *url)
{
	put_address(o, name, url, "application/json+chapters", NULL);
}

static void
put_transcript(struct out *o, const char *name, const char *url, const char *type)
{
	if (type == NULL || strchr(type, '/') == NULL)
		type = type_guess(url);
	put_address(o, name, url, type != NULL ? type : "text/plain", NULL);
}

/* Its text is demanded, and not kept. */
static void
put_funding(struct out *o, const char *name, const char *url)
{
	put_address(o, name, url, NULL, "Support");
}

static const struct {
	const char	*name;
	void		(*put)(struct out *, const char *name, const char *text);
} rows[] = {
	{ "itunes:duration", put_duration },
	{ "itunes:episode", put_count },
	{ "itunes:season", put_count },
	{ "itunes:order", put_count },
	{ "itunes:episodeType", put_type },
	{ "itunes:explicit", put_explicit },
	{ "itunes:block", put_yes },
	{ "itunes:isClosedCaptioned", put_yes },
	{ "podcast:season", put_count },
	{ "podcast:episode", put_decimal },
	{ "podcast:person", put },
	{ "podcast:location", put },
	{ "podcast:license", put },
	{ "podcast:chapters", put_chapters },
	{ "podcast:funding", put_funding },
};

int
podcast_put(struct out *o, const struct item *it)
{
	const char *text;
	int any = 0;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = it->cr->get_extra(it->rec, rows[i].name);
		if (text == NULL || text[0] == '\0')
			continue;
		rows[i].put(o, rows[i].name, text);
		any = 1;
	}
	text = it->cr->get_extra(it->rec, "podcast:transcript");
	if (text != NULL)
		put_transcript(o, "podcast:transcript", text,
		    it->cr->get_extra(it->rec, "podcast:transcript-type"));
	return any || text != NULL;
}
