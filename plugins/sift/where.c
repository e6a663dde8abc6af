/* Conditions on the numbers of a record: "votes >= 10". */
#include "sift.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OP_GE, OP_LE, OP_NE, OP_EQ2, OP_GT, OP_LT, OP_EQ };
static const char *const ops[] = { ">=", "<=", "!=", "==", ">", "<", "=" };

/* A number in plain writing, with white space around it at most; -1: it is none. */
static int
number(const char *s, double *value)
{
	char *end;

	s += strspn(s, " \t");
	if (strspn(s, "+-.0123456789eE") < strcspn(s, " \t\n"))
		return -1;
	*value = strtod(s, &end);
	if (end == s || end[strspn(end, " \t\n")] != '\0' || !isfinite(*value))
		return -1;
	return 0;
}

int
where_read(struct where *w, const char *text, char why[SIFT_WHY])
{
	const char *at = text + strcspn(text, "<>=!"), *behind = at;
	size_t i, len;

	*w = (struct where){ .op = -1 };
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]) && w->op == -1; i++)
		if (strncmp(at, ops[i], strlen(ops[i])) == 0) {
			w->op = (int)i;
			behind = at + strlen(ops[i]);
		}
	text += strspn(text, " \t");
	len = at > text ? (size_t)(at - text) : 0;
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (w->op == -1 || len == 0 || number(behind, &w->value) == -1) {
		snprintf(why, SIFT_WHY, "`%.100s` is no condition; say NAME, one of "
		    ">= > <= < = != and a number, such as votes >= 10", text);
		return -1;
	}
	if ((w->name = strndup(text, len)) == NULL) {
		snprintf(why, SIFT_WHY, "`%.100s` has no room in memory", text);
		return -1;
	}
	return 0;
}

static int
compare(double a, int op, double b)
{
	switch (op) {
	case OP_GE:
		return a >= b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_LT:
		return a < b;
	case OP_NE:
		return a < b || a > b;
	default:
		return a >= b && a <= b;
	}
}

enum holds
where_holds(const struct where *w, struct cr *cr, const struct cr_record *rec, char is[SIFT_WHY])
{
	const char *extra;
	double value;

	if (!cr->get_number(rec, w->name, &value)) {
		extra = cr->get_extra(rec, w->name);
		if (extra == NULL || number(extra, &value) == -1) {
			snprintf(is, SIFT_WHY, "has no number %.100s", w->name);
			return HOLDS_UNKNOWN;
		}
	}
	snprintf(is, SIFT_WHY, "%.100s is %g", w->name, value);
	return compare(value, w->op, w->value) ? HOLDS : HOLDS_NOT;
}

int
where_wait(const struct where *w, struct cr *cr)
{
	double least = DBL_EPSILON * (w->value > 1 ? w->value : w->value < -1 ? -w->value : 1);
	int rank = strcmp(w->name, "rank") == 0 || strcmp(w->name, "story.rank") == 0;

	if (!CR_HAS(cr, wait_for) || w->op == OP_NE)
		return -1;
	if (w->op == OP_EQ || w->op == OP_EQ2)
		return cr->wait_for(cr, w->name, w->value);
	if (rank != (w->op == OP_LE || w->op == OP_LT))
		return -1;
	return cr->wait_for(cr, w->name, w->op == OP_GT ? w->value + least :
	    w->op == OP_LT ? w->value - least : w->value);
}
