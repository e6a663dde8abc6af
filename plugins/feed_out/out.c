/* A file of sink_feed on its way: bytes through a block, escaped as its format wants it. */
#include "feed_out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define YEAR_1		INT64_C(-62135596800000)
#define YEAR_9999	INT64_C(253402300799000)

void
out_flush(struct out *o)
{
	const char *p = o->block;
	ssize_t n;

	while (o->len > 0 && o->error == 0) {
		if ((n = write(o->fd, p, o->len)) == -1) {
			if (errno != EINTR)
				o->error = errno;
			continue;
		}
		p += n;
		o->len -= (size_t)n;
	}
	o->len = 0;
}

void
out_bytes(struct out *o, const char *p, size_t n)
{
	size_t part;

	for (; n > 0; p += part, n -= part) {
		if (o->len == sizeof(o->block))
			out_flush(o);
		part = sizeof(o->block) - o->len;
		if (part > n)
			part = n;
		memcpy(o->block + o->len, p, part);
		o->len += part;
	}
}

void
out_str(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

/* Characters that XML 1.0 cannot hold at all: controls, U+FFFE, U+FFFF. Their length, else 0. */
static size_t
unfit(const unsigned char *s)
{
	if (*s < ' ' && *s != '\t' && *s != '\n' && *s != '\r')
		return 1;
	return s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe ? 3 : 0;
}

void
out_xml(struct out *o, const char *s)
{
	static const char special[] = "&<>\"'\r";
	static const char *const refs[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#13;" };
	const char *start = s, *hit;
	size_t skip = 0;

	for (; *s != '\0'; s += skip > 0 ? skip : 1) {
		hit = strchr(special, *s);
		skip = unfit((const unsigned char *)s);
		if (hit == NULL && skip == 0)
			continue;
		out_bytes(o, start, (size_t)(s - start));
		if (hit != NULL)
			out_str(o, refs[hit - special]);
		start = s + (skip > 0 ? skip : 1);
	}
	out_bytes(o, start, (size_t)(s - start));
}

void
out_json(struct out *o, const char *s)
{
	char code[8];
	const char *start = s;

	out_str(o, "\"");
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s >= ' ' && *s != '"' && *s != '\\')
			continue;
		out_bytes(o, start, (size_t)(s - start));
		if (*s == '"' || *s == '\\')
			snprintf(code, sizeof(code), "\\%c", *s);
		else
			snprintf(code, sizeof(code), "\\u%04x", (unsigned)(unsigned char)*s);
		out_str(o, code);
		start = s + 1;
	}
	out_bytes(o, start, (size_t)(s - start));
	out_str(o, "\"");
}

const char *
readable(struct cr *cr, const char *text)
{
	return CR_HAS(cr, tex) ? cr->tex(cr, text, 0) : text;
}

/* ---- dates ---- */

static void
date_parts(int64_t ms, struct tm *tm)
{
	int64_t in = ms < YEAR_1 ? YEAR_1 : ms > YEAR_9999 ? YEAR_9999 : ms;
	time_t t = (time_t)(in / 1000 - (in % 1000 < 0));

	gmtime_r(&t, tm);
}

void
out_rfc3339(struct out *o, int64_t ms)
{
	char s[64];
	struct tm tm;

	date_parts(ms, &tm);
	snprintf(s, sizeof(s), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	out_str(o, s);
}

void
out_rfc822(struct out *o, int64_t ms)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char s[64];
	struct tm tm;

	date_parts(ms, &tm);
	snprintf(s, sizeof(s), "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000", days + 3 * tm.tm_wday,
	    tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
	out_str(o, s);
}

void
element(struct out *o, const char *name, const char *attributes, const char *text)
{
	if (text == NULL)
		return;
	out_str(o, "<");
	out_str(o, name);
	out_str(o, attributes);
	out_str(o, ">");
	out_xml(o, text);
	out_str(o, "</");
	out_str(o, name);
	out_str(o, ">\n");
}

void
attribute(struct out *o, const char *name, const char *value)
{
	out_str(o, " ");
	out_str(o, name);
	out_str(o, "=\"");
	out_xml(o, value);
	out_str(o, "\"");
}

void
out_urn_part(struct out *o, const char *s)
{
	char code[4];

	for (; *s != '\0'; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '-' ||
		    *s == '_' || (*s >= '0' && *s <= '9')) {
			out_bytes(o, s, 1);
			continue;
		}
		snprintf(code, sizeof(code), "%%%02X", (unsigned)(unsigned char)*s);
		out_str(o, code);
	}
}
