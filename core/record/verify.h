/* What a worker wrote, verified by the process that takes it: a plugin that writes its host's results
 * itself gets nothing into a record that its host could not have written. */
#ifndef CORE_VERIFY_H
#define CORE_VERIFY_H
#include "base/buf.h"

#include <stdint.h>

#define VERIFY_WHY	200		/* bytes of a reason, with its NUL */

/* What a serialised record is: an entry; what a document says of itself; a filter's changes, which
 * may unset a field. */
enum verify_as { VERIFY_RECORD, VERIFY_FEED, VERIFY_CHANGES };

/* Whether a serialised record is one that the host (worker/host_record.c) writes: known fields, each
 * once or a list within its maximum, texts clean, URLs of allowed schemes, HTML sanitised, times
 * and numbers within their ranges; neither id nor source. now: wall clock, ms; times of a record lie
 * at most FIELD_AHEAD (field.h) after it. 0; -1: it is not, and why names field and fault, for
 * people. One pass, no memory of its own. */
int	verify_record(struct bytes, enum verify_as, int64_t now, char why[VERIFY_WHY]);
/* Why a text is not one clean line of at most max bytes; NULL: it is, or is NULL. */
const char *verify_line(const char *, size_t max);
#endif
