/* Host names in other alphabets, converted for the DNS. libidn2 is loaded when first needed: most
 * hosts do not need it, and a worker links libc alone. */
#include "idn.h"
#include "log.h"

#include <dlfcn.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY	"libidn2.so.0"		/* its functions are declared by <idn2.h> */

typedef int	lookup_fn(const uint8_t *, uint8_t **, int);

/* The function of libidn2; NULL: the library cannot be loaded. */
static lookup_fn *
lookup_get(void)
{
	static union { void *symbol; lookup_fn *call; } lookup;
	static int tried;
	void *library;

	if (tried)
		return lookup.call;
	tried = 1;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (library != NULL)
		lookup.symbol = dlsym(library, "idn2_lookup_u8");
	if (lookup.symbol == NULL)
		log_warn(LIBRARY ": %s: hosts in other alphabets cannot be used; install libidn2-0",
		    dlerror());
	return lookup.call;
}

void
idn_open(void)
{
	(void)lookup_get();
}

static int
hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
idn_plain(const char *host, size_t n)
{
	int literal = n > 2 && host[0] == '[' && host[n - 1] == ']';
	unsigned char c;

	if (n == 0 || n > IDN_HOST_MAX || host[0] == '.')
		return 0;
	for (size_t i = (size_t)literal; i < n - (size_t)literal; i++) {
		c = (unsigned char)host[i];
		if (literal ? hex(c) == -1 && c != ':' && c != '.' :
		    !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		    c != '-' && c != '.' && c != '_')
			return 0;
	}
	return 1;
}

/* Copies a host in lower case, %XX decoded; *wide: it has bytes outside ASCII. Length; 0:
 * too long. */
static size_t
unescape(char *out, const char *s, size_t n, int *wide)
{
	size_t len = 0, i;
	int c;

	for (*wide = 0, i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		if (c == '%' && i + 2 < n && hex(s[i + 1]) != -1 && hex(s[i + 2]) != -1) {
			c = hex(s[i + 1]) << 4 | hex(s[i + 2]);
			i += 2;
		}
		if (c == '\0' || len == IDN_HOST_MAX)
			return 0;
		*wide |= c >= 0x80;
		out[len++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	out[len] = '\0';
	return len;
}

size_t
idn_host(char *out, const char *host, size_t n)
{
	char bare[3 * IDN_HOST_MAX + 1];	/* tabs and line ends are no part of an address */
	uint8_t *made = NULL;
	lookup_fn *lookup;
	size_t len = 0;
	int wide;

	for (size_t i = 0; i < n && len < sizeof(bare); i++)
		if (host[i] != '\t' && host[i] != '\r' && host[i] != '\n')
			bare[len++] = host[i];
	len = unescape(out, bare, len, &wide);
	if (len > 0 && wide) {
		lookup = lookup_get();
		if (lookup == NULL || lookup((const uint8_t *)out, &made,
		    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
			return 0;
		len = strlen((const char *)made);
		if (len <= IDN_HOST_MAX)
			memcpy(out, made, len + 1);
		free(made);
	}
	/* UTS 46 maps some characters to ASCII signs: U+FF0F becomes a slash. */
	return idn_plain(out, len) ? len : 0;
}
