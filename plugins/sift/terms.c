/* Words and phrases: found by the first word of each, whole, in one pass over a text. */
#include "sift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The word, or the sign, at `at`: behind it, and its hash. */
static size_t
word(const struct folded *f, size_t at, uint32_t *hash)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	do
		h = (h ^ (unsigned char)f->text[at]) * 16777619u;
	while (!f->edge[++at]);
	*hash = h;
	return at;
}

/* Without the quotes around it, if there are. */
static const char *
unquote(const char *name, size_t *len)
{
	*len = strlen(name);
	if (*len < 3 || name[0] != '"' || name[*len - 1] != '"')
		return name;
	*len -= 2;
	return name + 1;
}

static int
complain(char why[SIFT_WHY], const char *name, const char *what)
{
	snprintf(why, SIFT_WHY, "`%.100s` %s", name, what);
	return -1;
}

int
terms_add(struct terms *t, const char *name, char why[SIFT_WHY])
{
	struct folded f = { 0 };
	struct term *v;
	const char *s;
	size_t len, want;
	int rc;

	if (t->n == SIFT_TERMS)
		return complain(why, name, "and what follows is more than one list may hold");
	if (t->n == t->room) {
		want = 2 * t->room + 16;
		if ((v = realloc(t->v, want * sizeof(*v))) == NULL)
			return complain(why, name, "has no room in memory");
		t->v = v;
		t->room = want;
	}
	v = &t->v[t->n];
	s = unquote(name, &len);
	rc = fold_text(&f, s, len, t->accents);
	if (rc == -1 || f.len == 0) {
		fold_free(&f);
		return complain(why, name, rc == -1 ? "has no room in memory" :
		    "has nothing in it that could be found");
	}
	*v = (struct term){ .name = name, .text = f.text, .len = f.len };
	word(&f, 0, &v->hash);
	free(f.edge);
	t->n++;
	return 0;
}

int
terms_ready(struct terms *t)
{
	size_t size = 8, i;

	while (size < 2 * t->n)
		size *= 2;
	t->bucket = calloc(size, sizeof(*t->bucket));
	if (t->bucket == NULL)
		return -1;
	t->mask = size - 1;
	for (i = t->n; i-- > 0;) {		/* a bucket is in the order of the list */
		t->v[i].next = t->bucket[t->v[i].hash & t->mask];
		t->bucket[t->v[i].hash & t->mask] = (uint32_t)i + 1;
	}
	return 0;
}

void
terms_free(struct terms *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->v[i].text);
	free(t->v);
	free(t->bucket);
	*t = (struct terms){ 0 };
}

void
terms_find(const struct terms *t, const struct folded *f,
    int (*hit)(void *arg, size_t term, size_t at), void *arg)
{
	const struct term *v;
	size_t at, next;
	uint32_t hash, i;

	for (at = 0; at < f->len && t->n > 0; at = next) {
		next = word(f, at, &hash);
		if (f->text[at] == ' ')
			continue;
		for (i = t->bucket[hash & t->mask]; i > 0; i = v->next) {
			v = &t->v[i - 1];
			if (v->hash == hash && v->len <= f->len - at && f->edge[at + v->len] &&
			    memcmp(f->text + at, v->text, v->len) == 0 &&
			    hit(arg, i - 1, at) != 0)
				return;
		}
	}
}
