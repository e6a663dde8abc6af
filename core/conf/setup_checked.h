/* What plugins with a check() are asked after a configuration was read, and what their answers do.
 * */
#ifndef CORE_SETUP_CHECKED_H
#define CORE_SETUP_CHECKED_H
#include "setup.h"

/* Appends the options to check, NAME\0VALUE\0...; secrets as themselves if `grants` (enum cr_wants)
 * has CR_SECRETS, else as stand-ins. */
void	 setup_check_options(const struct setup *, const struct check *, uint32_t grants,
	    struct buf *);
/* Stores an answer. said: NULL, or why the plugin refuses the options; with fault, why it could not
 * be asked. `said` is copied, with secrets redacted. */
void	 setup_check_answer(struct setup *, struct check *, const char *said, int fault);
/* To be called once all are answered; frees setup->checks. Options that a plugin refuses become
 * mistakes, added to those of m. The instance waits instead when the plugin is what changed
 * (setup->again), when its default source has the options, or when it could not be asked. */
void	 setup_checked(struct setup *, struct mistakes *);
#endif
