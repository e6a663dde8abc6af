/* Host names in other alphabets, converted for the DNS: mapped by UTS 46, then to A-labels
 * (RFC 5891). */
#ifndef CORE_IDN_H
#define CORE_IDN_H
#include <stddef.h>

#define IDN_HOST_MAX	255		/* bytes of a host's name */

/* Loads libidn2, unless it is loaded. A worker must call this before its sandbox is sealed;
 * elsewhere idn_host() does. */
void	 idn_open(void);
/* Converts a host in UTF-8 or with %XX (RFC 3986 3.2.2) to its form in the DNS: lower-case letters,
 * digits, and - . _, or an address in brackets; NUL-terminated in out[IDN_HOST_MAX + 1]. Returns
 * its length; 0: not a valid host, nothing can be fetched from it. */
size_t	 idn_host(char *out, const char *host, size_t n);
/* Whether a host is in the form that idn_host() returns. */
int	 idn_plain(const char *host, size_t n);
#endif
