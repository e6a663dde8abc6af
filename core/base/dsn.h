/* Reads mails that come to the addresses of a list: delivery status notifications (RFC 3464, RFC 6533), and wishes
 * to leave. */
#ifndef CORE_DSN_H
#define CORE_DSN_H
#include "mailbox.h"
#include "text.h"

#include <stddef.h>

#define DSN_RECIPIENTS	32		/* that are read of one */
#define DSN_STATUS	16		/* bytes of a status (RFC 3463), with its NUL */

struct dsn_recipient {
	char	address[MAILBOX_MAX + 1];	/* Final-Recipient */
	char	original[MAILBOX_MAX + 1];	/* Original-Recipient; "" */
	char	status[DSN_STATUS];		/* "5.1.1" */
	int	failed;				/* Action: failed */
};
struct dsn {
	/* In what the mail is addressed to: NAME+KEY@, 26 characters of base32; "": there is none. */
	char			key[TEXT_BASE32_16];
	/* In the subject: leave KEY; "": nobody wants to leave. */
	char			leave[TEXT_BASE32_16];
	struct dsn_recipient	to[DSN_RECIPIENTS];
	size_t			n;
};

/* 0: there is at least one recipient in a part message/delivery-status; -1: it is no such mail. */
int	dsn_read(struct dsn *, const char *, size_t);
#endif
