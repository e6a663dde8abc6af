/* The edition that a batch is of. */
#include "host_edition.h"
#include "base/mem.h"

#include <stdlib.h>

int
host_edition_read(struct host_edition *e, struct wire *body, uint32_t items)
{
	struct result_section one;
	uint32_t at = 0;
	struct wire w;

	if (e->of.name != NULL)
		return -1;		/* a batch is of one */
	wire_get(body, result_edition, &e->of);
	if (wire_end(body) == -1 || e->of.name == NULL || e->of.zone == NULL || e->of.others > items)
		return -1;
	items -= e->of.others;
	wire_init(&w, e->of.sections.data != NULL ? e->of.sections.data : "", e->of.sections.len);
	while (!w.bad && w.at < w.end) {
		wire_get(&w, result_section, &one);
		if (w.bad || one.title == NULL || one.first != at || one.n > items - at)
			return -1;
		at += one.n;
		e->section = xreallocarray(e->section, e->n + 1, sizeof(*e->section));
		e->section[e->n++] = (struct cr_section){ .size = sizeof(*e->section), .title = one.title,
			.first = one.first, .n = one.n, .left_out = one.left_out };
	}
	e->list = xcalloc(e->n + 1, sizeof(*e->list));
	for (size_t i = 0; i < e->n; i++)
		e->list[i] = &e->section[i];
	return w.bad || at != items ? -1 : 0;
}

void
host_edition_free(struct host_edition *e)
{
	free(e->section);
	free(e->list);
	free(e->page);
	*e = (struct host_edition){ .n = 0 };
}

void
host_edition_page(struct host_edition *e, const char *archive)
{
	if (e->of.name != NULL && archive != NULL)
		e->page = xasprintf("%s/%s", archive, e->of.name);
}

void
host_edition_put(const struct host_edition *e, struct cr_batch *b)
{
	b->name = b->zone = b->archive = b->text = b->oldest = "";
	if (e->of.name == NULL)
		return;
	b->name = e->of.name;
	b->zone = e->of.zone;
	b->from = e->of.from;
	b->to = e->of.due;
	b->sealed = e->of.sealed;
	b->left_out = e->of.left_out;
	b->sections = e->list;
	b->nsections = e->n;
	b->oldest = e->of.oldest != NULL ? e->of.oldest : "";
	b->archive = e->page != NULL ? e->page : "";
}
