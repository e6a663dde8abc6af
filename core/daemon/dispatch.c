/* The first frames that each role is sent, and the owners of the frames that roles send. */
#include "dispatch.h"
#include "abandoned.h"
#include "admin.h"
#include "indexing.h"
#include "parts.h"
#include "status.h"
#include "status_build.h"
#include "trouble.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/zone.h"
#include "catalog/plugin.h"
#include "conf/request.h"
#include "daemon/route/deliver.h"
#include "daemon/route/editions.h"
#include "daemon/route/mails.h"
#include "daemon/source/intake.h"
#include "daemon/source/poll_commit.h"
#include "daemon/source/poll_fetch.h"
#include "daemon/source/sources.h"
#include "daemon/source/stream.h"
#include "daemon/source/visit_queue.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/disk.h"
#include "daemon/supervise/outbound.h"
#include "daemon/supervise/role.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVE_CONNECTIONS	256
#define SERVE_PER_ADDRESS	64

/* Three functions for each role: for its start, for its frames, and for its death. */
#define ROLE_DECLARE(id, name, late) \
	static void	name##_setup(struct role *); \
	static void	name##_frame(struct role *, struct frame *); \
	static void	name##_gone(struct role *, const struct peer *, int);
#define ROLE_USE(id, name, late)	[ROLE_##id] = { name##_setup, name##_frame, name##_gone, late },
ROLES_EACH(ROLE_DECLARE)
static const struct role_use uses[ROLES] = { ROLES_EACH(ROLE_USE) };

/* The state of core's messages to store. */
struct dispatch {
	uint32_t	 conf;		/* id of the last MSG_STORE_CONF */
};

/* Sends the content of b in a memfd. */
static void
send_fd(struct core *c, enum role_id id, uint16_t type, const struct buf *b)
{
	int fd = b->over ? -1 : memfd_new(b->data, b->len);

	if (fd == -1 || memfd_seal(fd) == -1)
		fatal("no memory file for %s: %s", msg_name(type), strerror(errno));
	roles_send(c, id, type, c->dispatch->conf, NULL, fd);
	close(fd);
}

static void
put_route(struct buf *b, const struct route *r)
{
	struct store_route sr = { .name = r->name, .title = r->title, .all = (uint32_t)r->all,
		.filters = (uint32_t)r->nfilters, .once_record = (uint32_t)r->once_record,
		.updates = (uint32_t)r->updates, .patience = r->patience };
	char rule[ZONE_MAX + 64];
	struct buf rules;

	buf_init(&rules, SIZE_MAX / 4);
	for (size_t i = 0; i < r->nfilters; i++)
		buf_add(&rules, r->filters[i].rule, strlen(r->filters[i].rule) + 1);
	sr.rules = (struct bytes){ rules.data, rules.len };
	if (r->edition != NULL) {
		const struct calendar *when = &r->edition->calendar;

		snprintf(rule, sizeof(rule), "%d %u %d %s", (int)when->every, when->on, when->at, when->zone);
		sr.edition = 1;
		sr.rule = rule;
		sr.order = (uint32_t)r->edition->order;
		sr.number = r->edition->number;
		sr.top = r->edition->top;
		sr.group = (uint32_t)r->edition->group;
		sr.among = r->edition->among;
		sr.send_empty = (uint32_t)r->edition->send_empty;
		sr.archive = r->edition->archive;
	}
	sr.subscribe = (uint32_t)setup_subscribed(r);
	sr.prefer = (struct bytes){ (const char *)r->prefer, r->nprefer * sizeof(*r->prefer) };
	wire_put(b, store_route, &sr);
	buf_free(&rules);
	wire_put_u32(b, (uint32_t)r->nfrom);
	for (size_t i = 0; i < r->nfrom; i++)
		wire_put_u32(b, r->from[i]);
	wire_put_u32(b, (uint32_t)r->nroutes);
	for (size_t i = 0; i < r->nroutes; i++)
		wire_put_u32(b, r->routes[i]);
	wire_put_u32(b, (uint32_t)r->nsinks);
	for (size_t i = 0; i < r->nsinks; i++) {
		const struct sink *l = &r->sinks[i];
		const struct store_sink sl = { .name = l->name,
			.takes = setup_gives(r, l), .archive = (uint32_t)sink_archives(l),
			.keep = l->keep, .order = (uint32_t)l->order,
			.number = l->number, .every = l->every, .unordered = (uint32_t)(l->unordered && (l->mail || r->edition == NULL)),
			.mail = (uint32_t)l->mail, .readers = l->readers, .expiry = l->expiry,
			.subscribe = (uint32_t)l->subscribe,
			.backlog = l->backlog, .backlog_n = l->backlog_n };

		wire_put(b, store_sink, &sl);
	}
}

/* Sends store the sources and routes of the setup. */
static void
conf_send(struct core *c)
{
	const struct setup *s = c->setup;
	struct buf b;

	c->dispatch->conf++;
	buf_init(&b, SIZE_MAX / 4);
	wire_put(&b, store_heat, &s->heat);
	wire_put_u32(&b, (uint32_t)s->nsources);
	for (size_t i = 0; i < s->nsources; i++) {
		const struct source *src = &s->sources[i];
		const struct store_source ss = { .name = src->name, .was = src->was,
			.url = src->url, .plugin = src->instance->name,
			.weight = src->weight, .counters = (uint32_t)src->counters };

		wire_put(&b, store_source, &ss);
	}
	wire_put_u32(&b, (uint32_t)s->nroutes);
	for (size_t i = 0; i < s->nroutes; i++)
		put_route(&b, &s->routes[i]);
	send_fd(c, ROLE_STORE, MSG_STORE_CONF, &b);
	buf_free(&b);
}

static void
store_setup(struct role *r)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_STORE_START));
	wire_put_str(&b, r->core->database);
	roles_send(r->core, r->id, MSG_STORE_START, 0, &b, -1);
	buf_free(&b);
}

/* Store has read the setup, and answers with ids and marks: work may begin. */
static void
store_ready(struct core *c, struct frame *f)
{
	size_t size;
	const void *p;
	struct wire w;

	if (f->id != c->dispatch->conf)
		return;			/* for an earlier setup; another answer follows */
	p = memfd_map(f->fd[0], SIZE_MAX, &size);
	if (p == NULL)
		fatal("what store knows cannot be read: %s", strerror(errno));
	c->known = 1;
	wire_init(&w, p, size);
	sources_ready(c, &w);
	mails_ready(c);
	deliver_ready(c, &w);
	if (wire_end(&w) == -1)
		fatal("what store knows is malformed");
	memfd_unmap(p, size);
	parts_ready(c);
	admin_store_ready(c);
	if (c->listener != -1)
		role_start(c, ROLE_SERVE);
	role_start(c, ROLE_INDEX);
	indexing_head(c);
}

static void
store_grew(struct core *c, struct frame *f)
{
	uint32_t asked;
	int64_t head;
	struct wire w;

	wire_init(&w, f->data, f->len);
	head = wire_i64(&w);
	asked = wire_u32(&w);
	if (wire_end(&w) == -1)
		fatal("store's HEAD is malformed");
	if (asked)
		deliver_asked(c);
	deliver_head(c, head);
	indexing_head(c);
}

/* A commit is on disk: a poll's, or one of intake.c. */
static void
store_committed(struct core *c, struct frame *f)
{
	struct owed_page o;
	struct committed cd;
	struct wire w, next;

	wire_init(&w, f->data, f->len);
	wire_get(&w, committed, &cd);
	next = w;
	if (cd.more)
		wire_get(&w, owed_page, &o);
	if (wire_end(&w) == -1)
		fatal("store's COMMITTED is malformed");
	if (cd.head > c->head) {
		deliver_head(c, cd.head);
		indexing_head(c);
	}
	if (cd.aside)
		intake_committed(c, f->id, &cd);
	else
		poll_committed(c, f->id, &cd, &next);
}

/* Passes a plugin's state to the part of core that asked for it. */
static void
store_stated(struct core *c, struct frame *f)
{
	struct stated st;

	if (wire_whole(f->data, f->len, stated, &st) == -1)
		fatal("store's STATED is malformed");
	if (st.owner == STATE_VISIT)
		visit_stated(c, f->id, st.state);
	else if (st.owner == STATE_TROUBLE)
		trouble_stated(c, st.state);
	else
		stream_stated(c, f->id, st.state);
}

/* Serve's request is carried out: passed on to serve, which knows it by its id. */
static void
store_consented(struct core *c, struct frame *f)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_CONSENTED));
	buf_add(&b, f->data, f->len);
	roles_send(c, ROLE_SERVE, MSG_CONSENTED, f->id, &b, -1);
	buf_free(&b);
	deliver_asked(c);		/* there may be a letter */
	deliver_head(c, c->head);
}

static void
store_frame(struct role *r, struct frame *f)
{
	struct core *c = r->core;

	switch (f->type) {
	case MSG_READY:
		conf_send(c);
		break;
	case MSG_STORE_KNOWN:
		store_ready(c, f);
		break;
	case MSG_RECALLED:
		poll_recalled(c, f);
		break;
	case MSG_COMMITTED:
		store_committed(c, f);
		break;
	case MSG_STATED:
		store_stated(c, f);
		break;
	case MSG_WORK:
		deliver_work(c, f);
		break;
	case MSG_HEAD:
		store_grew(c, f);
		break;
	case MSG_SEALED:
		editions_sealed(c, f);
		break;
	case MSG_SETTLED:
		deliver_settled(c, f);
		break;
	case MSG_OUTCOME_KEPT:
		mails_stored(c, f);
		break;
	case MSG_COUNTS:
		status_counts(c, f);
		status_build_counted(c, f);
		break;
	case MSG_SILENCES:
		trouble_silences(c, f);
		break;
	case MSG_ROOM:
		disk_store(c, f);
		status_build_uncounted(c);	/* store counts nothing while it waits */
		break;
	case MSG_ANSWER:
		admin_answered(c, f);
		break;
	case MSG_CONSENTED:
		store_consented(c, f);
		break;
	default:
		fatal("store sent a %s", msg_name(f->type));
	}
}

/* Sends the settings of HTTP requests to fetch or send. */
static void
settings_send(struct core *c, enum role_id id)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_FETCH_START));
	request_settings(c->setup, &b);
	roles_send(c, id, MSG_FETCH_START, 0, &b, -1);
	buf_free(&b);
}

static void
fetch_setup(struct role *r)
{
	settings_send(r->core, r->id);
}

static void
fetch_frame(struct role *r, struct frame *f)
{
	switch (f->type) {
	case MSG_READY:
		poll_fetch_back(r->core);
		break;
	case MSG_FETCHED:
		poll_fetched(r->core, f);
		break;
	default:
		fatal("fetch sent a %s", msg_name(f->type));
	}
}

static void
send_setup(struct role *r)
{
	settings_send(r->core, r->id);
}

static void
send_frame(struct role *r, struct frame *f)
{
	switch (f->type) {
	case MSG_READY:
		outbound_send_back(r->core);
		break;
	case MSG_FETCHED:
		outbound_answered(r->core, f);
		break;
	default:
		fatal("send sent a %s", msg_name(f->type));
	}
}

static void
serve_setup(struct role *r)
{
	const struct core *c = r->core;
	const struct serve_start ss = { .database = c->database, .out = c->out,
		.base = c->setup->base, .title = c->setup->title, .zone = c->setup->zone, .connections = SERVE_CONNECTIONS,
		.per_address = SERVE_PER_ADDRESS, .proxies = c->setup->proxies };
	struct buf b;

	buf_init(&b, msg_limit(MSG_SERVE_START));
	wire_put(&b, serve_start, &ss);
	roles_send(r->core, r->id, MSG_SERVE_START, 0, &b, c->listener);
	buf_free(&b);
	abandoned_tell(r->core);
}

/* Passes what a visitor does about a subscription on to store. -1: malformed. */
static int
serve_consent(struct core *c, struct frame *f)
{
	char key[TEXT_BASE32_16];
	struct consent v;
	struct buf b;

	if (wire_whole(f->data, f->len, consent, &v) == -1 || v.network == NULL ||
	    strlen(v.network) >= NETWORK_MAX || v.act > CONSENT_LEAVE ||
	    (v.act == CONSENT_ASK && (v.route == NULL || v.address == NULL)) ||
	    ((v.act == CONSENT_CONFIRM || v.act == CONSENT_LEAVE) && v.token.len != 16))
		return -1;
	if (v.act == CONSENT_LEAVE) {
		text_base32(key, v.token.data, v.token.len);
		mails_leave(c, key);
	}
	buf_init(&b, msg_limit(MSG_CONSENT));
	if (c->known) {
		buf_add(&b, f->data, f->len);
		roles_send(c, ROLE_STORE, MSG_CONSENT, f->id, &b, -1);
	} else {
		wire_put_u32(&b, CONSENTED_AWAY);
		roles_send(c, ROLE_SERVE, MSG_CONSENTED, f->id, &b, -1);
	}
	buf_free(&b);
	return 0;
}

static void
serve_frame(struct role *r, struct frame *f)
{
	switch (f->type) {
	case MSG_READY:
		break;
	case MSG_ASK:
		admin_ask(r->core, r->peer, f, 0);
		break;
	case MSG_VISIT:
		if (visit_came(r->core, f) == 0)
			break;
		log_warn("serve sent a bad frame");
		kill(r->pid, SIGKILL);
		break;
	case MSG_CONSENT:
		if (serve_consent(r->core, f) == 0)
			break;
		log_warn("serve sent a bad frame");
		kill(r->pid, SIGKILL);
		break;
	default:
		log_warn("serve sent a %s, which it may not", msg_name(f->type));
	}
}

static void
index_setup(struct role *r)
{
	indexing_setup(r);
}

static void
index_frame(struct role *r, struct frame *f)
{
	switch (f->type) {
	case MSG_READY:
		break;
	case MSG_INDEXED:
		indexing_at(r->core, f);
		break;
	case MSG_ANSWER:
		admin_answered(r->core, f);
		break;
	default:
		fatal("index sent a %s", msg_name(f->type));
	}
}

/* ---- A role's death ---- */

/* If store cannot open its database, its exit status says why and becomes the daemon's. */
static void
store_gone(struct role *r, const struct peer *lost, int status)
{
	struct core *c = r->core;

	(void)lost;
	c->known = 0;
	if (c->stopping)
		return;
	admin_store_gone(c);
	parts_gone(c, ROLE_STORE);
	if (!r->was_ready && WIFEXITED(status) && WEXITSTATUS(status) != 0)
		core_exit(c, WEXITSTATUS(status));
}

static void
fetch_gone(struct role *r, const struct peer *lost, int status)
{
	(void)lost;
	(void)status;
	if (!r->core->stopping)
		parts_gone(r->core, r->id);
}

static void
send_gone(struct role *r, const struct peer *lost, int status)
{
	fetch_gone(r, lost, status);
}

static void
serve_gone(struct role *r, const struct peer *lost, int status)
{
	admin_forget(r->core, lost);
	fetch_gone(r, lost, status);
}

static void
index_gone(struct role *r, const struct peer *lost, int status)
{
	indexing_gone(r->core);
	admin_index_gone(r->core);
	fetch_gone(r, lost, status);
}

/* ---- All of them ---- */

void
dispatch_start(struct core *c)
{
	roles_start(c, uses);
}

void
dispatch_init(struct core *c)
{
	c->dispatch = xcalloc(1, sizeof(*c->dispatch));
}

void
dispatch_setup(struct core *c)
{
	static const enum role_id settings[] = { ROLE_FETCH, ROLE_SEND };

	c->known = 0;
	if (c->roles == NULL)
		return;			/* each is sent the setup as it starts */
	if (roles_get(c, ROLE_STORE)->ready)
		conf_send(c);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (roles_get(c, settings[i])->peer != NULL)
			settings_send(c, settings[i]);
}
