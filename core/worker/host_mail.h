/* mails() and mail(): a sink's messages, each to one reader of its batch. */
#ifndef CORE_HOST_MAIL_H
#define CORE_HOST_MAIL_H
struct batch_job;
struct cr;
struct cr_batch;

void	host_mail_table(struct cr *);
/* Reads the readers of the job's batch, if it is mail; they hold until the next job. -1: malformed. */
int	host_mail_read(const struct batch_job *);
/* Sets the members of the batch that concern mail. */
void	host_mail_put(const struct batch_job *, struct cr_batch *);
#endif
