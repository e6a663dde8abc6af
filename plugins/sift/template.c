/* Templates: texts in which {FIELD} stands for what the record has. */
#include "sift.h"
#include "shared/grapheme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_MAX		10000		/* characters of {summary:CHARACTERS} */
#define ELLIPSIS	"\xe2\x80\xa6"

void
made_add(struct made *m, const char *text, size_t len)
{
	size_t want = 2 * (m->len + len) + 64;
	char *more;

	if (m->over || len > SIFT_MADE - m->len) {
		m->over = 1;
		return;
	}
	if (m->len + len + 1 > m->room) {
		if ((more = realloc(m->text, want)) == NULL) {
			m->over = 1;
			return;
		}
		m->text = more;
		m->room = want;
	}
	memcpy(m->text + m->len, text, len);
	m->len += len;
	m->text[m->len] = '\0';
}

void
made_escaped(struct made *m, const char *text, size_t len)
{
	size_t n;

	while (len > 0) {
		for (n = 0; n < len && strchr("&<>", text[n]) == NULL; n++)
			;
		made_add(m, text, n);
		if (n < len) {
			made_add(m, text[n] == '&' ? "&amp;" : text[n] == '<' ? "&lt;" : "&gt;",
			    text[n] == '&' ? 5 : 4);
			n++;
		}
		text += n;
		len -= n;
	}
}

void
made_free(struct made *m)
{
	free(m->text);
	*m = (struct made){ 0 };
}

static struct piece *
piece_add(struct template *t, const char *text, size_t len)
{
	struct piece *v = reallocarray(t->v, t->n + 1, sizeof(*v));

	if (v == NULL)
		return NULL;
	t->v = v;
	v[t->n] = (struct piece){ .text = strndup(text, len) };
	return v[t->n].text != NULL ? &v[t->n++] : NULL;
}

/* Reads FIELD or FIELD:CHARACTERS; with another name before it a number belongs to an extra's. */
static int
piece_field(struct piece *p, char why[SIFT_WHY])
{
	char *colon = strrchr(p->text, ':');
	size_t digits = colon != NULL ? strspn(colon + 1, "0123456789") : 0;

	p->is_field = 1;
	if (digits > 0 && colon[1 + digits] == '\0') {
		*colon = '\0';
		if (field_read(&p->field, p->text, why) == 0 && p->field.extra == NULL) {
			p->max = digits > 5 ? 0 : strtoul(colon + 1, NULL, 10);
			if (p->max > 0 && p->max <= CUT_MAX)
				return 0;
			snprintf(why, SIFT_WHY,
			    "{%.100s:%.20s}: a text is cut to 1 to %d characters", p->text,
			    colon + 1, CUT_MAX);
			return -1;
		}
		*colon = ':';
	}
	return field_read(&p->field, p->text, why);
}

int
template_read(struct template *t, const char *text, char why[SIFT_WHY])
{
	struct piece *p;
	size_t len;

	snprintf(why, SIFT_WHY, "no memory for a template");
	for (; *text != '\0'; text += len) {
		if (strncmp(text, "{{", 2) == 0) {
			len = 2;
			if (piece_add(t, "{", 1) == NULL)
				return -1;
			continue;
		}
		len = *text == '{' ? strcspn(text, "}") : strcspn(text, "{");
		if (*text == '{' && text[len] == '\0') {
			snprintf(why, SIFT_WHY, "`%.100s` lacks its }; a brace alone is {{", text);
			return -1;
		}
		p = *text == '{' ? piece_add(t, text + 1, len - 1) : piece_add(t, text, len);
		if (p == NULL)
			return -1;
		if (*text != '{')
			continue;
		len++;
		if (piece_field(p, why) == -1)
			return -1;
	}
	return 0;
}

void
template_free(struct template *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->v[i].text);
	free(t->v);
	*t = (struct template){ 0 };
}

static void
put_field(struct made *m, const struct field *f, struct texts *texts, int html)
{
	const char *text;
	size_t len, nth;
	char number[32];
	double value;

	if (html && f->html) {		/* as it is; of two, the first that there is */
		text = texts->cr->get(texts->rec, f->first, 0);
		if (text == NULL && f->second != 0)
			text = texts->cr->get(texts->rec, f->second, 0);
		if (text != NULL)
			made_add(m, text, strlen(text));
		return;
	}
	for (nth = 0; (text = texts_at(texts, f, nth, &len)) != NULL; nth++) {
		if (nth > 0)
			made_add(m, ", ", 2);
		if (html)
			made_escaped(m, text, len);
		else
			made_add(m, text, len);
		if (f->html)
			return;
	}
	if (nth == 0 && f->extra != NULL && texts->cr->get_number(texts->rec, f->extra, &value)) {
		snprintf(number, sizeof(number), "%.15g", value);
		made_add(m, number, strlen(number));
	}
}

/* At most so many characters of it; an ellipsis is one. */
static void
put_cut(struct made *m, const struct piece *p, struct texts *texts, int html)
{
	struct made whole = { 0 };
	size_t at, one, n = 0, fits = 0;

	put_field(&whole, &p->field, texts, 0);
	for (at = 0; at < whole.len && n < p->max; at += one, n++) {
		one = grapheme(whole.text + at, whole.len - at);
		if (n + 1 < p->max)
			fits = at + one;
	}
	if (at == whole.len)
		fits = at;
	while (fits < whole.len && fits > 0 && whole.text[fits - 1] == ' ')
		fits--;
	(html ? made_escaped : made_add)(m, whole.len > 0 ? whole.text : "", fits);
	if (fits < whole.len)
		made_add(m, ELLIPSIS, strlen(ELLIPSIS));
	m->over |= whole.over;
	made_free(&whole);
}

void
template_put(struct made *m, const struct template *t, struct texts *texts, int html)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->v[i].max > 0)
			put_cut(m, &t->v[i], texts, html);
		else if (t->v[i].is_field)
			put_field(m, &t->v[i].field, texts, html);
		else
			made_add(m, t->v[i].text, strlen(t->v[i].text));
}
