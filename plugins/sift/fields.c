/* Names of fields, as filters are configured with them, and the texts that they stand for. */
#include "sift.h"

#include "shared/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct field known[] = {
	{ "title", NULL, CR_TITLE, 0, 0, 0 },
	{ "summary", NULL, CR_SUMMARY, 0, 0, 1 },
	{ "content", NULL, CR_CONTENT, 0, 0, 1 },
	{ "text", NULL, CR_SUMMARY, CR_CONTENT, 0, 1 },
	{ "author", NULL, CR_AUTHOR, 0, 1, 0 },
	{ "contributor", NULL, CR_CONTRIBUTOR, 0, 1, 0 },
	{ "category", NULL, CR_CATEGORY, 0, 1, 0 },
	{ "link", NULL, CR_LINK, 0, 0, 0 },
	{ "id", NULL, CR_ID, 0, 0, 0 },
	{ "guid", NULL, CR_GUID, 0, 0, 0 },
	{ "source", NULL, CR_SOURCE, 0, 0, 0 },
	{ "language", NULL, CR_LANGUAGE, 0, 0, 0 },
	{ "rights", NULL, CR_RIGHTS, 0, 0, 0 },
	{ "enclosure", NULL, CR_ENCLOSURE, 0, 1, 0 },
	{ "image", NULL, CR_IMAGE, 0, 0, 0 },
	{ "comments", NULL, CR_COMMENTS, 0, 0, 0 },
	{ "published", NULL, CR_PUBLISHED, 0, 0, 0 },
	{ "updated", NULL, CR_UPDATED, 0, 0, 0 },
	{ "seen", NULL, CR_SEEN, 0, 0, 0 },
};

/* What others call them. */
static const struct { const char *name, *field; } others[] = {
	{ "body", "content" }, { "categories", "category" }, { "date", "published" },
	{ "description", "summary" }, { "tag", "category" }, { "tags", "category" },
	{ "url", "link" },
};

/* Whether a is b with one letter left out, put in, exchanged, or swapped with the next; or in
 * another case. */
static int
near(const char *a, const char *b)
{
	size_t i = 0, la = strlen(a), lb = strlen(b);

	while (a[i] != '\0' && strncasecmp(a + i, b + i, 1) == 0)
		i++;
	if (la == lb)
		return strcasecmp(a + i, b + i) == 0 || strcasecmp(a + i + 1, b + i + 1) == 0 ||
		    (a[i] == b[i + 1] && a[i + 1] == b[i] && strcasecmp(a + i + 2, b + i + 2) == 0);
	if (la == lb + 1)
		return strcasecmp(a + i + 1, b + i) == 0;
	return la + 1 == lb && strcasecmp(a + i, b + i + 1) == 0;
}

/* The field that a name is nearly that of; NULL: of none. */
static const char *
meant(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcasecmp(name, others[i].name) == 0)
			return others[i].field;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (near(name, known[i].name))
			return known[i].name;
	return NULL;
}

int
field_read(struct field *f, const char *name, char why[SIFT_WHY])
{
	const char *field;
	size_t i;

	*f = (struct field){ .name = name, .extra = name };
	if (strncmp(name, "extra:", 6) == 0) {
		f->extra = name + 6;
		return 0;
	}
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i].name) == 0) {
			*f = known[i];
			return 0;
		}
	if ((field = meant(name)) == NULL)
		return 0;
	snprintf(why, SIFT_WHY, "there is no field `%.100s`, did you mean `%s`? "
	    "(An extra of that name is `extra:%.100s`.)", name, field, name);
	return -1;
}

struct field *
fields_read(const char *const *names, size_t *n, char why[SIFT_WHY])
{
	struct field *f;
	size_t i;

	for (*n = 0; names[*n] != NULL; ++*n)
		;
	if ((f = calloc(*n + 1, sizeof(*f))) == NULL) {
		snprintf(why, SIFT_WHY, "the list has no room in memory");
		return NULL;
	}
	for (i = 0; i < *n; i++)
		if (field_read(&f[i], names[i], why) == -1) {
			free(f);
			return NULL;
		}
	return f;
}

/* HTML as plain text, in memory of ours. */
static const char *
made(struct texts *t, const char *html, size_t *len)
{
	size_t n = strlen(html);
	char *more;

	if (n + 1 > t->room) {
		if ((more = realloc(t->made, 2 * n + 1)) == NULL)
			return NULL;
		t->made = more;
		t->room = 2 * n + 1;
	}
	*len = plain_text(t->made, n, html, n);
	t->made[*len] = '\0';
	return t->made;
}

const char *
texts_at(struct texts *t, const struct field *f, size_t nth, size_t *len)
{
	const char *text = NULL;

	if (f->extra != NULL)
		text = nth == 0 ? t->cr->get_extra(t->rec, f->extra) : NULL;
	else if (f->list)
		text = t->cr->get(t->rec, f->first, nth);
	else if (nth == 0)
		text = t->cr->get(t->rec, f->first, 0);
	if (f->second != 0 && (nth == 1 || (nth == 0 && text == NULL)))
		text = t->cr->get(t->rec, f->second, 0);
	if (text == NULL)
		return NULL;
	if (f->html)
		return made(t, text, len);
	*len = strlen(text);
	return text;
}

void
texts_free(struct texts *t)
{
	free(t->made);
	*t = (struct texts){ 0 };
}
