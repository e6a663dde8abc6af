/* Setups made while the daemon runs. Their plugins check the options in processes of their own; the
 * loop goes on meanwhile. */
#ifndef CORE_RELOAD_H
#define CORE_RELOAD_H
struct buf;
struct core;
struct setup;

/* A reload of the file has ended: status 0 and a summary, or 1 and the mistakes. */
typedef void	reload_cb(struct core *, int status, const struct buf *said);

/* first: the setup that the daemon starts with; its user, state and serve hold until the next
 * start. */
void	 reload_init(struct core *, const struct setup *first, reload_cb *done);
void	 reload_end(struct core *);
void	 core_reload(struct core *);		/* reads the file; calls done(), perhaps at once */
void	 reload_again(struct core *);		/* plugins changed: soon makes a setup with them */
const struct setup *reload_setup(const struct core *);	/* whose options plugins check; or NULL */
#endif
