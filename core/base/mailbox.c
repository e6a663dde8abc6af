/* Mail addresses of envelopes. */
#include "mailbox.h"
#include "idn.h"
#include "shown.h"
#include "text.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

/* Characters that part addresses, or quote, in a header (RFC 5322 3.2.3), besides the controls. */
#define SPECIALS	" <>()[]:;,\\\""

static int
refuse(char *why, size_t size, const char *reason)
{
	snprintf(why, size, "%s", reason);
	return -1;
}

/* Whether a character could end a line, part addresses, or hide itself. */
static int
mailbox_breaks(const char *s, size_t n)
{
	uint32_t c;
	size_t bad;

	for (size_t used; n > 0; s += used, n -= used) {
		used = text_get_char(&c, &bad, s, n);
		if (used == 0 || shown_steers(c) || (c < 0x80 && strchr(SPECIALS, (int)c) != NULL) ||
		    c == 0xa0 || c == 0x3000)
			return 1;
	}
	return 0;
}

int
mailbox_check(const char *s, char *why, size_t size)
{
	const char *at = strchr(s, '@');
	char domain[IDN_HOST_MAX + 1], wire[MAILBOX_MAX + 1];
	size_t n = strlen(s);

	if (n == 0)
		return refuse(why, size, "the address is empty");
	if (n > MAILBOX_MAX)
		return refuse(why, size, "the address is longer than 254 bytes");
	if (text_valid(s, n) != n)
		return refuse(why, size, "the address is no UTF-8");
	if (at == NULL || strchr(at + 1, '@') != NULL)
		return refuse(why, size, "an address has one @");
	if (mailbox_breaks(s, (size_t)(at - s)))
		return refuse(why, size, "a character before the @ that no address has");
	if (at == s)
		return refuse(why, size, "the address has nothing before the @");
	if (strchr(at + 1, '%') != NULL || strpbrk(at + 1, "\t\r\n") != NULL ||
	    idn_host(domain, at + 1, strlen(at + 1)) == 0)
		return refuse(why, size, "what is behind the @ is no domain");
	if (mailbox_wire(wire, s) == 0)
		return refuse(why, size, "the address is longer than 254 bytes");
	return 0;
}

size_t
mailbox_wire(char out[MAILBOX_MAX + 1], const char *s)
{
	const char *at = strchr(s, '@');
	char domain[IDN_HOST_MAX + 1];
	size_t local = at != NULL ? (size_t)(at - s) : 0, len;

	out[0] = '\0';
	len = local > 0 ? idn_host(domain, at + 1, strlen(at + 1)) : 0;
	if (len == 0 || local + 1 + len > MAILBOX_MAX)
		return 0;
	memcpy(out, s, local + 1);
	memcpy(out + local + 1, domain, len + 1);
	return local + 1 + len;
}

size_t
mailbox_key(char out[MAILBOX_MAX + 1], const char *s)
{
	char wire[MAILBOX_MAX + 1], local[4];
	const char *from = wire;
	size_t n = mailbox_wire(wire, s), used, bad, len = 0, put;
	uint32_t c;

	out[0] = '\0';
	for (; n > 0; from += used, n -= used) {
		used = text_get_char(&c, &bad, from, n);
		if (used == 0)
			return 0;
		put = text_encode(local, text_fold_char(c));
		if (len + put > MAILBOX_MAX)
			return 0;
		memcpy(out + len, local, put);
		len += put;
	}
	out[len] = '\0';
	return len;
}

int
mailbox_wide(const char *s)
{
	for (; *s != '\0' && *s != '@'; s++)
		if ((unsigned char)*s >= 0x80)
			return 1;
	return 0;
}
