/* Templates: texts in which {FIELD} stands for what the record has. */
#include "sift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		p->is_field = 1;
		if (field_read(&p->field, p->text, why) == -1)
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

void
template_put(struct made *m, const struct template *t, struct texts *texts, int html)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->v[i].is_field)
			put_field(m, &t->v[i].field, texts, html);
		else
			made_add(m, t->v[i].text, strlen(t->v[i].text));
}
