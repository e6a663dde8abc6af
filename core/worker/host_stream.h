/* The host's stream job, which runs as long as its source exists, and batches, shared with
 * visits. */
#ifndef CORE_HOST_STREAM_H
#define CORE_HOST_STREAM_H
#include "base/buf.h"

struct batch_done;
struct cr;
struct slot;
struct stream_job;

void	host_stream_table(struct cr *);		/* wait(), stored() */
/* out, spare: memfds for results, both taken over. done's error is borrowed until the next job. */
void	host_stream(struct slot *, const struct stream_job *, int out, int spare,
	    struct batch_done *);
/* begin: results are written to the memfds out and spare in turn (spare -1: MSG_W_STORED brings
 * it); url: the base of relative URLs. end: drops the records that were not emitted, and sends the
 * last batch. settle: waits until all batches sent are on disk. */
void	host_stream_begin(struct bytes state, const char *url, int out, int spare);
void	host_stream_end(void);
void	host_stream_settle(void);
#endif
