/* Runs the check() of plugins in workers, and caches the answers. */
#include "check.h"
#include "setup_checked.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/plugin.h"
#include "catalog/probe.h"
#include "ipc/msg.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

/* A cached answer: mark, said and fault as in struct check. */
struct answer {
	uint64_t	 mark;
	char		*said;		/* NULL: the plugin takes the options */
	int		 fault;
};

/* One plugin and the questions to it. */
struct ask {
	struct checks		*all;
	const struct plugin	*plugin;
	size_t			*which;		/* places in setup->checks */
	size_t			 n, sent, answered;
	struct probe		*probe;
	unsigned		 deaths;
	int			 begun;
};

struct checks {
	struct answer	*v;		/* the cache, sorted by mark */
	size_t		 n;
	struct event_base *base;	/* NULL: nothing is being asked */
	struct setup	*setup;
	struct event	*over;		/* activated once all questions are answered */
	void		(*done)(void *);
	void		*arg;
	struct ask	*ask;
	size_t		 nasks, busy;
};

static void	asks_begin(struct checks *);

/* ---- The cache ---- */

static int
by_mark(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	return (x->mark > y->mark) - (x->mark < y->mark);
}

void
checks_forget(struct checks *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->v[i].said);
	free(all->v);
	all->v = NULL;
	all->n = 0;
}

/* Puts the answers in the setup's checks into the cache; add: beside those in it, not instead. */
static void
remember(struct checks *all, int add)
{
	const struct setup *s = all->setup;

	if (!add)
		checks_forget(all);
	all->v = xreallocarray(all->v, all->n + s->nchecks + 1, sizeof(*all->v));
	for (size_t i = 0; i < s->nchecks; i++) {
		const struct check *k = &s->checks[i];

		if (k->answered)
			all->v[all->n++] = (struct answer){ k->mark,
				k->said != NULL ? xstrdup(k->said) : NULL, k->fault };
	}
	qsort(all->v, all->n, sizeof(*all->v), by_mark);
}

/* Hashes the secrets themselves, since their stand-ins differ in each setup. */
static void
mark_set(struct digest *d, const struct setup *s, struct check *k)
{
	struct buf options;

	buf_init(&options, 2 * OPTION_SET_MAX);
	setup_check_options(s, k, CR_SECRETS, &options);
	digest_begin(d);
	digest_str(d, k->instance->plugin->copy);
	digest_int(d, setup_grants(s, k->instance->plugin));
	digest_add(d, options.data != NULL ? options.data : "", options.len);
	k->mark = (uint64_t)digest_end64(d);
	if (options.data != NULL)
		explicit_bzero(options.data, options.len);
	buf_free(&options);
}

/* Sets all marks, and fills in the cached answers. */
static void
recall_all(struct checks *all, struct setup *s)
{
	struct digest *d = digest_new();
	const struct answer *a;

	for (size_t i = 0; i < s->nchecks; i++) {
		mark_set(d, s, &s->checks[i]);
		a = all->n == 0 ? NULL : bsearch(&(struct answer){ .mark = s->checks[i].mark },
		    all->v, all->n, sizeof(*all->v), by_mark);
		if (a != NULL)
			setup_check_answer(s, &s->checks[i], a->said, a->fault);
	}
	digest_free(d);
}

/* ---- One plugin ---- */

static struct check *
item(const struct ask *a, size_t i)
{
	return &a->all->setup->checks[a->which[i]];
}

/* Sends questions to the worker until CHECK_AHEAD of them are not answered. */
static void
ask_send(struct ask *a)
{
	const struct setup *s = a->all->setup;
	struct buf options, b;

	buf_init(&options, 2 * OPTION_SET_MAX);
	buf_init(&b, msg_limit(MSG_W_CHECK));
	for (; a->sent < a->n && a->sent - a->answered < CHECK_AHEAD; a->sent++) {
		buf_clear(&options);
		buf_clear(&b);
		setup_check_options(s, item(a, a->sent), setup_grants(s, a->plugin), &options);
		wire_put_bytes(&b, options.data != NULL ? options.data : "", options.len);
		if (probe_send(a->probe, MSG_W_CHECK, (uint32_t)a->which[a->sent], &b) == -1)
			break;		/* the worker died: on_end() follows */
	}
	if (options.data != NULL)
		explicit_bzero(options.data, options.len);
	if (b.data != NULL)
		explicit_bzero(b.data, b.len);
	buf_free(&options);
	buf_free(&b);
}

/* An answer arrived. 1: more are expected. */
static int
on_answer(struct frame *f, void *arg)
{
	struct ask *a = arg;
	const char *said;
	struct wire w;

	wire_init(&w, f->data, f->len);
	said = wire_str(&w);
	if (wire_end(&w) == -1 || a->answered == a->sent || f->id != a->which[a->answered])
		return 0;
	setup_check_answer(a->all->setup, item(a, a->answered++), said, 0);
	ask_send(a);
	return a->answered < a->n;
}

static void
on_end(struct frame *f, const char *why, void *arg)
{
	struct ask *a = arg;

	a->probe = NULL;
	if (a->answered < a->n) {
		setup_check_answer(a->all->setup, item(a, a->answered++), f != NULL ?
		    "its worker sent a bad frame" : why, 1);
		a->deaths++;
	}
	while (a->deaths >= CHECK_DEATHS && a->answered < a->n)
		setup_check_answer(a->all->setup, item(a, a->answered++),
		    "it is not asked, since the workers of other questions died", 1);
	a->sent = a->answered;
	if (a->answered < a->n)
		a->begun = 0;		/* asks_begin() starts another worker */
	a->all->busy--;
	asks_begin(a->all);
}

static void
ask_begin(struct ask *a)
{
	const struct probe_ask probe = { .mode = W_CHECK, .copy = a->plugin->copy, .fd = a->plugin->fd,
		.libraries = a->plugin->libraries, .file = a->plugin->file,
		.grants = setup_grants(a->all->setup, a->plugin), .answer = MSG_W_CHECKED,
		.late = "it did not answer within 5 s", .more = on_answer };

	_Static_assert(PROBE_MS == 5000, "what `late` says");
	a->begun = 1;
	a->all->busy++;
	a->probe = probe_start(a->all->base, &probe, on_end, a);
	if (a->probe != NULL)
		ask_send(a);
	else {
		a->deaths = CHECK_DEATHS;
		on_end(NULL, "no worker can be started to ask it", a);
	}
}

/* ---- All of them ---- */

static void
asks_begin(struct checks *all)
{
	size_t i = 0;

	while (i < all->nasks && all->busy < CHECK_WORKERS) {
		if (!all->ask[i].begun)
			ask_begin(&all->ask[i]);
		i++;
	}
	if (all->busy == 0 && i == all->nasks)
		event_active(all->over, EV_TIMEOUT, 0);
}

static struct ask *
ask_of(struct checks *all, const struct plugin *p)
{
	for (size_t i = all->nasks; i > 0; i--)
		if (all->ask[i - 1].plugin == p)
			return &all->ask[i - 1];
	all->ask = xreallocarray(all->ask, all->nasks + 1, sizeof(*all->ask));
	all->ask[all->nasks] = (struct ask){ .all = all, .plugin = p };
	return &all->ask[all->nasks++];
}

/* Groups the questions without an answer by plugin. */
static void
asks_make(struct checks *all)
{
	const struct setup *s = all->setup;
	struct ask *a;

	for (size_t i = 0; i < s->nchecks; i++) {
		if (s->checks[i].answered)
			continue;
		a = ask_of(all, s->checks[i].instance->plugin);
		if ((a->n & (a->n - 1)) == 0)		/* full at each power of two */
			a->which = xreallocarray(a->which, a->n > 0 ? 2 * a->n : 1,
			    sizeof(*a->which));
		a->which[a->n++] = i;
	}
}

/* Stops the workers and forgets the setup. */
static void
end(struct checks *all)
{
	for (size_t i = 0; i < all->nasks; i++) {
		probe_stop(all->ask[i].probe);
		free(all->ask[i].which);
	}
	free(all->ask);
	event_free(all->over);
	all->ask = NULL;
	all->over = NULL;
	all->setup = NULL;
	all->base = NULL;
	all->nasks = all->busy = 0;
}

static void
on_over(evutil_socket_t fd, short what, void *arg)
{
	struct checks *all = arg;
	void (*done)(void *) = all->done;

	(void)fd;
	(void)what;
	remember(all, 0);
	end(all);
	if (done != NULL)
		done(all->arg);
}

int
checks_start(struct checks *all, struct event_base *base, struct setup *s, void (*done)(void *),
    void *arg)
{
	checks_stop(all);
	if (s->nchecks == 0)
		return 0;
	recall_all(all, s);
	all->setup = s;
	asks_make(all);
	if (all->nasks == 0) {
		all->setup = NULL;
		return 0;
	}
	all->base = base;
	all->done = done;
	all->arg = arg;
	all->over = evtimer_new(base, on_over, all);
	if (all->over == NULL)
		fatal("no event for what plugins answer");
	asks_begin(all);
	return 1;
}

void
checks_stop(struct checks *all)
{
	if (all->setup == NULL)
		return;
	remember(all, 1);
	end(all);
}

void
checks_now(struct checks *all, struct setup *s)
{
	struct event_base *base = s->nchecks > 0 ? event_base_new() : NULL;

	if (s->nchecks == 0)
		return;
	if (base == NULL)
		fatal("no event loop");
	if (checks_start(all, base, s, NULL, NULL))
		(void)event_base_dispatch(base);	/* returns once no event is pending */
	event_base_free(base);
}

struct checks *
checks_new(void)
{
	return xcalloc(1, sizeof(struct checks));
}

void
checks_free(struct checks *all)
{
	if (all == NULL)
		return;
	checks_stop(all);
	checks_forget(all);
	free(all);
}
