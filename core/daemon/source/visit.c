/* Visits: HTTP requests below /x/NAME/, which serve hands over and the plugin of the source NAME
 * answers in a worker of its own, one after the other. The records that the plugin emits are on
 * disk before its answer is sent. */
#include "visit.h"
#include "intake.h"
#include "sources.h"
#include "base/buf.h"
#include "daemon/supervise/role.h"
#include "ipc/msg.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

/* ---- Which source ---- */

struct name { const char *text; size_t len; const struct source *all; };

static int
is_name(const void *key, const void *place)
{
	const struct name *n = key;
	const char *name = n->all[*(const uint32_t *)place].name;
	int d = strncmp(n->text, name, n->len);

	return d != 0 ? d : name[n->len] != '\0' ? -1 : 0;
}

uint32_t
visit_place(const struct core *c, const char *text, size_t len)
{
	const struct visits *vs = c->visits;
	const struct name n = { text, len, c->setup->sources };
	const uint32_t *hit = vs->nplaces == 0 ? NULL :
	    bsearch(&n, vs->place, vs->nplaces, sizeof(*vs->place), is_name);

	return hit != NULL ? *hit : UINT32_MAX;
}

/* ---- One visit ---- */

void
visit_tell(struct core *c, uint32_t theirs, const struct visit_answer *a, int fd)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_VISITED));
	wire_put(&b, visit_answer, a);
	roles_send(c, ROLE_SERVE, MSG_VISITED, theirs, &b, fd);
	buf_free(&b);
}

void
visit_say(struct core *c, uint32_t theirs, uint32_t status, int64_t retry, const char *error)
{
	const struct visit_answer a = { .status = status, .retry_after = retry, .error = error };

	visit_tell(c, theirs, &a, -1);
}

void
visit_leave(struct visit *v)
{
	intake_forget(v->core, v->batch);
	v->batch = 0;
	outlet_close(&v->out);
	if (v->seat != NULL)
		v->seat->visit = NULL;
	v->seat = NULL;
	v->state = VISIT_WAITS;
}

void
visit_free(struct visit *v)
{
	struct core *c = v->core;

	visit_leave(v);
	TAILQ_REMOVE(&c->visits->all, v, entry);
	c->visits->n--;
	c->visits->bytes -= v->bytes;
	if (v->body != -1)
		close(v->body);
	event_free(v->deadline);
	buf_free(&v->frame);
	free(v->name);
	free(v);
	core_idle(c);
}

void
visit_wake(struct core *c)
{
	event_active(c->visits->wake, EV_TIMEOUT, 0);
}

void
visit_count(const struct visit *v, int failed)
{
	struct core *c = v->core;
	uint32_t place = visit_place(c, v->name, strlen(v->name));

	if (place == UINT32_MAX)
		return;
	c->runs[place].visits++;
	c->runs[place].visits_failed += failed != 0;
}

void
visit_refuse(struct visit *v, uint32_t status, int64_t retry, const char *error)
{
	visit_count(v, 1);
	if (!v->told)
		visit_say(v->core, v->theirs, status, retry, error);
	visit_free(v);
}
