/* The document type declaration: cut out before libxml2 sees it, its harmless entities
 * remembered. */
#include "feed.h"

#include <string.h>

static const char *
skip_space(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || (*s >= '\t' && *s <= '\r')))
		s++;
	return s;
}

static int
at(const char *s, const char *end, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(end - s) >= n && memcmp(s, what, n) == 0;
}

/* Past what begins and ends so; end when it does not end. */
static const char *
past(const char *s, const char *end, const char *what)
{
	const char *to = memmem(s, (size_t)(end - s), what, strlen(what));

	return to != NULL ? to + strlen(what) : end;
}

/* Past white space, comments and instructions, which may stand before the declaration. */
static const char *
prologue(const char *s, const char *end)
{
	for (;;) {
		s = skip_space(s, end);
		if (at(s, end, "<?"))
			s = past(s, end, "?>");
		else if (at(s, end, "<!--"))
			s = past(s + 4, end, "-->");
		else
			return s;
	}
}

/* At "<!ENTITY": remembered when its value is a short text and nothing else. */
static void
entity(struct doctype *d, const char *s, const char *end)
{
	const char *name, *value;
	size_t n, len;

	s = name = skip_space(s + 8, end);
	while (s < end && *s != ' ' && *s != '"' && *s != '\'' && *s != '>' && *s > ' ')
		s++;
	n = (size_t)(s - name);
	s = skip_space(s, end);
	if (n == 0 || s == end || (*s != '"' && *s != '\'') || d->n == DOCTYPE_ENTITIES)
		return;
	value = s + 1;
	s = memchr(value, *s, (size_t)(end - value));
	if (s == NULL || (len = (size_t)(s - value)) >= DOCTYPE_VALUE)
		return;
	if (memchr(value, '&', len) != NULL || memchr(value, '<', len) != NULL ||
	    memchr(value, '%', len) != NULL)
		return;
	d->entity[d->n].name = name;
	d->entity[d->n].name_len = n;
	d->entity[d->n].value = value;
	d->entity[d->n++].len = len;
}

/* Past one quoted literal, comment, instruction or character of the subset. */
static const char *
step(struct doctype *d, const char *s, const char *end)
{
	const char *to;

	if (at(s, end, "<!--"))
		return past(s + 4, end, "-->");
	if (at(s, end, "<?"))
		return past(s, end, "?>");
	if (at(s, end, "<!ENTITY"))
		entity(d, s, end);
	if (*s == '"' || *s == '\'') {
		to = memchr(s + 1, *s, (size_t)(end - s) - 1);
		return to != NULL ? to + 1 : end;
	}
	return s + 1;
}

int
doctype_find(struct doctype *d, const char *text, size_t len)
{
	const char *end = text + len, *s = prologue(text, end);
	int inside = 0;

	d->n = 0;
	d->begin = (size_t)(s - text);
	if (!at(s, end, "<!DOCTYPE"))
		return 0;
	for (s += 9; s < end; s = step(d, s, end))
		if (*s == '[')
			inside = 1;
		else if (*s == ']')
			inside = 2;
		else if (*s == '>' && inside != 1)
			break;
	if (inside == 0)
		return 0;
	d->end = s < end ? (size_t)(s - text) + 1 : len;
	return 1;
}

const char *
doctype_entity(const struct doctype *d, const char *name, size_t *len)
{
	size_t i, n = strlen(name);

	for (i = 0; d != NULL && i < d->n; i++)
		if (d->entity[i].name_len == n && memcmp(d->entity[i].name, name, n) == 0) {
			*len = d->entity[i].len;
			return d->entity[i].value;
		}
	return NULL;
}
