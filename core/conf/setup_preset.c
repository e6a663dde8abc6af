/* Reads `defaults`: options given once for all instances of a plugin. */
#include "setup_preset.h"
#include "setup_instance.h"
#include "setup_sink.h"
#include "setup_value.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[] = { "source", "filter", "sink" };

/* Options of sources in `defaults`, besides the plugin's; those of sinks are sink_own. */
static const struct cr_option source_preset[] = {
	{ "every", CR_STRING, 0, "", NULL, NULL },
	{ "pages", CR_INT, 0, "", "1..1000", NULL },
	{ "hour_records", CR_INT, 0, "", "1..", NULL },
	{ "hour_bytes", CR_SIZE, 0, "", "1 kB..", NULL },
	{ "strip_trackers", CR_BOOL, 0, "no", NULL, NULL },
	{ "weight", CR_NUMBER, 0, "1", "0..1000", NULL },
	{ "counters", CR_BOOL, 0, "no", NULL, NULL },
	CR_END
};
/* For the plugin's default sources alone, not for configured ones. */
static const struct cr_option start_preset[] = {
	{ "autostart", CR_BOOL, 0, "yes", NULL, NULL },
	CR_END
};

static void
preset_fill(struct setup_reader *r, const struct node *n, struct preset *p)
{
	const struct cr_option *own[] = { source_preset, NULL, sink_own };
	const struct node *child;
	size_t kind, len = 0;
	int known;

	for (kind = 0; kind < 3; kind++) {
		len = strlen(kinds[kind]);
		if (strncmp(n->key, kinds[kind], len) == 0 && n->key[len] == '_')
			break;
	}
	*p = (struct preset){ .name = n->key };
	if (kind == 3) {
		wrong(r, n->line, "`%s` names no plugin: say source_NAME, filter_NAME or sink_NAME",
		    n->key);
		return;
	}
	instance_begin(r, &p->instance, kinds[kind], n->key + len + 1, n->line);
	if (p->instance.waiting != NULL && r->catalog != NULL)
		log_warn("%s:%d: defaults: %s", r->file, n->line, p->instance.waiting);
	if (!is_map(r, n, n->key))
		return;
	snprintf(r->where, sizeof(r->where), "defaults of %.100s: ", n->key);
	r->inline_secret = 0;
	for (child = n->child; child != NULL; child = child->next) {
		known = instance_value(r, &p->instance, own[kind], child, &p->own);
		known |= kind == 0 && value_read(r, start_preset, child, &p->start);
		if (!known && p->instance.plugin != NULL)
			value_unknown(r, child, own[kind], plugin_options(&p->instance));
	}
	p->instance.inline_secret = r->inline_secret;
	r->where[0] = '\0';
}

static void
preset_read(struct setup_reader *r, const struct node *n, struct preset *p)
{
	struct attempt a;

	attempt_begin(r, &a);
	preset_fill(r, n, p);
	if (attempt_failed(r, &a))
		p->held = r->held;
	r->held = NULL;
}

void
presets_read(struct setup_reader *r, const struct node *map)
{
	const struct node *n;

	if (map == NULL || !is_map(r, map, "defaults"))
		return;
	for (n = map->child; n != NULL; n = n->next) {
		r->presets = xreallocarray(r->presets, r->npresets + 1, sizeof(*r->presets));
		preset_read(r, n, &r->presets[r->npresets++]);
	}
}
