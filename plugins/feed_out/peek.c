/* What sink_feed reads out of a record beyond its fields: members of its JSON, text of its HTML. */
#include "feed_out.h"
#include "shared/plain.h"

#include <string.h>

static const char *
json_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* p stands on a quote; behind the string. */
static const char *
json_skip_string(const char *p)
{
	for (p++; *p != '\0' && *p != '"'; p++)
		if (*p == '\\' && p[1] != '\0')
			p++;
	return *p == '"' ? p + 1 : p;
}

static const char *
json_skip(const char *p)
{
	int depth = 0;

	do {
		p = json_space(p);
		if (*p == '"')
			p = json_skip_string(p);
		else if (*p == '{' || *p == '[')
			depth++, p++;
		else if (*p == '}' || *p == ']')
			depth--, p++;
		else
			p += *p == ',' || *p == ':' ? 1 : strcspn(p, ",:]} \t\r\n");
	} while (depth > 0 && *p != '\0');
	return p;
}

const char *
json_member(const char *p, const char *name)
{
	size_t len = strlen(name);
	const char *key;

	if (p == NULL || *p != '{')
		return NULL;
	for (p = json_space(p + 1); *p == '"'; p = json_space(p)) {
		key = p + 1;
		p = json_space(json_skip_string(p));
		if (*p != ':')
			return NULL;
		p = json_space(p + 1);
		if (strncmp(key, name, len) == 0 && key[len] == '"')
			return p;
		p = json_space(json_skip(p));
		if (*p == ',')
			p++;
	}
	return NULL;
}

const char *
json_first(const char *p)
{
	if (p == NULL || *p != '[')
		return NULL;
	p = json_space(p + 1);
	return *p != ']' ? p : NULL;
}

const char *
json_next(const char *p)
{
	p = json_space(json_skip(p));
	return *p == ',' ? json_space(p + 1) : NULL;
}

void
out_raw(struct out *o, const char *value)
{
	out_bytes(o, value, (size_t)(json_skip(value) - value));
}

/* Four hexadecimal digits: 0, or -1. */
static int
hex4(const char *p, uint32_t *value)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *hit;
	int i;

	for (*value = 0, i = 0; i < 4; i++) {
		if (p[i] == '\0' || (hit = strchr(digits, p[i])) == NULL)
			return -1;
		*value = *value << 4 | ((uint32_t)(hit - digits) & 15);
	}
	return 0;
}

/* The character of an escape, p behind its backslash; returns behind it. */
static const char *
json_escape(const char *p, uint32_t *c)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *hit = strchr(from, *p);
	uint32_t low;

	if (*p != 'u' || hex4(p + 1, c) == -1) {
		*c = hit != NULL && *p != '\0' ? (uint32_t)to[hit - from] : (unsigned char)*p;
		return *p != '\0' ? p + 1 : p;
	}
	p += 5;
	if (*c >= 0xd800 && *c < 0xdc00 && p[0] == '\\' && p[1] == 'u' && hex4(p + 2, &low) == 0) {
		*c = 0x10000 + ((*c - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
		p += 6;
	}
	if (*c == 0 || (*c >= 0xd800 && *c < 0xe000))
		*c = 0xfffd;
	return p;
}

void
out_xml_of_json(struct out *o, const char *p)
{
	char part[512];
	size_t n = 0;
	uint32_t c;

	if (p == NULL || *p != '"')
		return;
	for (p++; *p != '\0' && *p != '"';) {
		if (*p == '\\') {
			p = json_escape(p + 1, &c);
			n += plain_put(part + n, c);
		} else
			part[n++] = *p++;
		if (n > sizeof(part) - 8 && ((unsigned char)*p & 0xc0) != 0x80) {
			part[n] = '\0';
			out_xml(o, part);
			n = 0;
		}
	}
	part[n] = '\0';
	out_xml(o, part);
}

void
attribute_of_json(struct out *o, const char *name, const char *value)
{
	if (value == NULL)
		return;
	out_str(o, " ");
	out_str(o, name);
	out_str(o, "=\"");
	if (*value == '"')
		out_xml_of_json(o, value);
	else
		out_raw(o, value);
	out_str(o, "\"");
}

int
json_text(char *out, size_t size, const char *p)
{
	uint32_t c;
	size_t n = 0;

	if (p == NULL || *p != '"')
		return -1;
	for (p++; *p != '\0' && *p != '"';) {
		if (n + 5 > size)	/* a character and the end */
			return -1;
		if (*p == '\\') {
			p = json_escape(p + 1, &c);
			n += plain_put(out + n, c);
		} else
			out[n++] = *p++;
	}
	out[n] = '\0';
	return 0;
}

const char *
plain(char *out, size_t max, const char *html)
{
	struct plain p;
	char next[4];
	size_t n = 0, len = 1;

	plain_init(&p, html, strlen(html));
	while (n < max && (len = plain_next(&p, next)) > 0) {
		memcpy(out + n, next, len);
		n += len;
	}
	if (len > 0)		/* unless just white space and tags are left */
		len = plain_next(&p, next);
	while (n > 0 && out[n - 1] == ' ')
		n--;
	memcpy(out + n, len > 0 ? "\xe2\x80\xa6" : "\0\0\0", 4);
	return out;
}
