/* The host's visit job: passes a visitor's HTTP request to a plugin's request(). */
#ifndef CORE_HOST_VISIT_H
#define CORE_HOST_VISIT_H
struct cr;
struct slot;
struct visit_ask;
struct visit_done;
struct visit_job;

void	host_visit_table(struct cr *);
/* body: memfd of a long request body, or -1; out: memfd for results; both taken over. done's
 * strings are borrowed until the next visit. */
void	host_visit(struct slot *, const struct visit_job *, const struct visit_ask *, int body,
	    int out, struct visit_done *);
#endif
