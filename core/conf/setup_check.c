/* Collects the options that plugins with a check() have to check. */
#include "setup_check.h"
#include "setup_value.h"
#include "base/mem.h"
#include "catalog/plugin.h"

#include <stdlib.h>
#include <string.h>

/* Not wanted when the options have mistakes already: check() might blame the wrong thing. */
static int
wanted(const struct setup_reader *r, const struct instance *in, const struct source *src,
    size_t mistakes)
{
	return in->plugin != NULL && in->waiting == NULL && r->mistakes->n == mistakes &&
	    (in->plugin->does & DOES_CHECK) != 0 && (src != NULL || !in->asked);
}

void
check_later(struct setup_reader *r, struct instance *in, const struct source *src, int line,
    size_t mistakes)
{
	struct setup *s = r->setup;
	char *where;

	if (!wanted(r, in, src, mistakes))
		return;
	where = src != NULL ? xasprintf("source %s: ", src->name) : xstrdup(r->where);
	if ((s->nchecks & (s->nchecks - 1)) == 0)		/* full at each power of two */
		s->checks = xreallocarray(s->checks, s->nchecks > 0 ? 2 * s->nchecks : 1,
		    sizeof(*s->checks));
	s->checks[s->nchecks++] = (struct check){ .instance = in, .line = line, .file = r->file,
		.source = src != NULL ? (uint32_t)(src - s->sources) : UINT32_MAX,
		.brought = r->brought, .where = text_copy(r, where) };
	in->asked |= src == NULL;
	free(where);
}

void
checks_drop(struct setup *s, size_t had)
{
	while (s->nchecks > had)
		s->checks[--s->nchecks].instance->asked = 0;
}
