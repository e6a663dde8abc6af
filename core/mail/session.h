/* One connection to the mail server, and the messages that go over it one after the other. */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H
#include "base/buf.h"
#include "ipc/msg.h"

#define SESSION_REPLY	1000		/* bytes of outcome.reply */
#define SESSION_OFFERS	(8u << 10)	/* bytes of outcome.offers */
#define SESSION_DIALOGUE (32u << 10)	/* bytes of outcome.dialogue; what is behind them is left out */

struct session;				/* opaque */

/* A message and its envelope, which the caller has checked. */
struct letter {
	const char	*sender;	/* "": the empty one */
	const char	*recipient;
	int		 wide;		/* its local part needs SMTPUTF8 */
	const char	*text;
	size_t		 len;
};
/* What became of it. The texts are for people: nothing in them steers a terminal, and the password is
 * in none. */
struct outcome {
	enum mail_class	 class;
	unsigned	 code;		/* of the last reply; 0: none */
	struct buf	 reply;		/* one line: the last reply, or why there was none */
	struct buf	 offers;	/* EHLO keywords, a line each */
	struct buf	 tls;		/* "TLSv1.3 / TLS_AES_256_GCM_SHA384"; empty: none */
	struct buf	 dialogue;	/* lines "> command" and "< reply" */
};
void		 outcome_init(struct outcome *);
void		 outcome_free(struct outcome *);

struct session	*session_new(const struct mail_start *);	/* copies it; connects at the first message */
void		 session_free(struct session *);		/* ends the connection; NULL is fine */
/* Sends the message; waits for what becomes of it. A connection that the server ended before it had the
 * message is replaced at once, and the message repeated. */
void		 session_send(struct session *, const struct letter *, struct outcome *);
/* Connects over a connection of its own, logs in, and ends it. */
void		 session_try(struct session *, struct outcome *);
/* Ends the connection if it has had all the messages that it may have. To be called when the message is
 * answered for: a server can take its time to part. */
void		 session_rest(struct session *);
#endif
