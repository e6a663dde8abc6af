/* Collects, while a configuration is read, the options that plugins with a check() have to check.
 * */
#ifndef CORE_SETUP_CHECK_H
#define CORE_SETUP_CHECK_H
#include "setup_reader.h"

/* Adds to setup->checks, if the plugin has a check(), the instance's options, or those of src with
 * {each} filled in (NULL: of no source). Adds nothing when there are more than `mistakes` mistakes
 * by now: the instance has one already, and check() might blame the wrong thing. */
void	 check_later(struct setup_reader *, struct instance *, const struct source *src, int line,
	    size_t mistakes);
/* Drops all of setup->checks but the first `had`. */
void	 checks_drop(struct setup *, size_t had);
#endif
