/* The versions of a plugin's file: which version replaces which, and the fallback when one
 * fails. */
#include "versions.h"
#include "entry.h"
#include "plugin.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT		12		/* digits of a hash that people are shown */

static void	entry_recall(struct entry *);

/* Puts another version in use (NULL: none) and reports the change. */
static void
entry_use(struct entry *e, struct plugin *now)
{
	struct catalog *c = e->catalog;
	struct plugin *before = e->use;

	e->use = now;
	if (entry_fine(now) && e->since == 0)
		entry_since(e, c->round);
	if (now != NULL && !now->removed)
		now->since = e->since;
	if (c->changed != NULL && before != now)
		c->changed(before, now, c->arg);
}

static void
save(struct catalog *c)
{
	if (c->history != NULL && c->base != NULL)
		history_save(c->history, c->base);
}

static void
entry_state(struct entry *e, enum catalog_state state, const char *why, const char *bad)
{
	struct history_entry *k = entry_history(e);
	char *kept = why != NULL ? xstrdup(why) : NULL;	/* why may be e->why itself */

	e->state = state;
	e->doubted = 0;
	free(e->why);
	e->why = kept;
	if (k == NULL || state == CATALOG_TRIAL)
		return;
	snprintf(k->bad, sizeof(k->bad), "%s", bad);
	xreplace(&k->why, why);
	save(e->catalog);
}

/* ---- Versions that replace each other ---- */

static void
good_set(struct entry *e, const struct plugin *p, int proven)
{
	struct history_entry *k = entry_history(e);

	if (k == NULL || (strcmp(k->good, p->hash) == 0 && k->proven == proven))
		return;
	snprintf(k->good, sizeof(k->good), "%s", p->hash);
	k->proven = proven;
	save(e->catalog);
}

/* Whether version p must do a job before the version before it is dropped. */
static int
on_trial(const struct entry *e, const struct plugin *p)
{
	const struct history_entry *k = entry_history(e);

	return k != NULL && k->proven && k->good[0] != '\0' && strcmp(k->good, p->hash) != 0;
}

void
entry_take(struct entry *e, struct plugin *p)
{
	struct plugin *before = entry_fine(e->use) ? e->use : NULL;
	const struct history_entry *k = entry_history(e);
	const struct entry *first = entry_named(e->catalog, p->kind, p->name);

	entry_retire(e->catalog, e->other);
	e->other = NULL;
	e->trusted = 0;
	p->watched = 1;
	if (before != NULL)
		log_info("plugin %s_%s: version %s (%.*s) is replaced by %s (%.*s)", p->kind, p->name,
		    before->version, SHORT, before->hash, p->version, SHORT, p->hash);
	else if (e->catalog->changed != NULL && (first == NULL || first == e))
		log_info("plugin %s_%s %s is there: %s", p->kind, p->name, p->version, p->file);
	if (on_trial(e, p)) {
		entry_state(e, CATALOG_TRIAL, NULL, "");
		e->other = before;
	} else {
		entry_state(e, CATALOG_PLAIN, NULL, "");
		entry_retire(e->catalog, before);
		good_set(e, p, k != NULL && k->proven && strcmp(k->good, p->hash) == 0);
	}
	if (before == NULL)
		entry_retire(e->catalog, e->use);
	entry_use(e, p);
}

/* Whether a retry was refused for the same reason as before: this is not reported again. */
static int
refused_same(const struct entry *e, const struct plugin *p)
{
	const char *before = e->state == CATALOG_BACK ? e->why : e->use != NULL ? e->use->error :
	    NULL;

	return p->passing && before != NULL && strcmp(before, p->error) == 0;
}

/* The version that is not to be tried again; "": the daemon lacked resources, try it again. */
static const char *
bad_of(const struct plugin *p)
{
	return p->passing ? "" : p->hash;
}

/* After a refused version, the version before stays in use. Not if others can write the file: then
 * the plugin stops until the operator has checked the file. */
void
entry_refuse(struct entry *e, struct plugin *p)
{
	const struct history_entry *k = entry_history(e);

	if (refused_same(e, p)) {
		entry_retire(e->catalog, p);
		return;
	}
	log_warn("%s: %s", p->file, p->error);
	entry_retire(e->catalog, e->other);
	e->other = NULL;
	if (entry_fine(e->use) && !p->unsafe) {
		log_warn("plugin %s_%s: version %s (%.*s) goes on", e->use->kind, e->use->name,
		    e->use->version, SHORT, e->use->hash);
		entry_state(e, CATALOG_BACK, p->error, bad_of(p));
		entry_retire(e->catalog, p);
		return;
	}
	entry_retire(e->catalog, e->use);
	entry_use(e, p);
	e->state = CATALOG_PLAIN;
	if (!p->unsafe && k != NULL && k->good[0] != '\0' && strcmp(k->good, p->hash) != 0) {
		xreplace(&e->why, p->error);
		entry_recall(e);
	}
}

void
entry_leave(struct entry *e)
{
	struct plugin *before = e->use;

	entry_use(e, NULL);
	e->use = before;
	entry_since(e, 0);
	entry_drop(e);
}

void
entry_gone(struct entry *e)
{
	struct plugin *before = e->use;

	if (before == NULL || (before->error != NULL && !before->removed)) {
		entry_leave(e);
		return;
	}
	if (before->removed)
		return;
	log_info("plugin %s_%s: its file %s was removed", before->kind, before->name, e->file);
	entry_retire(e->catalog, e->other);
	e->other = NULL;
	entry_state(e, CATALOG_PLAIN, NULL, "");
	entry_retire(e->catalog, before);
	entry_use(e, plugin_removed(before));
	entry_since(e, 0);
}

/* Puts `now` in use; the version in use becomes `other`. */
static void
entry_swap(struct entry *e, struct plugin *now)
{
	struct plugin *before = e->use;

	e->other = before;
	now->watched = 1;
	entry_use(e, now);
}

static void
went_back(struct entry *e, struct plugin *p)
{
	char *why = xstrdup(e->why != NULL ? e->why : "it failed");
	struct plugin *failed = e->use;

	log_warn("plugin %s_%s: gone back to version %s (%.*s), since %.*s %s: %s", p->kind, p->name,
	    p->version, SHORT, p->hash, SHORT,
	    failed->hash[0] != '\0' ? failed->hash : "the file", failed->error != NULL ?
	    "is refused" : "failed", why);
	entry_swap(e, p);
	entry_state(e, CATALOG_BACK, why, bad_of(failed));
	e->doubted = entry_fine(failed);
	if (!entry_fine(failed)) {
		entry_retire(e->catalog, e->other);
		e->other = NULL;
	}
	free(why);
}

/* The copy of the good version has been described. */
static void
recalled(enum inspect_end how, struct plugin *p, const struct stamp *st, void *arg)
{
	struct entry *e = arg;
	struct history_entry *k = entry_history(e);

	(void)how;
	(void)st;
	e->recall = NULL;
	entry_check(e, p);
	e->catalog->busy--;
	catalog_kick(e->catalog, 0);
	if (p->error == NULL && e->use != NULL) {
		went_back(e, p);
		return;
	}
	if (p->error == NULL) {		/* the file's version failed before the restart */
		char *why = xstrdup(k->why != NULL ? k->why : "it failed"), *bad = xstrdup(k->bad);

		log_warn("plugin %s_%s: version %s (%.*s) is used, since %.*s failed: %s", p->kind,
		    p->name, p->version, SHORT, p->hash, SHORT, bad, why);
		entry_use(e, p);
		entry_state(e, CATALOG_BACK, why, bad);
		free(why);
		free(bad);
		return;
	}
	log_warn("%s: its last good version cannot be used: %s", e->file, p->error);
	plugin_free(p);
	k->good[0] = k->bad[0] = '\0';
	k->proven = 0;
	e->trusted = 1;
	if (e->use == NULL)
		e->wanted = 1;
}

static void
entry_recall(struct entry *e)
{
	static const struct inspect_use use = { NULL, recalled };
	struct catalog *c = e->catalog;

	if (e->recall != NULL)
		return;
	e->recall = inspect_again(c->base, e->file, c->copies, entry_history(e)->good, &use, e);
	c->busy++;
}

/* Whether the file's version needs no description: it is in use, or the history says that it
 * failed. */
int
entry_knows(const char *hash, void *arg)
{
	const struct entry *e = arg;
	const struct history_entry *k = entry_history(e);

	if (entry_fine(e->use) && strcmp(e->use->hash, hash) == 0)
		return 1;
	return k != NULL && k->bad[0] != '\0' && strcmp(k->bad, hash) == 0 && k->good[0] != '\0' &&
	    (e->use == NULL || (entry_fine(e->use) && e->state == CATALOG_BACK));
}

/* The file holds the version in use, or the one that failed. */
void
entry_same(struct entry *e)
{
	struct history_entry *k = entry_history(e);

	if (e->use == NULL)
		entry_recall(e);
	else if (e->state == CATALOG_BACK && (k == NULL || k->bad[0] == '\0')) {
		log_info("%s is again the version that is used", e->file);
		entry_retire(e->catalog, e->other);
		e->other = NULL;
		entry_state(e, CATALOG_PLAIN, NULL, "");
	}
}

/* ---- Jobs ---- */

static void
did_well(struct entry *e)
{
	if (e->state == CATALOG_TRIAL) {
		log_info("plugin %s_%s: version %s (%.*s) works", e->use->kind, e->use->name,
		    e->use->version, SHORT, e->use->hash);
		entry_retire(e->catalog, e->other);
		e->other = NULL;
		entry_state(e, CATALOG_PLAIN, NULL, "");
	} else if (e->state == CATALOG_BACK) {
		entry_retire(e->catalog, e->other);	/* this version was to blame */
		e->other = NULL;
	}
	e->doubted = 0;
	e->use->watched = 0;
	good_set(e, e->use, 1);
}

/* The version before fails as well, so the new one was not to blame: puts it in use again. */
static void
go_forward(struct entry *e)
{
	struct plugin *p = e->other;

	log_warn("plugin %s_%s: version %s (%.*s) fails as well: %s (%.*s) is used again", p->kind,
	    p->name, e->use->version, SHORT, e->use->hash, p->version, SHORT, p->hash);
	entry_swap(e, p);
	entry_state(e, CATALOG_TRIAL, NULL, "");
	entry_state(e, CATALOG_PLAIN, NULL, "");
	e->trusted = 1;
	entry_retire(e->catalog, e->other);
	e->other = NULL;
}

int
catalog_job(struct catalog *c, const struct plugin *p, enum job_how how, const char *why)
{
	struct entry *e = NULL;

	if (p == NULL || !p->watched)
		return 0;
	for (size_t i = 0; i < c->n && e == NULL; i++)
		if (c->v[i]->use == p)
			e = c->v[i];
	if (e == NULL)
		return 0;
	if (how == JOB_WELL) {
		if (e->recall == NULL)
			did_well(e);
		return 0;
	}
	if (e->state == CATALOG_TRIAL && !e->trusted) {
		xreplace(&e->why, why);
		if (e->other != NULL)
			went_back(e, e->other);
		else
			entry_recall(e);
		return 1;
	}
	if (e->state == CATALOG_BACK && e->doubted && e->other != NULL) {
		go_forward(e);
		return 1;
	}
	return 0;
}
