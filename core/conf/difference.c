/* Compares two setups: sources and routes by name and by a hash of their options; settings as a
 * whole. */
#include "difference.h"
#include "setup_mail.h"
#include "setup_template.h"
#include "base/digest.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A source or route by name, and a hash of all that the configuration says of it. */
struct entry {
	const char	*name;
	int64_t		 means;
};

struct entries {
	struct entry	*v;
	size_t		 n;
};

/* ---- Hashes ---- */

static void
add_instance(struct digest *d, const struct instance *in)
{
	struct buf options;

	buf_init(&options, 2 * OPTION_SET_MAX);
	instance_options(in, 1, &options);	/* stand-ins of secrets are new with each setup */
	digest_str(d, in->name);
	digest_add(d, options.len > 0 ? options.data : "", options.len);
	if (options.data != NULL)
		explicit_bzero(options.data, options.len);
	buf_free(&options);
}

static int64_t
source_means(struct digest *d, const struct source *s)
{
	digest_begin(d);
	digest_int(d, (int64_t)s->hash);
	digest_int(d, s->every_min);
	digest_int(d, s->every_max);
	digest_int(d, s->pages);
	digest_int(d, (int64_t)s->hour_records);
	digest_int(d, (int64_t)s->hour_bytes);
	digest_int(d, s->strip);
	digest_add(d, &s->weight, sizeof(s->weight));
	digest_int(d, s->counters);
	digest_str(d, s->was);
	return digest_end64(d);
}

static void
add_sink(struct digest *d, const struct sink *l)
{
	digest_str(d, l->name);
	digest_int(d, l->backlog);
	digest_int(d, l->backlog_n);
	digest_int(d, l->keep);
	digest_int(d, l->order);
	digest_str(d, l->number);
	digest_int(d, l->every);
	digest_int(d, l->unordered);
	digest_add(d, l->readers.data != NULL ? l->readers.data : "", l->readers.len);
	add_instance(d, l->instance);
}

static void
add_edition(struct digest *d, const struct edition *e)
{
	digest_int(d, e->calendar.every);
	digest_int(d, e->calendar.on);
	digest_int(d, e->calendar.at);
	digest_str(d, e->calendar.zone);
	digest_int(d, e->late);
	digest_int(d, e->order);
	digest_str(d, e->number);
	digest_int(d, e->top);
	digest_int(d, e->group);
	digest_int(d, e->among);
	digest_int(d, e->send_empty);
	digest_int(d, e->archive);
}

static int64_t
route_means(struct digest *d, const struct setup *s, const struct route *r)
{
	digest_begin(d);
	digest_str(d, r->title);
	digest_int(d, r->all);
	digest_int(d, r->once_record);
	digest_int(d, r->updates);
	digest_int(d, r->patience);
	if (r->edition != NULL)
		add_edition(d, r->edition);
	for (size_t i = 0; i < r->nprefer; i++)
		digest_str(d, s->sources[r->prefer[i]].name);
	digest_int(d, (int64_t)r->nprefer);
	for (size_t i = 0; i < r->nfrom && !r->all; i++)
		digest_str(d, s->sources[r->from[i]].name);
	for (size_t i = 0; i < r->nroutes; i++)
		digest_str(d, s->routes[r->routes[i]].name);
	for (size_t i = 0; i < r->nfilters; i++) {
		digest_str(d, r->filters[i].rule);
		add_instance(d, r->filters[i].instance);
	}
	for (size_t i = 0; i < r->nsinks; i++)
		add_sink(d, &r->sinks[i]);
	return digest_end64(d);
}

static void
add_texts(struct digest *d, char *const *texts, size_t n)
{
	digest_int(d, (int64_t)n);
	for (size_t i = 0; i < n; i++)
		digest_str(d, texts[i]);
}

/* All that belongs to no source and no route. */
static int64_t
settings_mean(struct digest *d, const struct setup *s)
{
	const char *const texts[] = { s->user, s->state, s->contact, s->listen, s->base, s->ca,
		s->proxies };
	const int64_t numbers[] = { s->metrics, s->private_ok, s->at_once, s->total, s->workers,
		s->spacing, s->fetch_timeout, s->job_deadline, s->job_cpu, (int64_t)s->max_body,
		(int64_t)s->worker_memory, (int64_t)s->all_memory, (int64_t)s->disk_free,
		s->heat.half_life, s->heat.cap, s->heat.top };

	digest_begin(d);
	mail_conf_means(&s->mail, d);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		digest_str(d, texts[i]);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		digest_int(d, numbers[i]);
	digest_add(d, &s->heat.votes, sizeof(s->heat.votes));
	digest_add(d, &s->heat.comments, sizeof(s->heat.comments));
	add_texts(d, s->files, s->nfiles);
	add_texts(d, s->plugin_dirs, s->nplugin_dirs);
	add_texts(d, s->allow, s->nallow);
	for (size_t i = 0; i < s->nhosts; i++) {
		digest_str(d, s->hosts[i].host);
		digest_int(d, s->hosts[i].at_once);
		digest_int(d, s->hosts[i].spacing);
	}
	return digest_end64(d);
}

/* ---- Side by side ---- */

static int
by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct entries
sources_of(struct digest *d, const struct setup *s)
{
	struct entries e = { xcalloc(s->nsources, sizeof(*e.v)), s->nsources };

	for (size_t i = 0; i < e.n; i++)
		e.v[i] = (struct entry){ s->sources[i].name, source_means(d, &s->sources[i]) };
	qsort(e.v, e.n, sizeof(*e.v), by_name);
	return e;
}

static struct entries
routes_of(struct digest *d, const struct setup *s)
{
	struct entries e = { xcalloc(s->nroutes, sizeof(*e.v)), s->nroutes };

	for (size_t i = 0; i < e.n; i++)
		e.v[i] = (struct entry){ s->routes[i].name, route_means(d, s, &s->routes[i]) };
	qsort(e.v, e.n, sizeof(*e.v), by_name);
	return e;
}

/* The number of sources or routes that were added, removed or changed, and their first names. */
struct named {
	const char	*what;
	size_t		 n;
	struct buf	 names;
};

static void
tell(struct named *t, const char *name)
{
	if (t->n++ < DIFFERENCE_NAMES)
		buf_fmt(&t->names, "%s%s", t->n > 1 ? ", " : "", name);
}

/* Both lists are sorted. */
static void
compare(const struct entries *old, const struct entries *now, struct named t[3])
{
	size_t i = 0, k = 0;
	int order;

	while (i < old->n || k < now->n) {
		order = i == old->n ? 1 : k == now->n ? -1 : by_name(&old->v[i], &now->v[k]);
		if (order > 0)
			tell(&t[0], now->v[k].name);
		else if (order < 0)
			tell(&t[1], old->v[i].name);
		else if (old->v[i].means != now->v[k].means)
			tell(&t[2], now->v[k].name);
		i += order <= 0;
		k += order >= 0;
	}
}

/* "WHAT: 1 added (a), 7 removed (b, c, d, e, f and 2 more)"; nothing when nothing is different. */
static void
put(const struct entries *old, const struct entries *now, const char *what, struct buf *b)
{
	struct named t[3] = { { .what = "added" }, { .what = "removed" }, { .what = "changed" } };
	const char *between = b->len > 0 ? "; " : "";

	for (size_t i = 0; i < 3; i++)
		buf_init(&t[i].names, 4096);
	compare(old, now, t);
	for (size_t i = 0; i < 3; i++) {
		if (t[i].n > 0) {
			buf_fmt(b, "%s%s%zu %s (%s", between, what, t[i].n, t[i].what,
			    t[i].names.data != NULL ? t[i].names.data : "");
			if (t[i].n > DIFFERENCE_NAMES)
				buf_fmt(b, " and %zu more", t[i].n - DIFFERENCE_NAMES);
			buf_char(b, ')');
			between = ", ";
			what = "";
		}
		buf_free(&t[i].names);
	}
}

void
setup_difference(const struct setup *old, const struct setup *now, struct buf *to)
{
	struct digest *d = digest_new();
	struct entries before = sources_of(d, old), after = sources_of(d, now);
	struct buf line, *b = &line;

	buf_init(b, 1u << 16);
	put(&before, &after, "sources: ", b);
	free(before.v);
	free(after.v);
	before = routes_of(d, old);
	after = routes_of(d, now);
	put(&before, &after, "routes: ", b);
	free(before.v);
	free(after.v);
	if (settings_mean(d, old) != settings_mean(d, now))
		buf_str(b, b->len > 0 ? "; settings changed" : "settings changed");
	buf_str(to, b->len > 0 ? b->data : "nothing is different");
	buf_free(b);
	digest_free(d);
}
