/* The fields of a record: the type of each, its maximum, and what its values are. */
#ifndef CORE_FIELD_H
#define CORE_FIELD_H
#include <courant/plugin.h>

#include <stdint.h>

#define RECORD_FORMAT	1		/* first byte of a serialised record */

/* Field numbers above CR_RIGHTS are internal: they occur in serialised records only. */
enum { TAG_EXTRA = 32, TAG_NUMBER, TAG_COUNTER, TAG_MAX };

/* The type of a field. */
enum shape { SHAPE_NONE, SHAPE_TEXT, SHAPE_TIME, SHAPE_LIST, SHAPE_PERSON, SHAPE_FILE,
	SHAPE_EXTRA, SHAPE_NUMBER, SHAPE_COUNTER };

/* What the host in a worker makes of the texts of a field. */
enum holds {
	HOLDS_NONE,
	HOLDS_ID,			/* only the store gives it */
	HOLDS_NAME,			/* as HOLDS_TEXT; no filter changes it */
	HOLDS_TEXT,			/* clean text */
	HOLDS_LINE,			/* clean text of one line */
	HOLDS_URL,			/* absolute, of a scheme of documents and media */
	HOLDS_WEB,			/* absolute, http or https */
	HOLDS_HTML,			/* sanitised */
};

struct record_field {
	enum shape	 shape;
	enum holds	 holds;
	uint32_t	 max;		/* bytes of a text */
	const char	*name;
};
extern const struct record_field record_fields[TAG_MAX];

#define FIELD_TIME_MIN	INT64_C(-62135596800000)	/* ms: the year 1 */
#define FIELD_TIME_MAX	INT64_C(253402300799999)	/* ms: the end of the year 9999 */
/* ms that a record's time may be after the arrival of its page, or of the record by a stream. */
#define FIELD_AHEAD	INT64_C(86400000)
#define FIELD_WHOLE_MAX	INT64_C(9007199254740992)	/* of counters and sizes: 2^53 (JSON) */

/* Whether a URL that was resolved is of a scheme that fields of HOLDS_URL, of HOLDS_WEB, may have. */
int	field_url_leads(const char *);
int	field_web_leads(const char *);
/* Whether an extra of that name is HTML: the markup of a field of plain text. */
int	field_markup(const char *extra);
#endif
