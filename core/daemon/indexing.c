/* The role index as core sees it. */
#include "indexing.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/chan.h"
#include "ipc/msg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct indexing {
	int64_t		 sent;		/* head of the last MSG_HEAD */
	int		 said;		/* `at` is the role's */
	struct indexed	 at;
	char		*why;		/* of it */
};

static struct indexing *
indexing_of(struct core *c)
{
	if (c->indexing == NULL)
		c->indexing = xcalloc(1, sizeof(*c->indexing));
	return c->indexing;
}

void
indexing_setup(struct role *r)
{
	char *folder = xasprintf("%s/index", r->core->state);
	const struct index_start is = { .database = r->core->database, .folder = folder };
	struct buf b;

	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		log_warn("%s: %s", folder, strerror(errno));
	buf_init(&b, msg_limit(MSG_INDEX_START));
	wire_put(&b, index_start, &is);
	roles_send(r->core, ROLE_INDEX, MSG_INDEX_START, 0, &b, -1);
	buf_free(&b);
	free(folder);
	indexing_of(r->core)->sent = 0;
	indexing_head(r->core);
}

void
indexing_head(struct core *c)
{
	struct indexing *x = indexing_of(c);
	struct buf b;

	if (c->head == x->sent || roles_get(c, ROLE_INDEX)->peer == NULL)
		return;
	x->sent = c->head;
	buf_init(&b, msg_limit(MSG_HEAD));
	wire_put_i64(&b, c->head);
	wire_put_u32(&b, 0);
	roles_send(c, ROLE_INDEX, MSG_HEAD, 0, &b, -1);
	buf_free(&b);
}

void
indexing_at(struct core *c, struct frame *f)
{
	struct indexing *x = indexing_of(c);

	if (wire_whole(f->data, f->len, indexed, &x->at) == -1)
		fatal("index's INDEXED is malformed");
	xreplace(&x->why, x->at.why);
	x->at.why = x->why;
	x->said = 1;
}

void
indexing_gone(struct core *c)
{
	indexing_of(c)->said = 0;
}

json_t *
indexing_json(const struct core *c)
{
	const struct indexing *x = c->indexing;
	json_t *o = json_object();

	if (x == NULL || !x->said) {
		json_set_text(o, "why", "it has not told yet");
		return o;
	}
	json_object_set_new(o, "n", json_integer(x->at.n));
	json_object_set_new(o, "of", json_integer(c->head > x->at.n ? c->head : x->at.n));
	json_object_set_new(o, "records", json_integer(x->at.docs));
	json_object_set_new(o, "building", json_boolean(x->at.building));
	json_object_set_new(o, "waiting", json_boolean(x->at.waits));
	json_set_text(o, "why", x->why);
	return o;
}
