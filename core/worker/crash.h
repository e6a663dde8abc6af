/* The worker's crash report: the address, the function and its callers. */
#ifndef CORE_CRASH_H
#define CORE_CRASH_H

/* Installs handlers for fatal signals, which write one line to standard error before the process
 * ends. Does nothing under AddressSanitizer, whose own report says more, and on machines other than
 * x86-64 and AArch64. */
void	crash_watch(void);
/* Maps a plugin's file for the names of its functions; call before dlopen(). path: borrowed for the
 * life of the process. */
void	crash_plugin(const char *path);
void	crash_name(const char *);	/* the name of the last plugin in the report; borrowed
					 * too */
#endif
