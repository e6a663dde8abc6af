/* What the two halves of the recording origin share: connections (origin.c) and the answers that are
 * made up for them (origin_answer.c). */
#ifndef TESTS_ORIGIN_H
#define TESTS_ORIGIN_H
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#define BODY_MAX	(64u << 20)	/* bytes of any body */

struct origin {
	struct event_base	*base;
	json_t			*rules, *hits;
	int			 root;		/* descriptor of the folder; -1 */
	FILE			*record;
	const char		*script;
	struct timespec		 script_time;
	off_t			 script_size;
	int64_t			 started;
	unsigned		 conns, open, busy, most_open, most_busy;
};

enum end { END_KEEP, END_CLOSE, END_STALL, END_RESET };

struct request {
	char		*method, *path, *query;	/* path: decoded */
	json_t		*headers;		/* [[name, value]...] */
	char		*body;
	size_t		 len;
};
struct reply {
	int		 status;
	json_t		*rule;			/* borrowed while the answer is chosen */
	json_t		*headers;		/* name: value */
	struct evbuffer	*body;
	size_t		 drip;			/* bytes a piece; 0: at once */
	int		 drip_ms, delay;
	long long	 cut;			/* bytes of body before the end; -1: all */
	int		 silent;		/* no answer at all */
	enum end	 end;
};
struct conn {
	struct origin		*o;
	struct bufferevent	*bev;
	struct event		*timer;
	unsigned		 id;
	int			 busy;		/* an answer is under way */
	struct request		 q;
	struct reply		 r;
	struct evbuffer		*rest;		/* what is still to be dripped */
};

_Noreturn void	 die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void		*need(void *);			/* what was allocated, or the end */
int64_t		 now_ms(void);
const char	*request_header(const struct request *, const char *name);	/* or NULL */

/* Lays a rule file over the rules; -1: it is none. */
int		 rules_load(struct origin *, const char *text, size_t len);
void		 script_look(struct origin *);	/* reads --script again when it changed */
void		 header_set(struct reply *, const char *name, const char *value);
/* Counts the request and fills the reply as the rules and the files tell. */
void		 reply_choose(struct origin *, struct reply *, const struct request *);
/* How the body travels: gzip, chunks, a true or wrong length. Done by reply_choose(). */
void		 reply_encode(struct reply *, const struct request *);
const char	*rule_str(const json_t *rule, const char *name);	/* NULL: not told */
#endif
