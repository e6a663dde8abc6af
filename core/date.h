/* Dates in every form that feeds use, and the forms in which we write them. */
#ifndef CORE_DATE_H
#define CORE_DATE_H
#include <stdint.h>

#define DATE_MAX	40		/* bytes of a written date, with its NUL */

/* RFC 822/2822/5322, 3339, W3CDTF, ISO 8601 (week and ordinal dates too), asctime, HTTP, and the
 * common broken ones: month names of twenty languages, Korean and Japanese units, two-digit years,
 * M/D/Y, seconds or ms since 1970. Without a zone, or with one not known: UTC. What stands behind a
 * whole date is not looked at. 0, or -1 and *ms untouched: no date, or one that does not exist. */
int	date_parse(const char *, int64_t *ms);

/* Into out[DATE_MAX]; years 0 to 9999, others are clamped. */
const char *date_rfc3339(char *out, int64_t ms);	/* 2026-11-21T09:16:00Z, with .123 if not 0 */
const char *date_rfc822(char *out, int64_t ms);		/* Sat, 21 Nov 2026 09:16:00 +0000 */
const char *date_http(char *out, int64_t ms);		/* RFC 9110 5.6.7 */
int64_t	date_now(void);			/* wall clock, ms */
int64_t	date_ticks(void);		/* CLOCK_MONOTONIC, ms */
#endif
