/* A map from positive numbers to numbers: open addressing, key 0 is a free slot. */
#include "cli_numbers.h"
#include "base/mem.h"

#include <stdlib.h>

#define SLOTS_MIN	1024

void
numbers_free(struct numbers *m)
{
	free(m->slot);
	*m = (struct numbers){ 0 };
}

/* The key's slot, or the free one where it belongs. */
static size_t
place(const struct numbers *m, int64_t key)
{
	size_t i = (size_t)((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 16) & (m->cap - 1);

	while (m->slot[i].key != 0 && m->slot[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

static void
grow(struct numbers *m)
{
	struct numbers old = *m;

	m->cap = old.cap > 0 ? 2 * old.cap : SLOTS_MIN;
	m->slot = xcalloc(m->cap, sizeof(*m->slot));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].key != 0)
			m->slot[place(m, old.slot[i].key)] = old.slot[i];
	free(old.slot);
}

void
numbers_set(struct numbers *m, int64_t key, int64_t value)
{
	size_t i;

	if (2 * m->n >= m->cap)
		grow(m);
	i = place(m, key);
	m->n += m->slot[i].key == 0;
	m->slot[i].key = key;
	m->slot[i].value = value;
}

int64_t
numbers_get(const struct numbers *m, int64_t key)
{
	size_t i = m->cap > 0 ? place(m, key) : 0;

	return m->cap > 0 && m->slot[i].key != 0 ? m->slot[i].value : 0;
}
