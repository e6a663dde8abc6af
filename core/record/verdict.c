/* Verdict blobs: u8 version, u8 number of rules, the rules as strings, then for each row the
 * distance of its n from the row before (LEB128), a byte of flags that includes the verdict, and
 * the fields that the flags announce: u8 index of the rule, str why, bytes changes, bytes trail. A
 * row without these fields takes two bytes. */
#include "verdict.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define VERSION	1
enum flag { VERDICT_BITS = 3, HAS_RULE = 4, HAS_WHY = 8, HAS_CHANGES = 16, HAS_TRAIL = 32, APART = 64, SENT = 128 };

static void
put_number(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		wire_put_u8(b, (uint8_t)(v | 0x80));
	wire_put_u8(b, (uint8_t)v);
}

static uint64_t
number(struct wire *w)
{
	uint64_t v = 0;
	unsigned shift;
	uint8_t byte;

	for (shift = 0; shift < 64; shift += 7) {
		byte = wire_u8(w);
		v |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return v;
	}
	w->bad = 1;
	return 0;
}

/* The rule's index in the list, to which a new rule is added; -1: too many. */
static int
rule_place(const char **rules, size_t *n, const char *rule)
{
	size_t i;

	for (i = 0; i < *n; i++)
		if (rules[i] == rule || strcmp(rules[i], rule) == 0)
			return (int)i;
	if (*n == VERDICT_RULES)
		return -1;
	rules[(*n)++] = rule;
	return (int)i;
}

static void
put_row(struct buf *b, const struct verdict *v, int64_t before, int rule)
{
	put_number(b, (uint64_t)(v->n - before));
	wire_put_u8(b, (uint8_t)(v->verdict | (v->rule != NULL ? HAS_RULE : 0) |
	    (v->why != NULL ? HAS_WHY : 0) | (v->changes.len > 0 ? HAS_CHANGES : 0) |
	    (v->trail.len > 0 ? HAS_TRAIL : 0) |
	    (v->apart ? APART : 0) | (v->sent ? SENT : 0)));
	if (v->rule != NULL)
		wire_put_u8(b, (uint8_t)rule);
	if (v->why != NULL)		/* cut at a character's end */
		wire_put_bytes(b, v->why, text_valid(v->why, strnlen(v->why, VERDICT_WHY_MAX)));
	if (v->changes.len > 0)
		wire_put_bytes(b, v->changes.data, v->changes.len);
	if (v->trail.len > 0)
		wire_put_bytes(b, v->trail.data, v->trail.len);
}

int
verdicts_write(struct buf *b, int64_t first, const struct verdict *row, size_t n)
{
	const char *rules[VERDICT_RULES];
	int64_t before = first - 1;
	size_t nrules = 0, i;
	int rule = 0;

	for (i = 0; i < n; i++)
		if (row[i].rule != NULL && rule_place(rules, &nrules, row[i].rule) == -1)
			return -1;
	wire_put_u8(b, VERSION);
	wire_put_u8(b, (uint8_t)nrules);
	for (i = 0; i < nrules; i++)
		wire_put_str(b, rules[i]);
	for (i = 0; i < n; i++) {
		if (row[i].n <= before)
			fatal("verdicts out of order");
		if (row[i].rule != NULL)
			rule = rule_place(rules, &nrules, row[i].rule);
		put_row(b, &row[i], before, rule);
		before = row[i].n;
	}
	return b->over || n > VERDICT_ROWS ? -1 : 0;
}

void
verdicts_free(struct verdicts *v)
{
	free(v->row);
	free(v->data);
	*v = (struct verdicts){ 0 };
}

static struct verdict *
row_add(struct verdicts *v)
{
	if (v->n == v->cap) {
		v->cap = v->cap > 0 ? v->cap * 2 : 64;
		v->row = xreallocarray(v->row, v->cap, sizeof(*v->row));
	}
	v->row[v->n] = (struct verdict){ 0 };
	return &v->row[v->n++];
}

static void
read_row(struct wire *w, struct verdict *to, int64_t before, const char **rules, size_t nrules)
{
	uint8_t flags, rule;

	to->n = (int64_t)((uint64_t)before + number(w));
	flags = wire_u8(w);
	to->verdict = flags & VERDICT_BITS;
	to->apart = (flags & APART) != 0;
	to->sent = (flags & SENT) != 0;
	if ((flags & HAS_RULE) != 0) {
		rule = wire_u8(w);
		if (rule < nrules)
			to->rule = rules[rule];
		else
			w->bad = 1;
	}
	if ((flags & HAS_WHY) != 0)
		to->why = wire_str(w);
	if ((flags & HAS_CHANGES) != 0)
		to->changes = wire_bytes(w);
	if ((flags & HAS_TRAIL) != 0)
		to->trail = wire_bytes(w);
	if (to->n <= before)
		w->bad = 1;
}

int
verdicts_read(struct verdicts *v, int64_t first, int64_t last, struct bytes blob)
{
	const char *rules[UINT8_MAX + 1];
	int64_t before = first - 1;
	size_t nrules, i;
	struct wire w;

	v->data = xreallocarray(v->data, blob.len + 1, 1);
	memcpy(v->data, blob.data != NULL ? blob.data : "", blob.len);
	v->n = 0;
	v->first = first;
	v->last = last;
	wire_init(&w, v->data, blob.len);
	if (wire_u8(&w) != VERSION)
		w.bad = 1;
	nrules = wire_u8(&w);
	for (i = 0; i < nrules; i++)
		rules[i] = wire_str(&w);
	while (!w.bad && w.at < w.end && v->n < VERDICT_ROWS) {
		read_row(&w, row_add(v), before, rules, nrules);
		before = v->row[v->n - 1].n;
	}
	if (wire_end(&w) == 0 && before <= last)
		return 0;
	v->n = 0;
	v->first = v->last = 0;
	return -1;
}

const struct verdict *
verdicts_find(const struct verdicts *v, int64_t n)
{
	size_t low = 0, high = v->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (v->row[mid].n < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < v->n && v->row[low].n == n ? &v->row[low] : NULL;
}
