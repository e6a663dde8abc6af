/* The subscribers of routes: who asked, who confirmed, who left, and the letters that are due to
 * them. All of it is in the open transaction when a function returns. */
#ifndef CORE_SUBSCRIBERS_H
#define CORE_SUBSCRIBERS_H
#include "base/mailbox.h"
#include "ipc/msg.h"

#include <stddef.h>
#include <stdint.h>

struct book;

#define SUBSCRIBER_TOKEN	16		/* bytes of a leave key and of a confirm token */
#define SUBSCRIBER_CONFIRM	INT64_C(172800000)	/* ms for which a confirm token is good, once its letter is sent */
#define SUBSCRIBER_PATIENCE	INT64_C(604800000)	/* ms after which a pending row is removed */
#define SUBSCRIBER_SOFT		3		/* refusals that may pass, after which it bounced, */
#define SUBSCRIBER_SOFT_MS	INT64_C(604800000)	/* if they are spread over so many ms */
/* Letters that visitors may cause. */
#define LETTERS_DAY	1		/* to an address */
#define LETTERS_MONTH	3		/* the same, in 30 days */
#define LETTERS_NETWORK	5		/* from a network in an hour */
#define LETTERS_HOUR	60		/* from all in an hour */

/* A row of the table subscriber. id 0: it is new. */
struct subscriber {
	int64_t		 id, route;
	char		 key[MAILBOX_MAX + 1], address[MAILBOX_MAX + 1];
	int		 state;		/* enum subscriber_state */
	unsigned char	 leave[SUBSCRIBER_TOKEN], confirm[SUBSCRIBER_TOKEN];
	int		 unconfirmed;	/* confirm holds a token */
	int64_t		 confirm_until, asked, confirmed, gone, softened;
	char		 asked_from[NETWORK_MAX], confirmed_from[NETWORK_MAX];
	int		 soft;
};

/* The row of the address (checked); 0: there is none, and *s is a new one of the route, with a leave
 * key, not stored. */
int	subscriber_find(struct book *, int64_t route, const char *address, struct subscriber *s);
/* The rows of a route behind that id, the next one. Begin with subscriber_list(), and step until 0. */
void	subscriber_list(struct book *, int64_t route, int64_t after, int64_t max);
int	subscriber_step(struct book *, int sql, struct subscriber *s);	/* sql: SQL_SUBSCRIBER_AFTER */
void	subscriber_save(struct book *, struct subscriber *);
/* The state in which the address was forgotten, which an import must not raise; 0: it was not. */
int	subscriber_suppressed(struct book *, const struct subscriber *);

/* What a refusal did to the reader, to be undone if it is we who are refused: delivery.effect. */
enum subscriber_effect {
	EFFECT_SOFT	= 1,		/* a refusal more that may pass */
	EFFECT_BOUNCED	= 2,		/* it gets no more mail */
};

/* What became of a request. */
enum subscriber_did {
	DID_NOTHING,			/* as it was already, or there is no such row */
	DID_IT,
	DID_ASK,			/* a letter that asks for the confirmation is due */
	DID_TELL,			/* one that says "you are already" */
	DID_BLOCKED,			/* the reader wants not even to be asked */
	DID_LIMIT,			/* a limit of letters is reached */
};
/* Someone wants the route for the address. network: of the visitor; "": an operator asks, whose letters
 * no limit holds back. */
enum subscriber_did	subscriber_ask(struct book *, int64_t route, const char *address,
		    const char *network, int64_t now);
/* The button of the confirmation was pressed. DID_NOTHING: the token is unknown, used or too old. */
enum subscriber_did	subscriber_confirm(struct book *, const void *token, const char *network,
		    int64_t now);
/* By an operator's word, whatever the state was. */
enum subscriber_did	subscriber_raise(struct book *, struct subscriber *, const char *by, int64_t now);
/* The reader leaves; one that was asked to confirm is blocked. */
enum subscriber_did	subscriber_leave(struct book *, const void *key, int64_t now);
enum subscriber_did	subscriber_remove(struct book *, struct subscriber *, int64_t now);
/* Deletes the row, and keeps a hash of the address that no import gets past. */
void	subscriber_forget(struct book *, struct subscriber *, int64_t now);

/* What a row of an import says; address is checked. Times 0: unknown. */
struct subscriber_import {
	const char	*address;
	int		 state;		/* 0: none is given */
	int64_t		 asked, confirmed, gone;
	const unsigned char *leave;	/* NULL: a new one is made */
	int		 consent;	/* the operator says that there is consent */
};
enum subscriber_imported {
	IMPORTED_ADDED,			/* active, or in the state that the row says */
	IMPORTED_ASKED,			/* asked to confirm */
	IMPORTED_LOWERED,		/* it was here, and the row says that it left, bounced, blocked */
	IMPORTED_SAME,
	IMPORTED_KEPT,			/* left, bounced or blocked here: not raised */
	IMPORTED_FORGOTTEN,		/* forgotten here: not brought back */
	IMPORTED_KEY,			/* its leave key is another reader's here */
	IMPORTED_KINDS
};
enum subscriber_imported subscriber_import(struct book *, int64_t route,
		    const struct subscriber_import *, int64_t now);

/* A mail to the reader was refused. status: "5.1.1" (RFC 3463). By the leave key, else by the address:
 * in all routes. Calls tell() for each row that the status concerns, as it is afterwards. Returns the
 * number of those rows. */
size_t	subscriber_bounce(struct book *, const void *key, const char *address, const char *status,
	    int64_t now, void (*tell)(void *, const struct subscriber *), void *arg);

/* The mail server refused a message to the reader for good; no_mailbox: since there is no such mailbox, else it
 * may pass. key: by mailbox_key(). Returns what that did, enum subscriber_effect or'ed, 0: nothing. */
int	subscriber_refused(struct book *, int64_t route, const char *key, int no_mailbox, int64_t now);

/* Removes pending rows and letters that are old. */
void	subscribers_tidy(struct book *, int64_t now);
/* Sets the members pending to blocked of the route's counts. */
void	subscribers_count(struct book *, int64_t route, struct route_count *);
/* Carries out MSG_CONSENT. route 0: there is no such route. */
enum consented subscribers_consent(struct book *, int64_t route, const struct consent *, int64_t now);
#endif
