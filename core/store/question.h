/* What `courant` asks store, by the name of its command. */
#ifndef CORE_QUESTION_H
#define CORE_QUESTION_H

struct buf;
struct ledger;

#define QUESTION_MAX	(64u << 20)	/* bytes of an answer */

/* Answers the command's question of the operator `who`. 0: JSON, or lines of text, in out; 1: out has a line of text that says why not. What
 * an answer changes is in the open transaction. */
int	question(struct ledger *, const char *command, const char *arg, const char *who,
	    struct buf *out);
#endif
