/* What a job does with an HTTP answer: it follows a redirect, or sends core MSG_FETCHED. */
#ifndef CORE_ANSWER_H
#define CORE_ANSWER_H
struct answer;

void	answer_take(struct answer *, void *job);	/* a transfer_cb */
#endif
