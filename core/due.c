/* The sources by when they are due: a binary heap. */
#include "due.h"
#include "core.h"
#include "mem.h"

static int64_t
due_at(const struct core *c, uint32_t i)
{
	return c->runs[c->heap[i]].mark.due;
}

static void
put(struct core *c, uint32_t i, uint32_t place)
{
	c->heap[i] = place;
	c->runs[place].place = i;
}

static void
rise(struct core *c, uint32_t i)
{
	uint32_t place = c->heap[i];

	for (; i > 0 && due_at(c, (i - 1) / 2) > c->runs[place].mark.due; i = (i - 1) / 2)
		put(c, i, c->heap[(i - 1) / 2]);
	put(c, i, place);
}

static void
sink(struct core *c, uint32_t i)
{
	uint32_t place = c->heap[i], next;

	for (; (next = 2 * i + 1) < c->nheap; i = next) {
		if (next + 1 < c->nheap && due_at(c, next + 1) < due_at(c, next))
			next++;
		if (due_at(c, next) >= c->runs[place].mark.due)
			break;
		put(c, i, c->heap[next]);
	}
	put(c, i, place);
}

void
due_clear(struct core *c)
{
	c->heap = xreallocarray(c->heap, c->setup->nsources, sizeof(c->heap[0]));
	c->nheap = 0;
	for (size_t i = 0; i < c->setup->nsources; i++)
		c->runs[i].place = UINT32_MAX;
}

void
due_remove(struct core *c, uint32_t place)
{
	uint32_t i = c->runs[place].place, last;

	if (i == UINT32_MAX)
		return;
	c->runs[place].place = UINT32_MAX;
	last = c->heap[--c->nheap];
	if (last == place)
		return;
	put(c, i, last);
	rise(c, i);
	sink(c, c->runs[last].place);
}

void
due_set(struct core *c, uint32_t place)
{
	due_remove(c, place);
	if (c->runs[place].mark.due == INT64_MAX || c->runs[place].job != NULL ||
	    c->runs[place].stream != NULL)
		return;
	put(c, c->nheap++, place);
	rise(c, c->nheap - 1);
}

uint32_t
due_first(const struct core *c)
{
	return c->nheap > 0 ? c->heap[0] : UINT32_MAX;
}
