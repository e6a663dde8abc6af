/* Decides which version of a plugin's file is used, by the results of inspections and of jobs. */
#ifndef CORE_VERSIONS_H
#define CORE_VERSIONS_H
struct catalog;
struct entry;
struct plugin;

/* The result of an inspection. The catalog takes the plugins. */
void		 entry_take(struct entry *, struct plugin *);	/* a usable version */
void		 entry_refuse(struct entry *, struct plugin *);	/* an unusable version */
void		 entry_gone(struct entry *);	/* the file was removed; the entry may be freed */
void		 entry_leave(struct entry *);	/* the file's folder is none of them; frees the entry */
void		 entry_same(struct entry *);	/* entry_knows() returned 1 for the file's hash */
int		 entry_knows(const char *hash, void *entry);	/* 1: it needs no description */

/* How a job ended: well, or with a failure for which the plugin is to blame: its instance worked
 * before, or two workers died of the job. */
enum job_how { JOB_WELL, JOB_FAILED };
/* 1: the plugin goes back to another version, with which the job is to be tried again. */
int		 catalog_job(struct catalog *, const struct plugin *, enum job_how, const char *why);
#endif
