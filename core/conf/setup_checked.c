/* The check() of plugins: the options they get, their answers, and the lines of mistakes. */
#include "setup_checked.h"
#include "setup_secret.h"
#include "setup_template.h"
#include "base/mem.h"
#include "catalog/plugin.h"

#include <stdlib.h>
#include <string.h>

#define SAID_MAX	4096		/* bytes of an answer */

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
	secret_mark(k->instance, said, &kept);		/* the plugin may repeat its secrets */
	secret_shown(kept.data != NULL ? kept.data : "", &shown);
	k->said = arena_text(&s->memory, shown.data != NULL ? shown.data : "", shown.len);
	buf_free(&kept);
	buf_free(&shown);
}

/* ---- The line of an option ---- */

/* The line of the option's member that an answer is about, which is the longest that it repeats;
 * else the option's own line. */
static int
line_member(const struct node *n, const char *said)
{
	const char *text;
	int line = n->line;
	size_t best = 0;

	for (const struct node *item = n->child; item != NULL; item = item->next) {
		text = item->key != NULL ? item->key : item->text;
		if (text == NULL || strlen(text) <= best || strstr(said, text) == NULL)
			continue;
		best = strlen(text);
		line = item->line;
	}
	return line;
}

/* The line of an option, of NAME_file, or of a member of a map as in `auth: { bearer: x }`; 0: the
 * map has no such option. */
static int
line_in(const struct node *map, const char *option, const char *said)
{
	const struct node *n = map != NULL ? map->child : NULL;
	size_t len;
	int line;

	for (; n != NULL; n = n->next) {
		len = n->key != NULL ? strlen(n->key) : 0;
		if (len == 0 ||
		    strncmp(n->key, option, len < strlen(option) ? len : strlen(option)) != 0)
			continue;
		if (strcmp(n->key, option) == 0)
			return line_member(n, said);
		if (len == strlen(option) + 5 && strcmp(n->key + len - 5, "_file") == 0)
			return n->line;
		if (len < strlen(option) && option[len] == '_' && n->kind == CONF_MAP &&
		    (line = line_in(n, option + len + 1, said)) != 0)
			return line;
	}
	return 0;
}

/* The same in the map that begins in `line`, searched for in the tree below n. */
static int
line_below(const struct node *n, int line, const char *option, const char *said)
{
	int hit = n->kind == CONF_MAP && n->line == line ? line_in(n, option, said) : 0;

	for (n = n->child; n != NULL && hit == 0; n = n->next)	/* CONF_DEPTH deep at most */
		hit = line_below(n, line, option, said);
	return hit;
}

/* The line of the option whose name an answer begins with; without one, that of the instance. */
static int
option_line(const struct check *k, const struct node *tree)
{
	const struct plugin *p = k->instance->plugin;
	char *name = xstrndup(k->said, strcspn(k->said, ": \"")), *preset;
	int line = 0;

	if (tree != NULL && k->source == UINT32_MAX && option_find(p->options, name) != NULL) {
		line = line_below(tree, k->line, name, k->said);
		preset = xasprintf("%s_%s", p->kind, p->name);
		if (line == 0 && conf_get(tree, "defaults") != NULL)
			line = line_in(conf_get(conf_get(tree, "defaults"), preset), name,
			    k->said);
		free(preset);
	}
	free(name);
	return line != 0 ? line : k->line;
}

/* ---- Results ---- */

/* Makes the one source, or all that use the instance, wait for another version of the plugin. */
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
