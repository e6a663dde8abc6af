/* The form of a mail on the wire (RFC 5322, RFC 5321 2.3.8): what no server can take for two mails. */
#ifndef CORE_RFC5322_H
#define CORE_RFC5322_H
#include <stddef.h>

#define RFC5322_LINE	998		/* bytes of a line, at most, without its CRLF */

/* 0: each line ends with CRLF, there is no other CR or LF, no NUL, no byte over 127, and no line over
 * RFC5322_LINE. -1: not so, and why names the line and the fault. */
int	mail_message_check(const char *, size_t, char *why, size_t size);
#endif
