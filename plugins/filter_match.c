/* filter_match: keeps the records whose texts hold words, phrases or regular expressions, whose
 * numbers are large or small enough, and whose age is right. */
#include "sift/sift.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX		900		/* bytes of a verdict's words */
#define WHERE_MAX	100		/* conditions of one filter */

/* As their options stand, in the order in which they are asked about. */
enum which { ANY, ALL, NONE, GROUPS };
enum { FOUND = 1, GAVE_UP = 2 };	/* in group.seen */

/* One of the lists, and what is known of it about the record at hand. */
struct group {
	const char		*option;
	struct terms		 words;
	struct pattern		**re;
	const char		**re_name;
	size_t			 nre;
	char			*seen;		/* of each word, then each pattern; all: its hits */
	size_t			 left;		/* that were not found */
	char			 hit[SIFT_WHY];	/* the first; "": none */
	char			 gave_up[SIFT_WHY];
};
struct rules {
	struct field		*fields;
	size_t			 nfields;
	struct group		 group[GROUPS];
	struct where		*where;
	size_t			 nwhere;
	struct texts		 texts;
	struct folded		 folded;
};
struct match {
	const char *const	*in, *const *any, *const *all, *const *none, *const *where;
	int64_t			 newer, older;
	int			 accents, unmet, missing;
	struct rules		*rules;		/* ours */
};

static const struct cr_option options[] = {
	CR_OPTION(struct match, in, LIST, "title|summary|content", NULL,
	    "fields and extras that are looked into"),
	CR_OPTION(struct match, any, LIST, "", NULL,
	    "words, phrases, re:PATTERN of which one has to be there"),
	CR_OPTION(struct match, all, LIST, "", NULL, "the same: all have to be there"),
	CR_OPTION(struct match, none, LIST, "", NULL, "the same: none may be there"),
	CR_OPTION(struct match, accents, BOOL, "yes", NULL,
	    "whether cafe and caf\303\251 are different words"),
	CR_OPTION(struct match, where, LIST, "", NULL,
	    "conditions on numbers, such as votes >= 10; all have to hold"),
	CR_OPTION(struct match, unmet, ENUM, "drop", "drop|wait",
	    "what becomes of a record for which they do not hold"),
	CR_OPTION(struct match, missing, ENUM, "unmet", "drop|keep|wait|unmet",
	    "the same when it has no such number"),
	CR_OPTION(struct match, newer, DURATION, "", "0..", "its age, at most"),
	CR_OPTION(struct match, older, DURATION, "", "0..", "its age, at least"),
	CR_END
};
static const char *const option_of[GROUPS] = { "any", "all", "none" };

/* ---- Reading the options ---- */

static void
group_free(struct group *g)
{
	size_t i;

	terms_free(&g->words);
	for (i = 0; i < g->nre; i++)
		pattern_free(g->re[i]);
	free(g->re);
	free(g->re_name);
	free(g->seen);
}

static void
rules_clear(void *rules)
{
	struct rules *r = rules;
	size_t i;

	for (i = 0; i < GROUPS; i++)
		group_free(&r->group[i]);
	for (i = 0; i < r->nwhere; i++)
		free(r->where[i].name);
	free(r->where);
	free(r->fields);
	texts_free(&r->texts);
	fold_free(&r->folded);
}

static int
pattern_add(struct group *g, const char *name, char why[SIFT_WHY])
{
	char wrong[SIFT_WHY];

	if (g->nre == SIFT_PATTERNS) {
		snprintf(why, SIFT_WHY, "more than %d patterns", SIFT_PATTERNS);
		return -1;
	}
	if (name[3] == '\0') {
		snprintf(why, SIFT_WHY, "re: has no pattern behind it");
		return -1;
	}
	if ((g->re[g->nre] = pattern_new(name + 3, wrong)) == NULL) {
		snprintf(why, SIFT_WHY, "%.200s: %.150s", name, wrong);
		return -1;
	}
	g->re_name[g->nre++] = name;
	return 0;
}

static int
group_read(struct group *g, const char *const *list, int accents, char why[SIFT_WHY])
{
	size_t n, i;
	int rc = 0;

	for (n = 0; list[n] != NULL; n++)
		;
	g->words.accents = accents;
	g->re = calloc(n + 1, sizeof(struct pattern *));
	g->re_name = calloc(n + 1, sizeof(*g->re_name));
	g->seen = calloc(n + 1, 1);
	if (g->re == NULL || g->re_name == NULL || g->seen == NULL) {
		snprintf(why, SIFT_WHY, "the list has no room in memory");
		return -1;
	}
	for (i = 0; i < n && rc == 0; i++)
		rc = strncmp(list[i], "re:", 3) == 0 ? pattern_add(g, list[i], why) :
		    terms_add(&g->words, list[i], why);
	if (rc == 0 && (rc = terms_ready(&g->words)) == -1)
		snprintf(why, SIFT_WHY, "the list has no room in memory");
	return rc;
}

static int
where_all(struct rules *r, const char *const *list, char why[SIFT_WHY])
{
	if ((r->where = calloc(WHERE_MAX, sizeof(*r->where))) == NULL) {
		snprintf(why, SIFT_WHY, "the list has no room in memory");
		return -1;
	}
	for (; *list != NULL; list++, r->nwhere++) {
		if (r->nwhere == WHERE_MAX) {
			snprintf(why, SIFT_WHY, "more than %d conditions", WHERE_MAX);
			return -1;
		}
		if (where_read(&r->where[r->nwhere], *list, why) == -1)
			return -1;
	}
	return 0;
}

/* The option that is wrong, or NULL; why without its name. */
static const char *
rules_read(void *rules, const void *opts, char why[SIFT_WHY])
{
	const struct match *o = opts;
	struct rules *r = rules;
	const char *const *const lists[GROUPS] = { o->any, o->all, o->none };
	size_t i;

	for (i = 0; i < GROUPS; i++) {
		r->group[i].option = option_of[i];
		if (group_read(&r->group[i], lists[i], o->accents, why) == -1)
			return option_of[i];
	}
	if ((r->fields = fields_read(o->in, &r->nfields, why)) == NULL)
		return "in";
	if (where_all(r, o->where, why) == -1)
		return "where";
	if (*o->any == NULL && *o->all == NULL && *o->none == NULL && r->nwhere == 0 &&
	    o->newer == 0 && o->older == 0) {
		snprintf(why, SIFT_WHY, "there is nothing to look for; give any, all, none, "
		    "where, newer or older");
		return "any";
	}
	if (o->newer > 0 && o->older > o->newer) {
		snprintf(why, SIFT_WHY, "nothing is older than that and newer than `newer`");
		return "older";
	}
	return NULL;
}

static const struct rules_kind kind = {
	sizeof(struct rules), offsetof(struct match, rules), rules_read, rules_clear
};
RULES_PLUGIN(kind)

/* ---- Words about a verdict ---- */

struct why { char text[WHY_MAX]; size_t len; };

static void CR_PRINTF(2, 3)
say(struct why *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->len > 0 && w->len + 2 < sizeof(w->text)) {
		memcpy(w->text + w->len, "; ", 3);
		w->len += 2;
	}
	va_start(ap, fmt);
	n = vsnprintf(w->text + w->len, sizeof(w->text) - w->len, fmt, ap);
	va_end(ap);
	w->len += n < 0 ? 0 : (size_t)n;
	if (w->len >= sizeof(w->text))
		w->len = sizeof(w->text) - 1;
}

/* "title, summary, content" */
static const char *
names(const struct rules *r, char out[SIFT_WHY])
{
	size_t i, len = 0;

	out[0] = '\0';
	for (i = 0; i < r->nfields && len < SIFT_WHY - 1; i++)
		len += (size_t)snprintf(out + len, SIFT_WHY - len, "%s%.60s", i > 0 ? ", " : "",
		    r->fields[i].name);
	return out;
}

/* "45 d" */
static const char *
span(int64_t ms, char out[32])
{
	static const struct { const char *name; int64_t ms; } units[] = {
		{ "d", 86400000 }, { "h", 3600000 }, { "min", 60000 }, { "s", 1000 },
	};
	size_t i = 0;

	while (i < 3 && ms < 2 * units[i].ms)
		i++;
	snprintf(out, 32, "%" PRId64 " %s", ms / units[i].ms, units[i].name);
	return out;
}

/* ---- Texts ---- */

/* A text that is being looked into, for one group. */
struct look {
	struct group		*g;
	const struct field	*field;
	const char		*text;
	size_t			 len;
};

static size_t
group_size(const struct group *g)
{
	return g->words.n + g->nre;
}

static void
group_begin(struct group *g)
{
	g->left = group_size(g);
	memset(g->seen, 0, g->left);
	g->hit[0] = g->gave_up[0] = '\0';
}

/* Whether nothing more has to be known of it. */
static int
group_done(const struct group *g)
{
	return g->left == 0 || (g->option != option_of[ALL] && g->hit[0] != '\0');
}

static void
group_hit(const struct look *l, size_t place, const char *name, size_t begin, size_t end)
{
	struct group *g = l->g;
	char around[SIFT_WHY];

	if (g->seen[place] == FOUND)
		return;
	g->seen[place] = FOUND;
	g->left--;
	if (g->hit[0] != '\0')
		return;
	excerpt(around, l->text, l->len, begin, end);
	snprintf(g->hit, sizeof(g->hit), "%s: `%.80s` in %.60s: %.220s", g->option, name,
	    l->field->name, around);
}

static int
word_hit(void *arg, size_t term, size_t at)
{
	const struct look *l = arg;
	const struct terms *t = &l->g->words;
	size_t begin = 0, end = 0;

	if (l->g->hit[0] == '\0') {		/* else nobody is told where it is */
		begin = fold_origin(l->text, l->len, t->accents, at);
		end = fold_origin(l->text, l->len, t->accents, at + t->v[term].len - 1) + 1;
	}
	group_hit(l, term, t->v[term].name, begin, end);
	return group_done(l->g);
}

static void
look_words(struct rules *r, struct look *l)
{
	size_t i;

	for (i = 0; i < GROUPS; i++) {
		l->g = &r->group[i];
		if (!group_done(l->g) && l->g->words.n > 0)
			terms_find(&l->g->words, &r->folded, word_hit, l);
	}
}

static void
look_patterns(struct rules *r, struct look *l)
{
	size_t i, j, place, begin, end;
	int rc;

	for (i = 0; i < GROUPS; i++) {
		l->g = &r->group[i];
		for (j = 0; j < l->g->nre && !group_done(l->g); j++) {
			place = l->g->words.n + j;
			if (l->g->seen[place] == FOUND)
				continue;
			rc = pattern_find(l->g->re[j], l->text, l->len, 0, &begin, &end);
			if (rc == 1) {
				group_hit(l, place, l->g->re_name[j], begin, end);
			} else if (rc == -1) {
				l->g->seen[place] = GAVE_UP;
				snprintf(l->g->gave_up, sizeof(l->g->gave_up),
				    "%s: %.150s takes too long on the %zu bytes of %.60s: make it "
				    "simpler", l->g->option, l->g->re_name[j], l->len,
				    l->field->name);
			}
		}
	}
}

/* Goes through all texts: for words, or for patterns. -1: no memory. */
static int
look_all(struct rules *r, int patterns)
{
	const struct terms *any = &r->group[ANY].words;
	struct look l = { 0 };
	size_t i, nth;

	for (i = 0; i < r->nfields; i++) {
		l.field = &r->fields[i];
		for (nth = 0; (l.text = texts_at(&r->texts, l.field, nth, &l.len)) != NULL;
		    nth++) {
			if (patterns)
				look_patterns(r, &l);
			else if (fold_text(&r->folded, l.text, l.len, any->accents) == -1)
				return -1;
			else
				look_words(r, &l);
			if (r->group[NONE].hit[0] != '\0')
				return 0;
		}
	}
	return 0;
}

static int
look(struct rules *r, struct cr *cr, const struct cr_record *rec)
{
	size_t i, words = 0, patterns = 0;

	for (i = 0; i < GROUPS; i++) {
		group_begin(&r->group[i]);
		words += r->group[i].words.n;
		patterns += r->group[i].nre;
	}
	r->texts.cr = cr;
	r->texts.rec = rec;
	if (words > 0 && look_all(r, 0) == -1)
		return -1;
	if (patterns > 0 && r->group[NONE].hit[0] == '\0' && look_all(r, 1) == -1)
		return -1;
	return 0;
}

/* ---- Verdicts ---- */

static const char *
first_missing(const struct group *g)
{
	size_t i;

	for (i = 0; i < group_size(g) && g->seen[i] != 0; i++)
		;
	if (i == group_size(g))
		return NULL;
	return i < g->words.n ? g->words.v[i].name : g->re_name[i - g->words.n];
}

/* What the lists say: CR_KEEP, CR_DROP, or -1: a pattern was given up where it would have counted. */
static int
judge_texts(struct rules *r, struct why *w)
{
	struct group *any = &r->group[ANY], *all = &r->group[ALL], *none = &r->group[NONE];
	char where[SIFT_WHY];
	const char *missing;

	if (none->hit[0] != '\0') {
		say(w, "%s", none->hit);
		return CR_DROP;
	}
	if (any->left > 0 && any->hit[0] == '\0' && any->gave_up[0] == '\0') {
		if (group_size(any) == 1)
			say(w, "any: `%.80s` is not in %s", first_missing(any), names(r, where));
		else
			say(w, "any: none of the %zu is in %s", any->left, names(r, where));
		return CR_DROP;
	}
	if (all->left > 0 && (missing = first_missing(all)) != NULL) {
		say(w, "all: `%.80s` is not in %s", missing, names(r, where));
		return CR_DROP;
	}
	if ((any->hit[0] == '\0' && any->gave_up[0] != '\0') ||
	    (all->left > 0 && all->gave_up[0] != '\0') || none->gave_up[0] != '\0') {
		say(w, "%s", any->hit[0] == '\0' && any->gave_up[0] != '\0' ? any->gave_up :
		    all->left > 0 && all->gave_up[0] != '\0' ? all->gave_up : none->gave_up);
		return -1;
	}
	if (any->hit[0] != '\0')
		say(w, "%s", any->hit);
	if (all->hit[0] != '\0')
		say(w, "%s", all->hit);
	if (none->left > 0)
		say(w, "none: nothing found in %s", names(r, where));
	return CR_KEEP;
}

static int
judge_age(const struct match *o, struct cr *cr, const struct cr_record *rec, struct why *w)
{
	static const struct { int field; const char *name; } times[] = {
		{ CR_PUBLISHED, "published" }, { CR_UPDATED, "updated" }, { CR_SEEN, "seen" },
	};
	int64_t when = CR_NO_TIME, age;
	char is[32], want[32];
	size_t i;

	if (o->newer == 0 && o->older == 0)
		return CR_KEEP;
	for (i = 0; i < 3 && (when = cr->get_time(rec, times[i].field)) == CR_NO_TIME;)
		i++;
	if (when == CR_NO_TIME) {
		say(w, "%s: has no time", o->newer > 0 ? "newer" : "older");
		return CR_DROP;
	}
	age = cr->now(cr) - when;
	if (age < 0)
		age = 0;
	if ((o->newer == 0 || age <= o->newer) && age >= o->older) {
		say(w, "%s %s ago", times[i].name, span(age, is));
		return CR_KEEP;
	}
	if (age < o->older)
		say(w, "older: %s: %s %s ago", span(o->older, want), times[i].name, span(age, is));
	else
		say(w, "newer: %s: %s %s ago", span(o->newer, want), times[i].name, span(age, is));
	return CR_DROP;
}

/* One condition that drops does so; else one that waits. */
static int
judge_where(const struct match *o, struct cr *cr, const struct cr_record *rec, struct why *w)
{
	int unmet = o->unmet ? CR_WAIT : CR_DROP, verdict = CR_KEEP, one;
	struct why bad = { .len = 0 };
	char is[SIFT_WHY];
	size_t i;

	for (i = 0; i < o->rules->nwhere && verdict != CR_DROP; i++) {
		switch (where_holds(&o->rules->where[i], cr, rec, is)) {
		case HOLDS:
			say(w, "where: %s: %s", o->where[i], is);
			continue;
		case HOLDS_NOT:
			one = unmet;
			break;
		default:
			one = o->missing == 3 ? unmet : o->missing;
		}
		if (one == CR_KEEP)
			say(w, "where: %s: %s", o->where[i], is);
		else if (verdict == CR_KEEP || one == CR_DROP)
			snprintf(bad.text, sizeof(bad.text), "where: %s: %s", o->where[i], is);
		if (one == CR_WAIT && verdict == CR_KEEP)
			(void)where_wait(&o->rules->where[i], cr);
		if (one != CR_KEEP)
			verdict = one;
	}
	if (verdict != CR_KEEP)
		*w = bad;
	return verdict;
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	struct match *o = opts;
	struct why age = { .len = 0 }, numbers = { .len = 0 }, why = { .len = 0 };
	int verdict, where;

	if (judge_age(o, cr, rec, &age) == CR_DROP)
		return cr->verdict(cr, CR_DROP, "%s", age.text);
	where = judge_where(o, cr, rec, &numbers);
	if (where == CR_DROP)
		return cr->verdict(cr, CR_DROP, "%s", numbers.text);
	if (look(o->rules, cr, rec) == -1)
		return cr->fail(cr, CR_BAD_DATA, "no memory for the texts of a record");
	verdict = judge_texts(o->rules, &why);
	if (verdict == -1)
		return cr->fail(cr, CR_BAD_DATA, "%s", why.text);
	if (verdict == CR_DROP)
		return cr->verdict(cr, CR_DROP, "%s", why.text);
	if (where == CR_WAIT)
		return cr->verdict(cr, CR_WAIT, "%s", numbers.text);
	if (numbers.text[0] != '\0')
		say(&why, "%s", numbers.text);
	if (age.text[0] != '\0')
		say(&why, "%s", age.text);
	return cr->verdict(cr, CR_KEEP, "%s", why.text);
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .needs = 1, .name = "match", .version = "1",
	.help = "keeps what holds words, phrases or patterns, and has the numbers and the age",
	.options = options, .options_size = sizeof(struct match),
	.check = filter_check, .open = filter_open, .close = filter_close, .filter = filter,
};
