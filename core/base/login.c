/* User and password in URLs: removed from the URL, never shown, sent as a header to their origin
 * only. */
#include "login.h"
#include "url.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* The value of a hexadecimal digit; -1: no such digit. */
static int
digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

int
login_of(const char *url, struct buf *b)
{
	const char *s, *end;
	struct url u;
	int high, low;

	if (url_split(&u, url) == -1 || u.user == NULL || u.scheme_len < 4 ||
	    strncasecmp(u.scheme, "http", 4) != 0)
		return 0;
	for (s = u.user, end = s + u.user_len; s < end; s++) {
		high = *s == '%' && end - s > 2 ? digit(s[1]) : -1;
		low = high >= 0 ? digit(s[2]) : -1;
		buf_char(b, (char)(low >= 0 ? high << 4 | low : *s));
		s += low >= 0 ? 2 : 0;
	}
	return 1;
}

void
login_shown(struct buf *b, const char *url)
{
	const char *begin = strstr(url, "://"), *end;
	struct url u;

	begin = begin != NULL ? begin + 3 : url;
	if (url_split(&u, url) == 0 && u.host != NULL)
		end = u.user != NULL ? u.user + u.user_len : NULL;
	else
		end = memrchr(begin, '@', strcspn(begin, "?#"));
	buf_add(b, url, (size_t)(begin - url));
	buf_str(b, end != NULL ? end + 1 : begin);
}

void
login_header(struct buf *b, const char *login, size_t len)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits;
	size_t i, n;

	buf_str(b, "Authorization: Basic ");
	for (i = 0; i < len; i += 3) {
		for (bits = 0, n = 0; n < 3; n++)
			bits = bits << 8 | (i + n < len ? (uint32_t)(unsigned char)login[i + n] : 0);
		for (n = 0; n < 4; n++)
			buf_char(b, i + n <= len ? letters[bits >> (18 - 6 * n) & 63u] : '=');
	}
	buf_char(b, '\n');
}

int
login_said(const char *headers)
{
	static const char name[] = "authorization:";

	while (headers != NULL && *headers != '\0') {
		if (strncasecmp(headers, name, sizeof(name) - 1) == 0)
			return 1;
		headers = strchr(headers, '\n');
		headers = headers != NULL ? headers + 1 : NULL;
	}
	return 0;
}
