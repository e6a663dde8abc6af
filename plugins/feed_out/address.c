/* Addresses as they may stand in a feed: URIs (RFC 3986), whatever the record says. */
#include "feed_out.h"

#include <string.h>

#define PART		256		/* bytes written at once */

/* What stands for itself in a URI: unreserved and reserved characters (RFC 3986 2.2, 2.3); brackets
 * only around a host, a hash only once. */
static int
stands(const char *url, const char *p, const char *hash)
{
	static const char marks[] = "-._~:/?@!$&'()*+,;=";
	size_t host;

	if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
	    strchr(marks, *p) != NULL)
		return 1;
	if (*p == '%')
		return p[1] != '\0' && strspn(p + 1, "0123456789abcdefABCDEF") >= 2;
	if (*p == '#')
		return p == hash;
	if ((*p != '[' && *p != ']') || strstr(url, "://") == NULL)
		return 0;
	host = (size_t)(strstr(url, "://") + 3 - url);
	return (size_t)(p - url) < host + strcspn(url + host, "/?#");
}

/* put: how the format at hand writes plain characters. */
static void
uri(struct out *o, const char *url, void (*put)(struct out *, const char *))
{
	static const char digits[] = "0123456789ABCDEF";
	const char *p, *hash = strchr(url, '#');
	char part[PART + 4];
	size_t n = 0;

	for (p = url; *p != '\0'; p++) {
		if (stands(url, p, hash))
			part[n++] = *p;
		else {
			part[n++] = '%';
			part[n++] = digits[(unsigned char)*p >> 4];
			part[n++] = digits[*p & 15];
		}
		if (n >= PART || p[1] == '\0') {
			part[n] = '\0';
			put(o, part);
			n = 0;
		}
	}
}

void
out_xml_uri(struct out *o, const char *url)
{
	uri(o, url, out_xml);
}

void
out_json_uri(struct out *o, const char *url)
{
	out_str(o, "\"");
	uri(o, url, out_str);
	out_str(o, "\"");
}

void
element_uri(struct out *o, const char *name, const char *url)
{
	if (url == NULL)
		return;
	out_str(o, "<");
	out_str(o, name);
	out_str(o, ">");
	out_xml_uri(o, url);
	out_str(o, "</");
	out_str(o, name);
	out_str(o, ">\n");
}

void
attribute_uri(struct out *o, const char *name, const char *url)
{
	if (url == NULL)
		return;
	out_str(o, " ");
	out_str(o, name);
	out_str(o, "=\"");
	out_xml_uri(o, url);
	out_str(o, "\"");
}

int
is_page(const char *url)
{
	return url != NULL &&
	    (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
	    strspn(strstr(url, "://") + 3, "/?#") == 0 && strstr(url, "://")[3] != '\0';
}

size_t
path_escaped(char *out, size_t size, const char *path)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (; *path != '\0' && n + 4 <= size; path++)
		if ((*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
		    (*path >= '0' && *path <= '9') || strchr("/-_.~", *path) != NULL)
			out[n++] = *path;
		else {
			out[n++] = '%';
			out[n++] = digits[(unsigned char)*path >> 4];
			out[n++] = digits[*path & 15];
		}
	out[n] = '\0';
	return n;
}
