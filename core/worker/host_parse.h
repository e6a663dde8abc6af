/* The host's jobs of a poll: parse() of a fetched page, and plan(), which requests the first
 * pages. */
#ifndef CORE_HOST_PARSE_H
#define CORE_HOST_PARSE_H
struct cr;
struct parse_done;
struct parse_job;
struct slot;

void	host_parse_table(struct cr *);
/* body: the page's memfd; out: a memfd for results; both stay the caller's. done's strings are
 * borrowed until the next job. */
void	host_parse(struct slot *, const struct parse_job *, int body, int out, struct parse_done *);
void	host_plan(struct slot *, const struct parse_job *, int out, struct parse_done *);
#endif
