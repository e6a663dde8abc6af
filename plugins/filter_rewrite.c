/* filter_rewrite: changes fields of records for its route: sets them from templates, puts text before
 * and behind, replaces, adds categories, leaves fields out. */
#include "sift/sift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPLACED_MAX	10000		/* places of one text that are replaced */
#define REPLACE_MS	2000		/* of CPU for one text */

/* How a template changes its field. */
enum how { SET, PREFIX, SUFFIX, HOWS };
struct change {
	enum how	 how;
	char		*name;
	struct field	 field;
	struct template	 to;
};
struct rules {
	struct change	*change;
	size_t		 nchange;
	struct field	*in, *unset;
	size_t		 nin, nunset;
	struct pattern	*find;
	struct template	*category;
	size_t		 ncategory;
	struct texts	 texts;
};
struct rewrite {
	const char *const	*set, *const *prefix, *const *suffix, *const *in;
	const char		*find, *with;
	const char *const	*category, *const *unset;
	struct rules		*rules;		/* ours */
};

static const struct cr_option options[] = {
	CR_OPTION(struct rewrite, set, LIST, "", NULL, "FIELD=TEMPLATE: what a field becomes"),
	CR_OPTION(struct rewrite, prefix, LIST, "", NULL, "FIELD=TEMPLATE: put before a field"),
	CR_OPTION(struct rewrite, suffix, LIST, "", NULL, "FIELD=TEMPLATE: put behind a field"),
	CR_OPTION(struct rewrite, in, LIST, "title", NULL, "fields in which `find` is replaced"),
	CR_OPTION(struct rewrite, find, STRING, "", NULL, "a word, a phrase, re:PATTERN"),
	CR_OPTION(struct rewrite, with, STRING, "", NULL,
	    "what takes its place; $1 is the first group"),
	CR_OPTION(struct rewrite, category, LIST, "", NULL, "categories that are added"),
	CR_OPTION(struct rewrite, unset, LIST, "", NULL, "fields and extras that are left out"),
	CR_END
};
static const char *const how_names[HOWS] = { "set", "prefix", "suffix" };

/* ---- Reading the options ---- */

/* What can be written to: no list, none that the host keeps. */
static int
writable(const struct field *f)
{
	static const int kept[] = { CR_ID, CR_GUID, CR_SOURCE, CR_SEEN };
	size_t i;

	if (f->extra != NULL)
		return 1;
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (f->first == kept[i])
			return 0;
	return !f->list && f->second == 0;
}

static int
target_read(struct field *f, const char *name, char why[SIFT_WHY])
{
	if (field_read(f, name, why) == -1)
		return -1;
	if (writable(f))
		return 0;
	snprintf(why, SIFT_WHY, "`%.100s` cannot be changed%s", name,
	    f->first == CR_CATEGORY ? "; `category: [...]` adds to it" : "");
	return -1;
}

/* FIELD=TEMPLATE. */
static int
change_add(struct rules *r, enum how how, const char *text, char why[SIFT_WHY])
{
	const char *equals = strchr(text, '=');
	struct change *c = reallocarray(r->change, r->nchange + 1, sizeof(*c));

	if (c == NULL) {
		snprintf(why, SIFT_WHY, "no memory");
		return -1;
	}
	r->change = c;
	c += r->nchange;
	*c = (struct change){ .how = how };
	if (equals == NULL || equals == text) {
		snprintf(why, SIFT_WHY, "`%.100s` names no field; say %s: { title: \"...\" }", text,
		    how_names[how]);
		return -1;
	}
	c->name = strndup(text, (size_t)(equals - text));
	r->nchange++;
	if (c->name == NULL) {
		snprintf(why, SIFT_WHY, "no memory");
		return -1;
	}
	if (target_read(&c->field, c->name, why) == -1)
		return -1;
	return template_read(&c->to, equals + 1, why);
}

static int
changes_read(struct rules *r, enum how how, const char *const *list, char why[SIFT_WHY])
{
	for (; *list != NULL; list++)
		if (change_add(r, how, *list, why) == -1)
			return -1;
	return 0;
}

static int
targets_read(struct field **f, size_t *n, const char *const *list, char why[SIFT_WHY])
{
	size_t i;

	if ((*f = fields_read(list, n, why)) == NULL)
		return -1;
	for (i = 0; i < *n; i++)
		if (target_read(&(*f)[i], list[i], why) == -1)
			return -1;
	return 0;
}

static int
ascii_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* A word or a phrase as a pattern: whole, with any white space between words. malloc()ed; or NULL. */
static char *
phrase(const char *text)
{
	struct made m = { 0 };

	if (ascii_word(*text))
		made_add(&m, "(?<!\\w)", 7);
	for (; *text != '\0'; text++) {
		if (*text == ' ')
			made_add(&m, "\\s+", 3);
		else if (!ascii_word(*text) && (unsigned char)*text < 0x80)
			made_add(&m, (char []){ '\\', *text }, 2);
		else
			made_add(&m, text, 1);
	}
	if (ascii_word(text[-1]))
		made_add(&m, "(?!\\w)", 6);
	return m.text;
}

static int
find_read(struct rules *r, const char *find, char why[SIFT_WHY])
{
	char *made = NULL, wrong[SIFT_WHY] = "no memory";
	const char *re = find + 3;

	if (strcmp(find, "re:") == 0) {
		snprintf(why, SIFT_WHY, "re: has no pattern behind it");
		return -1;
	}
	if (strncmp(find, "re:", 3) != 0)
		re = made = phrase(find);
	r->find = re != NULL ? pattern_new(re, wrong) : NULL;
	free(made);
	if (r->find == NULL)
		snprintf(why, SIFT_WHY, "%.200s: %.150s", find, wrong);
	return r->find != NULL ? 0 : -1;
}

/* Whether all $N of `with` are groups of the pattern. */
static int
with_read(const struct rules *r, const char *with, char why[SIFT_WHY])
{
	for (; (with = strchr(with, '$')) != NULL; with += 2) {
		if (with[1] == '$')
			continue;
		if (with[1] < '0' || with[1] > '9') {
			snprintf(why, SIFT_WHY, "a $ stands before a digit; alone it is $$");
			return -1;
		}
		if ((size_t)(with[1] - '0') > pattern_groups(r->find)) {
			snprintf(why, SIFT_WHY, "$%c: `find` has %zu groups", with[1],
			    pattern_groups(r->find));
			return -1;
		}
	}
	return 0;
}

static int
categories_read(struct rules *r, const char *const *list, char why[SIFT_WHY])
{
	size_t n;

	for (n = 0; list[n] != NULL; n++)
		;
	if ((r->category = calloc(n + 1, sizeof(*r->category))) == NULL) {
		snprintf(why, SIFT_WHY, "no memory");
		return -1;
	}
	for (; *list != NULL; list++)
		if (template_read(&r->category[r->ncategory++], *list, why) == -1)
			return -1;
	return 0;
}

/* The option that is wrong, or NULL. */
static const char *
rules_read(void *rules, const void *opts, char why[SIFT_WHY])
{
	const struct rewrite *o = opts;
	struct rules *r = rules;
	const char *const *const lists[HOWS] = { o->set, o->prefix, o->suffix };
	int how;

	for (how = 0; how < HOWS; how++)
		if (changes_read(r, (enum how)how, lists[how], why) == -1)
			return how_names[how];
	if (targets_read(&r->in, &r->nin, o->in, why) == -1)
		return "in";
	if (o->find != NULL && find_read(r, o->find, why) == -1)
		return "find";
	if (o->with != NULL && o->find == NULL) {
		snprintf(why, SIFT_WHY, "there is no `find` that says what it takes the place of");
		return "with";
	}
	if (o->with != NULL && with_read(r, o->with, why) == -1)
		return "with";
	if (categories_read(r, o->category, why) == -1)
		return "category";
	if (targets_read(&r->unset, &r->nunset, o->unset, why) == -1)
		return "unset";
	if (r->nchange == 0 && r->find == NULL && r->ncategory == 0 && r->nunset == 0) {
		snprintf(why, SIFT_WHY, "there is nothing to change; give set, prefix, suffix, "
		    "find, category or unset");
		return "set";
	}
	return NULL;
}

static void
rules_clear(void *rules)
{
	struct rules *r = rules;
	size_t i;

	for (i = 0; i < r->nchange; i++) {
		free(r->change[i].name);
		template_free(&r->change[i].to);
	}
	for (i = 0; i < r->ncategory; i++)
		template_free(&r->category[i]);
	free(r->change);
	free(r->category);
	free(r->in);
	free(r->unset);
	pattern_free(r->find);
	texts_free(&r->texts);
}

static const struct rules_kind kind = {
	sizeof(struct rules), offsetof(struct rewrite, rules), rules_read, rules_clear
};
RULES_PLUGIN(kind)

/* ---- Changing ---- */

static const char *
value(struct cr *cr, const struct cr_record *rec, const struct field *f)
{
	const char *text = f->extra != NULL ? cr->get_extra(rec, f->extra) :
	    cr->get(rec, f->first, 0);

	return text != NULL ? text : "";
}

static void
put(struct cr *cr, struct cr_record *rec, const struct field *f, const char *text)
{
	if (f->extra != NULL)
		cr->set_extra(rec, f->extra, text);
	else
		cr->set(rec, f->first, text);
}

static int
change(struct cr *cr, struct rules *r, const struct change *c, struct cr_record *rec)
{
	const char *before = value(cr, rec, &c->field);
	struct made m = { 0 };
	int over;

	if (c->how == SUFFIX)
		made_add(&m, before, strlen(before));
	template_put(&m, &c->to, &r->texts, c->field.html);
	if (c->how == PREFIX)
		made_add(&m, before, strlen(before));
	over = m.over;
	if (!over)
		put(cr, rec, &c->field, m.len > 0 ? m.text : "");
	made_free(&m);
	return over ? cr->fail(cr, CR_REJECTED, "%s: %s would be over %u bytes",
	    how_names[c->how], c->name, SIFT_MADE) : 0;
}

/* Adds `with`, its $N filled in from the match in s. */
static void
put_with(struct made *m, const struct pattern *p, const char *with, const char *s, int html)
{
	size_t n, begin, end;

	for (; *with != '\0'; with += n) {
		if (*with != '$') {
			n = strcspn(with, "$");
			if (html)
				made_escaped(m, with, n);
			else
				made_add(m, with, n);
			continue;
		}
		n = 2;
		if (with[1] == '$')
			made_add(m, "$", 1);
		else if (pattern_group(p, (size_t)(with[1] - '0'), &begin, &end))
			made_add(m, s + begin, end - begin);
	}
}

/* What is left for the text at hand. */
struct budget { int places; clock_t stop; };

/* Adds a text with its matches replaced; html: a text between tags, escaped as it is. -1: it was
 * given up. */
static int
replace(struct made *m, const struct rewrite *o, const char *s, size_t len, int html,
    struct budget *left)
{
	struct pattern *p = o->rules->find;
	size_t at = 0, begin, end;
	int rc = 0;

	while (at <= len && (rc = pattern_find(p, s, len, at, &begin, &end)) == 1) {
		if (begin < at || left->places-- == 0 || clock() > left->stop)
			return -1;
		made_add(m, s + at, begin - at);
		put_with(m, p, o->with != NULL ? o->with : "", s, html);
		at = end;
		if (begin < end)
			continue;
		do			/* of nothing: the next is looked for behind a character */
			if (at < len)
				made_add(m, s + at, 1);
		while (++at < len && ((unsigned char)s[at] & 0xc0) == 0x80);
	}
	if (at < len)
		made_add(m, s + at, len - at);
	return rc == -1 || m->over ? -1 : 0;
}

/* The texts between the tags, each by itself. */
static int
replace_html(struct made *m, const struct rewrite *o, const char *s, struct budget *left)
{
	size_t n;

	for (; *s != '\0'; s += n) {
		n = strcspn(s, *s == '<' ? ">" : "<");
		if (*s == '<') {
			n += s[n] == '>';
			made_add(m, s, n);
		} else if (replace(m, o, s, n, 1, left) == -1)
			return -1;
	}
	return 0;
}

/* 1: something was replaced; -1: fail() was called. */
static int
replace_in(struct cr *cr, const struct rewrite *o, const struct field *f, struct cr_record *rec)
{
	struct budget left = { REPLACED_MAX, clock() + REPLACE_MS * (CLOCKS_PER_SEC / 1000) };
	const char *before = value(cr, rec, f);
	struct made m = { 0 };
	int rc = f->html ? replace_html(&m, o, before, &left) :
	    replace(&m, o, before, strlen(before), 0, &left);

	if (rc == -1) {
		cr->fail(cr, CR_BAD_DATA, "find: %.200s is too much work on the %zu bytes of %.60s",
		    o->find, strlen(before), f->name);
	} else if (left.places < REPLACED_MAX) {
		put(cr, rec, f, m.len > 0 ? m.text : "");
		rc = 1;
	}
	made_free(&m);
	return rc;
}

/* Adds a category that the record does not have yet. */
static int
add_category(struct cr *cr, struct rules *r, const struct template *t, struct cr_record *rec)
{
	struct made m = { 0 };
	const char *has;
	size_t nth;

	template_put(&m, t, &r->texts, 0);
	for (nth = 0; (has = cr->get(rec, CR_CATEGORY, nth)) != NULL; nth++)
		if (m.len > 0 && strcmp(has, m.text) == 0)
			break;
	if (has == NULL && m.len > 0)
		cr->set(rec, CR_CATEGORY, m.text);
	made_free(&m);
	return has == NULL;
}

/* ---- The verdict ---- */

struct done { char text[SIFT_WHY]; size_t len; };

static void
done_add(struct done *d, const char *option, const char *what)
{
	int n;

	if (d->len >= sizeof(d->text) - 1)
		return;
	n = snprintf(d->text + d->len, sizeof(d->text) - d->len, "%s%s: %.60s",
	    d->len > 0 ? "; " : "", option, what);
	d->len += n > 0 ? (size_t)n : 0;
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	struct rewrite *o = opts;
	struct rules *r = o->rules;
	struct done d = { .len = 0 };
	size_t i;
	int rc;

	r->texts.cr = cr;
	r->texts.rec = rec;
	for (i = 0; i < r->nchange; i++) {
		if (change(cr, r, &r->change[i], rec) == -1)
			return -1;
		done_add(&d, how_names[r->change[i].how], r->change[i].name);
	}
	for (i = 0; i < r->nin && r->find != NULL; i++) {
		if ((rc = replace_in(cr, o, &r->in[i], rec)) == -1)
			return -1;
		if (rc == 1)
			done_add(&d, "find", r->in[i].name);
	}
	for (i = 0; i < r->ncategory; i++)
		if (add_category(cr, r, &r->category[i], rec))
			done_add(&d, "category", o->category[i]);
	for (i = 0; i < r->nunset; i++) {
		put(cr, rec, &r->unset[i], "");
		done_add(&d, "unset", r->unset[i].name);
	}
	return cr->verdict(cr, CR_KEEP, "%s", d.len > 0 ? d.text : "nothing to change");
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .needs = 1, .name = "rewrite", .version = "1",
	.help = "changes fields of records for its route",
	.options = options, .options_size = sizeof(struct rewrite),
	.check = filter_check, .open = filter_open, .close = filter_close, .filter = filter,
};
