/* Mail addresses as they stand in an envelope (RFC 5321 4.1.2, RFC 6531): checked, made fit for the
 * wire, made comparable. */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H
#include <stddef.h>

#define MAILBOX_MAX	254		/* bytes of an address (RFC 5321 4.5.3.1.3, without < and >) */

/* 0: an address LOCAL@DOMAIN in valid UTF-8, which no protocol and no header takes for more than
 * one. -1: it is not, and why has the reason, for people: it does not repeat the address. */
int	 mailbox_check(const char *, char *why, size_t size);
/* Writes a checked address with its domain as DNS has it, in lower case and A-labels, and the local
 * part as it is. Its length; 0: it is over MAILBOX_MAX. */
size_t	 mailbox_wire(char out[MAILBOX_MAX + 1], const char *);
/* The same with the local part in lower case (Unicode's simple folding): equal for two spellings
 * of what people take for one address. */
size_t	 mailbox_key(char out[MAILBOX_MAX + 1], const char *);
/* Whether the local part needs SMTPUTF8 (RFC 6531): it has characters outside ASCII. */
int	 mailbox_wide(const char *);
#endif
