/* What is asked of plugins with a check(): collected while a configuration is read, and what becomes of
 * it once they have answered. */
#include "mem.h"
#include "setup_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAID_MAX	4096		/* bytes of an answer */

/* ---- Collecting ---- */

/* Whether it is to be asked: what is wrong without asking may mislead it. */
static int
wanted(const struct reader *r, const struct instance *in, const struct source *src, size_t mistakes)
{
	return in->plugin != NULL && in->waiting == NULL && r->mistakes->n == mistakes &&
	    (in->plugin->does & DOES_CHECK) != 0 && (src != NULL || !in->asked);
}

void
check_later(struct reader *r, struct instance *in, const struct source *src, int line,
    size_t mistakes)
{
	struct setup *s = r->setup;
	char *where;

	if (!wanted(r, in, src, mistakes))
		return;
	where = src != NULL ? xasprintf("source %s: ", src->name) : xstrdup(r->where);
	if ((s->nchecks & (s->nchecks - 1)) == 0)		/* full at each power of two */
		s->checks = xreallocarray(s->checks, s->nchecks > 0 ? 2 * s->nchecks : 1,
		    sizeof(*s->checks));
	s->checks[s->nchecks++] = (struct check){ .instance = in, .line = line, .file = r->file,
		.source = src != NULL ? (uint32_t)(src - s->sources) : UINT32_MAX,
		.brought = r->brought, .where = keep_text(r, where) };
	in->asked |= src == NULL;
	free(where);
}

void
checks_drop(struct setup *s, size_t had)
{
	while (s->nchecks > had)
		s->checks[--s->nchecks].instance->asked = 0;
}

/* ---- Asking ---- */

void
setup_check_options(const struct setup *s, const struct check *k, uint32_t grants, struct buf *b)
{
	if (k->source != UINT32_MAX)
		setup_source_granted(&s->sources[k->source], grants, b);
	else
		instance_options(k->instance, (grants & CR_SECRETS) != 0, b);
}

void
setup_check_answer(struct setup *s, struct check *k, const char *said, int fault)
{
	struct buf kept, shown;

	k->answered = 1;
	k->fault = fault;
	if (said == NULL)
		return;
	buf_init(&kept, SAID_MAX);
	buf_init(&shown, SAID_MAX);
	setup_keep(k->instance, said, &kept);		/* it may hold the secrets that it was told */
	setup_show(kept.data != NULL ? kept.data : "", &shown);
	k->said = arena_text(&s->memory, shown.data != NULL ? shown.data : "", shown.len);
	buf_free(&kept);
	buf_free(&shown);
}

/* ---- Where an option stands ---- */

/* The line of an option, or of NAME_file, in a map; 0: it is not there. */
static int
line_in(const struct node *map, const char *option)
{
	const struct node *n = map != NULL ? map->child : NULL;
	size_t len = strlen(option);

	for (; n != NULL; n = n->next)
		if (n->key != NULL && strncmp(n->key, option, len) == 0 &&
		    (n->key[len] == '\0' || strcmp(n->key + len, "_file") == 0))
			return n->line;
	return 0;
}

/* The same in the map that begins in `line`, wherever in the tree that is. */
static int
line_below(const struct node *n, int line, const char *option)
{
	int hit = n->kind == CONF_MAP && n->line == line ? line_in(n, option) : 0;

	for (n = n->child; n != NULL && hit == 0; n = n->next)	/* CONF_DEPTH deep at most */
		hit = line_below(n, line, option);
	return hit;
}

/* Where the option stands that an answer begins with; the line of the instance when it names none. */
static int
option_line(const struct check *k, const struct node *tree)
{
	const struct plugin *p = k->instance->plugin;
	char *name = xstrndup(k->said, strcspn(k->said, ": \"")), *preset;
	int line = 0;

	if (tree != NULL && k->source == UINT32_MAX && option_find(p->options, name) != NULL) {
		line = line_below(tree, k->line, name);
		preset = xasprintf("%s_%s", p->kind, p->name);
		if (line == 0 && conf_get(tree, "defaults") != NULL)
			line = line_in(conf_get(conf_get(tree, "defaults"), preset), name);
		free(preset);
	}
	free(name);
	return line != 0 ? line : k->line;
}

/* ---- What becomes of it ---- */

/* The one source, or whatever has these options, waits for another version of the plugin. */
static void
hold(struct setup *s, const struct check *k)
{
	const struct plugin *p = k->instance->plugin;
	struct instance own = { .plugin = p, .name = k->instance->name, .line = k->line }, *in;
	char *why = k->fault ?
	    xasprintf("waiting for plugin %s_%s: its check() of %s:%d failed: %s; `courant reload` "
		"asks it again", p->kind, p->name, k->file, k->line, k->said) :
	    xasprintf("waiting for plugin %s_%s: it does not take what is configured: %s:%d: %s%s",
		p->kind, p->name, k->file, k->line, k->where, k->said);

	in = k->instance;
	if (k->source != UINT32_MAX)
		in = s->sources[k->source].instance = setup_instance(s, &own);
	in->waiting = arena_text(&s->memory, why, strlen(why));
	free(why);
}

static int
is_mistake(const struct setup *s, const struct check *k)
{
	return k->said != NULL && !k->fault && !s->again && !k->brought;
}

static struct node *
tree_again(const struct setup *s)
{
	struct mistakes none;
	struct node *tree;

	mistakes_init(&none);
	tree = conf_parse(s->file, s->text, s->text_len, &none);
	mistakes_free(&none);
	return tree;
}

void
setup_checked(struct setup *s, struct mistakes *m)
{
	struct node *tree = NULL;
	size_t had = m->n;

	for (size_t i = 0; i < s->nchecks; i++) {
		const struct check *k = &s->checks[i];
		int own = strcmp(k->file, s->file) == 0;

		if (k->said != NULL && !is_mistake(s, k))
			hold(s, k);
		if (!is_mistake(s, k))
			continue;
		if (tree == NULL && own)
			tree = tree_again(s);
		mistake(m, k->file, option_line(k, own ? tree : NULL), "%s%s", k->where, k->said);
	}
	if (had == 0 && m->n > 0)
		setup_mistaken(s, m);
	conf_free(tree);
	free(s->checks);
	s->checks = NULL;
	s->nchecks = 0;
}
