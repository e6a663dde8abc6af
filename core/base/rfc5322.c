/* Checks the form of a mail before it goes to a server: a bare LF there is how one message smuggles
 * another. */
#include "rfc5322.h"

#include <stdio.h>

int
mail_message_check(const char *s, size_t n, char *why, size_t size)
{
	size_t line = 1, start = 0, i;
	const char *fault = n == 0 ? "is empty" : NULL;

	for (i = 0; i < n && fault == NULL; i++) {
		const unsigned char c = (unsigned char)s[i];

		if (c == '\0')
			fault = "has a NUL";
		else if (c >= 0x80)
			fault = "has a byte outside ASCII";
		else if (c == '\n' && (i == start || s[i - 1] != '\r'))
			fault = "ends with LF alone, without CR";
		else if (c == '\r' && (i + 1 == n || s[i + 1] != '\n'))
			fault = "has a CR without LF";
		else if (c != '\r' && c != '\n' && i - start >= RFC5322_LINE)
			fault = "is longer than 998 bytes";
		if (c == '\n' && fault == NULL) {
			line++;
			start = i + 1;
		}
	}
	if (fault == NULL && start != n)
		fault = "has no end";
	if (fault == NULL)
		return 0;
	snprintf(why, size, "line %zu of the message %s", line, fault);
	return -1;
}
