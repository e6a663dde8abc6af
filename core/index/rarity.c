/* How many records have a word. */
#include "rarity.h"
#include "base/mem.h"
#include "record/near.h"

#include <math.h>
#include <stdlib.h>

#define SLOTS_MIN	4096u

struct slot { uint32_t hash, records; };	/* hash 0: free */
struct rarity {
	struct slot	*slot;
	uint32_t	 mask, used;
};

struct rarity *
rarity_new(void)
{
	struct rarity *r = xcalloc(1, sizeof(*r));

	r->mask = SLOTS_MIN - 1;
	r->slot = xcalloc(SLOTS_MIN, sizeof(*r->slot));
	return r;
}

void
rarity_free(struct rarity *r)
{
	if (r == NULL)
		return;
	free(r->slot);
	free(r);
}

uint32_t
rarity_hash(const char *word, size_t len)
{
	const uint32_t hash = (uint32_t)(near_hash(word, len) >> 32);

	return hash != 0 ? hash : 1;
}

static struct slot *
slot_of(const struct rarity *r, uint32_t hash)
{
	uint32_t i = hash & r->mask;

	while (r->slot[i].hash != 0 && r->slot[i].hash != hash)
		i = (i + 1) & r->mask;
	return &r->slot[i];
}

/* Moves all to a table of twice the size; at the largest, all but words of one record. */
static void
grow(struct rarity *r)
{
	const struct rarity old = *r;
	const int drop = old.mask + 1 >= RARITY_SLOTS;

	r->mask = drop ? old.mask : 2 * old.mask + 1;
	r->slot = xcalloc(r->mask + 1, sizeof(*r->slot));
	r->used = 0;
	for (uint32_t i = 0; i <= old.mask; i++)
		if (old.slot[i].hash != 0 && (!drop || (old.slot[i].records > 1 && r->used < r->mask / 2))) {
			*slot_of(r, old.slot[i].hash) = old.slot[i];
			r->used++;
		}
	free(old.slot);
}

void
rarity_add(struct rarity *r, uint32_t hash, uint32_t records)
{
	struct slot *s = slot_of(r, hash);

	if (s->hash == 0) {
		if (r->used > r->mask / 4 * 3) {
			grow(r);
			s = slot_of(r, hash);
		}
		r->used++;
		s->hash = hash;
	}
	s->records += records;
}

uint32_t
rarity_get(const struct rarity *r, uint32_t hash)
{
	return slot_of(r, hash)->records;
}

double
rarity_weight(uint32_t has, int64_t all)
{
	const double n = (double)(all > has ? all : has);

	return log(1 + (n - has + 0.5) / (has + 0.5));
}
