/* What a source may bring within an hour, and when sources may bring records at all: a source over
 * hour_records or hour_bytes is held until the hour is over, all are held while the disk has no
 * room. */
#ifndef CORE_QUOTA_H
#define CORE_QUOTA_H

#include <stdint.h>

struct buf;
struct committed;
struct core;
struct setup;

/* Of one source, in struct run. Ticks. */
struct quota {
	int64_t		 begun;		/* when its hour began; 0: it brought nothing yet */
	int64_t		 until;		/* when it goes on; 0, or in the past: it is not held */
	uint64_t	 records, bytes;	/* stored in the hour */
};

void	 quota_init(struct core *);		/* to be called after disk_init() */
void	 quota_end(struct core *);
void	 quota_setup(struct core *, const struct setup *old);	/* after sources_setup() */
/* To be called once: back is called when sources that were held may go on. */
void	 quota_tell(struct core *, void (*back)(struct core *));
/* Results of the source, of that many bytes, were stored: what is new or revised counts, bytes in
 * proportion. */
void	 quota_count(struct core *, uint32_t place, const struct committed *, uint64_t bytes);
int	 quota_held(const struct core *, uint32_t place);	/* over its hour's maximum */
int64_t	 quota_until(const struct core *, uint32_t place);	/* wall clock, ms */
/* Appends why it is held, for people. */
void	 quota_why(const struct core *, uint32_t place, struct buf *);
/* Whether the source may bring no records now, for whatever reason. */
int	 quota_waits(struct core *, uint32_t place);
#endif
