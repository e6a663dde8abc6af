/* The document type declaration: cut out before libxml2 sees it, its harmless entities
 * remembered. */
#include "feed.h"
#include "shared/utf8.h"

#include <ctype.h>
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

static uint32_t
number(const char *s, const char *end)
{
	int base = s < end && (*s == 'x' || *s == 'X') ? 16 : 10;
	unsigned long c = 0;

	for (s += base == 16; s < end && isxdigit((unsigned char)*s) && c < 0x110000; s++)
		c = c * (unsigned)base + (unsigned)(*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
	return entity_number((uint32_t)c);
}

/* The reference at s ('&'): its length, 0: it is a mere sign, or a name and these are not looked at.
 * *text: what it stands for, NULL: nobody knows; out[4]: room for it. */
static size_t
reference(const struct doctype *d, const char *s, const char *end, int names, char *out,
    const char **text, size_t *len)
{
	const char *name = s + 1, *stop = name;
	size_t one;

	while (stop < end && (isalnum((unsigned char)*stop) || (*stop & 0x80) != 0 ||
	    strchr("#.-_:", *stop) != NULL))
		stop++;
	if (stop == end || *stop != ';' || stop == name || (*name != '#' && !names))
		return 0;
	*text = out;
	if (*name == '#')
		*len = plain_put(out, number(name + 1, stop));
	else if ((*text = doctype_entity(d, name, (size_t)(stop - name), len)) == NULL)
		*text = entity_find(name, (size_t)(stop - name), len);
	else if (*len == 0 || (plain_get(*text, *len, &one), one < *len))
		*text = NULL;	/* a character alone: so nothing grows */
	return (size_t)(stop - s) + 1;
}

/* A copy of s into out[DOCTYPE_VALUE] with its references resolved, numbers alone or names too. Its
 * length; 0: it does not fit, or one is not known. */
static size_t
resolve(const struct doctype *d, char *out, const char *s, const char *end, int names)
{
	size_t len = 0, n, used;
	const char *text;
	char made[4];

	for (; s < end; s += used) {
		used = *s == '&' ? reference(d, s, end, names, made, &text, &n) : 0;
		if (used == 0) {
			text = s;
			n = used = 1;
		}
		if (text == NULL || len + n >= DOCTYPE_VALUE)
			return 0;
		memcpy(out + len, text, n);
		len += n;
	}
	return len;
}

/* The literal at s, a quote, is the text of the entity that was declared last. Numbers in it are
 * characters from the start, which may make up another reference: "&#38;#233;" (XML 1.0 4.4, 4.5). */
static void
entity_text(struct doctype *d, const char *s, const char *end)
{
	const char *close = memchr(s + 1, *s, (size_t)(end - s) - 1);
	char once[DOCTYPE_VALUE];
	size_t n;

	if (close == NULL || memchr(s, '<', (size_t)(close - s)) != NULL ||
	    memchr(s, '%', (size_t)(close - s)) != NULL ||
	    d->len + DOCTYPE_VALUE > sizeof(d->text))
		return;
	n = resolve(d, once, s + 1, close, 0);
	n = resolve(d, d->text + d->len, once, once + n, 1);
	d->entity[d->n - 1].at = (uint32_t)d->len;
	d->entity[d->n - 1].len = (uint32_t)n;
	d->len += n;
}

/* At "<!ENTITY". */
static void
entity(struct doctype *d, const char *s, const char *end)
{
	const char *name;
	size_t n, len;

	s = name = skip_space(s + 8, end);
	while (s < end && *s != '"' && *s != '\'' && *s != '>' && (unsigned char)*s > ' ')
		s++;
	n = (size_t)(s - name);
	s = skip_space(s, end);
	if (n == 0 || *name == '%' || s == end)
		return;
	if (d->n == DOCTYPE_ENTITIES) {
		d->open = 1;
		return;
	}
	if (doctype_entity(d, name, n, &len) != NULL)	/* the first declaration counts */
		return;
	d->entity[d->n].name = name;
	d->entity[d->n].name_len = n;
	d->entity[d->n].at = d->entity[d->n].len = 0;
	d->n++;
	if (*s == '"' || *s == '\'')
		entity_text(d, s, end);
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

/* Behind the name of the root: whether the declaration goes on with an external subset. */
static int
external(const char *s, const char *end)
{
	s = skip_space(s, end);
	while (s < end && *s != '[' && *s != '>' && (unsigned char)*s > ' ')
		s++;
	s = skip_space(s, end);
	return at(s, end, "PUBLIC") || at(s, end, "SYSTEM");
}

int
doctype_find(struct doctype *d, const char *text, size_t len)
{
	const char *end = text + len, *s = prologue(text, end), *begin = s;
	int inside = 0;

	if (!at(s, end, "<!DOCTYPE"))
		return 0;
	d->n = d->begin = d->end = 0;
	d->len = 1;
	d->text[0] = '\0';
	d->open = external(s + 9, end);
	for (s += 9; s < end; s = step(d, s, end))
		if (*s == '[')
			inside = 1;
		else if (*s == ']')
			inside = 2;
		else if (*s == '%' && inside == 1 && s + 1 < end && (unsigned char)s[1] > ' ')
			d->open = 1;	/* a reference: a declaration has a space there */
		else if (*s == '>' && inside != 1)
			break;
	if (inside != 0) {
		d->begin = (size_t)(begin - text);
		d->end = s < end ? (size_t)(s - text) + 1 : len;
	}
	return 1;
}

const char *
doctype_entity(const struct doctype *d, const char *name, size_t n, size_t *len)
{
	size_t i;

	for (i = 0; d != NULL && i < d->n; i++)
		if (d->entity[i].name_len == n && memcmp(d->entity[i].name, name, n) == 0) {
			*len = d->entity[i].len;
			return d->text + d->entity[i].at;
		}
	return NULL;
}
