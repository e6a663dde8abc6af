/* What lies in the memfds that pass between workers and store: a sequence of items, each
 * {u32 length, u8 kind} and `length` bytes. Written by one side, checked by the other. */
#ifndef CORE_RESULT_H
#define CORE_RESULT_H
#include "wire.h"

enum result_kind {
	RESULT_RECORD	= 1,	/* a record (record.h), of parse */
	RESULT_FEED	= 2,	/* the document itself, as a record; at most one, of parse */
	RESULT_STATE	= 3,	/* struct result_state: of parse, filter and deliver; in a batch,
				 * before its items, what is stored */
	RESULT_VERDICT	= 4,	/* struct result_verdict, of filter; in the batch's order */
	RESULT_ITEM	= 5,	/* struct result_item: a record of a batch */
	RESULT_REQUEST	= 6,	/* struct result_request: a page to be fetched, of parse and plan */
};
#define RESULT_REQUESTS	1000		/* of one page */
#define RESULT_REQUEST_MAX	(64u << 10)	/* bytes of one, all together */
#define RESULT_URL_MAX	8192
#define RESULT_LINES_MAX	(16u << 10)	/* bytes of headers */
#define RESULT_TAG_MAX	255
struct result_request {
	uint32_t	 next;		/* 1: the following page, only if this one held what is new */
	const char	*url;		/* a secret stands in it, and in headers, as setup_keep() puts
					 * it: no other control characters, but newlines in headers */
	const char	*method;	/* GET, POST; NULL: GET, or POST with a body */
	const char	*headers;	/* "Name: value\n" lines, or NULL */
	const char	*tag;		/* or NULL */
	struct bytes	 body;
};
struct result_state {
	const char	*key, *value;	/* value NULL: unset */
	const char	*rule;		/* of a filter, as in result_verdict; else NULL */
	uint32_t	 done;		/* of filter and deliver: it counts when so many of the batch's
				 * first records do */
};
#define RESULT_KEY_MAX	255		/* bytes of a key */
struct result_verdict {
	uint32_t	 verdict;	/* enum cr_verdict; UINT32_MAX: the filter failed: dead letter */
	const char	*rule;		/* the filter's name and place: "match#1"; or NULL */
	const char	*why;		/* its words, or NULL */
	struct bytes	 changes;	/* a record of the changed fields; none: NULL */
	struct bytes	 trail;		/* struct result_said, one after the other: what the filters that
					 * did not decide said; none: NULL */
};
struct result_said {
	uint32_t	 verdict;	/* enum cr_verdict */
	const char	*rule, *why;	/* why: or NULL */
};
struct result_item {
	int64_t		 n;		/* in the log */
	uint32_t	 revision;	/* 0: the first */
	const char	*id;		/* record id, 26 characters */
	const char	*delivery;	/* delivery id: ID or ID-rN */
	const char	*source;	/* its name */
	struct bytes	 record;	/* record_write(): without id and source */
	struct bytes	 changes;	/* of the route's filters, laid over it; none: NULL */
	int64_t		 seen;		/* first seen, ms */
	uint32_t	 sources;	/* that tell its story; 0: not told */
};
extern const struct wire_field result_state[], result_verdict[], result_said[], result_item[],
    result_request[];

/* Reads one and looks at what it says. 0; -1: malformed. */
int	result_state_read(struct wire *, struct result_state *);

/* Why a request is none that a plugin may make; NULL: it may. */
const char *result_request_bad(const struct result_request *);

/* Begins an item in b; end() fills in its length. */
size_t	result_begin(struct buf *, enum result_kind);
void	result_end(struct buf *, size_t begun);

/* Reads the next item: 1, 0 at the end, -1 malformed. body is to be read with wire_*(). */
int	result_next(struct wire *all, enum result_kind *, struct wire *body);

/* A memfd: of n bytes copied from p (may be NULL, 0), open for writing; -1 with errno. */
int	result_fd(const void *p, size_t n);
/* Seals against any change. -1: it is mapped for writing by someone, or no memfd. */
int	result_seal(int fd);
/* Maps a sealed one, read only; NULL with errno, also when it is not sealed or not len long
 * (len SIZE_MAX: any, and *size tells). Unmapped by result_unmap(). */
const void *result_map(int fd, size_t len, size_t *size);
void	 result_unmap(const void *, size_t);
#endif
