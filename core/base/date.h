/* Reads dates in the formats that feeds use, and writes them. */
#ifndef CORE_DATE_H
#define CORE_DATE_H
#include <stdint.h>

#define DATE_MAX	40		/* bytes of a written date, with its NUL */

/* RFC 822/2822/5322, 3339, W3CDTF, ISO 8601 (week and ordinal dates too), asctime, HTTP, and the
 * common broken ones: month names of twenty languages, Korean and Japanese units, two-digit years,
 * M/D/Y, seconds or ms since 1970. Without a zone, or with an unknown one: UTC. Text behind a
 * complete date is ignored. 0, or -1 with *ms unchanged: no date, or one that does not exist. */
int	date_parse(const char *, int64_t *ms);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, month and day from 1, and back. */
int64_t	date_days(int year, int month, int day);
void	date_civil(int64_t days, int *year, int *month, int *day);

/* Writes into out[DATE_MAX], which is returned; years are clamped to 0..9999. */
const char *date_rfc3339(char *out, int64_t ms);	/* 2026-11-21T09:16:00Z, with .123 if not 0 */
const char *date_http(char *out, int64_t ms);		/* RFC 9110 5.6.7 */
#define CLOCK_BACK	INT64_C(5000)	/* ms: a wall clock put back by less is not an error */
int64_t	date_now(void);			/* wall clock, ms */
int64_t	date_ticks(void);		/* CLOCK_MONOTONIC, ms */
/* A stored due time; `now` if it lies further ahead than the longest delay (ms) with which it can
 * have been set, as the clock was wrong then (DESIGN law 12). */
int64_t	date_due(int64_t due, int64_t now, int64_t longest);
#endif
