/* What the server's replies mean for a message (RFC 5321 4.2, RFC 3463): the class of each outcome of an
 * attempt. Nothing here speaks to a server. */
#ifndef CORE_SMTP_REPLY_H
#define CORE_SMTP_REPLY_H
#include "ipc/msg.h"

#include <stddef.h>

/* How far an attempt came: the command to which the last reply belongs, or which had none. */
enum mail_stage {
	MAIL_AT_CONNECT,		/* name, connection, TLS of smtps: no greeting came */
	MAIL_AT_GREETING,
	MAIL_AT_HELLO,			/* EHLO, HELO */
	MAIL_AT_TLS,			/* STARTTLS */
	MAIL_AT_LOGIN,			/* AUTH */
	MAIL_AT_SENDER,			/* MAIL */
	MAIL_AT_RECIPIENT,		/* RCPT */
	MAIL_AT_DATA,
	MAIL_AT_TEXT,			/* after 354: the message and its final dot */
};
/* Why the role itself ended an attempt at the reply to EHLO. */
enum mail_lack { MAIL_LACKS_NOTHING, MAIL_LACKS_LOGIN, MAIL_LACKS_UTF8, MAIL_LACKS_SIZE };

struct reply {
	enum mail_stage	 stage;
	int		 curl;		/* CURLcode */
	unsigned	 code;		/* of the reply at this stage; 0: none came */
	unsigned	 enhanced[3];	/* 5.1.1 (RFC 2034); zeros: none was given */
	int		 used;		/* the connection was there before this message */
	enum mail_lack	 lacks;
};

/* Takes a line of a reply, with or without its CRLF. 1: the reply's last; 0: more follow, or it is no
 * line of a reply. *text, *len: what is behind the codes. */
int		 reply_line(struct reply *, const char *line, size_t n, const char **text, size_t *len);
/* The class of a message that was sent, or not. */
enum mail_class	 reply_class(const struct reply *);
/* Whether the server ended the connection, before it had the message: the message goes out again at
 * once, over a new connection. */
int		 reply_closed(const struct reply *);
/* Whether the server wants fewer messages over one connection (452 4.5.3). */
int		 reply_few(const struct reply *);
#endif
