/* The processes of the role mail: as many as `mail: at_once` says, started when there is a message and none is
 * free, each with one connection to the server. They are held to `mail: rate`, and wait while the server cannot
 * be reached. */
#ifndef CORE_MAILERS_H
#define CORE_MAILERS_H
#include <stdint.h>
#include <sys/types.h>

struct core;
struct setup;
struct mail_done;
struct mail_job;

/* A message on its way. */
struct message;

/* What became of a message. The process that sent it begins no other before message_stored(). */
typedef void	(*message_done)(struct core *, struct message *, const struct mail_done *, void *arg);

void	 mailers_init(struct core *);
void	 mailers_setup(struct core *, const struct setup *old);	/* a changed `mail:` counts from the next message */
void	 mailers_stop(struct core *);		/* no further message begins */
int	 mailers_busy(const struct core *);	/* a message is with the server */
void	 mailers_end(struct core *);

/* Queues a message; fd: its sealed memfd, taken over. done is called once, later. The caller frees it by
 * message_stored() or message_forget(). */
struct message *mailers_send(struct core *, const struct mail_job *, int fd, message_done done, void *arg);
/* The outcome is on disk. Frees the message. */
void	 message_stored(struct core *, struct message *);
/* Frees a message that has not begun. 0; -1: it is with the server, and done will be called. */
int	 message_forget(struct core *, struct message *);
/* ms until the server is tried again after a failure; 0: it is not waited for. */
int64_t	 mailers_wait(const struct core *);
/* An operator says that the server is back. */
void	 mailers_resume(struct core *);
/* Calls each for every process. */
void	 mailers_each(const struct core *, void (*each)(pid_t, int busy, void *), void *arg);
#endif
