/* Memory for many small objects that are freed together. */
#include "arena.h"
#include "mem.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk	*next;
	alignas(max_align_t) char data[];
};

/* Allocates n bytes at a multiple of `align` from the chunk's beginning. */
static void *
arena_take(struct arena *a, size_t n, size_t align)
{
	size_t at = (a->used + align - 1) / align * align, cap;
	struct arena_chunk *chunk;

	if (a->chunks == NULL || at > a->cap || n > a->cap - at) {
		cap = a->cap == 0 ? ARENA_FIRST : a->cap < ARENA_CHUNK ? 2 * a->cap : ARENA_CHUNK;
		if (n > cap)
			cap = n;
		chunk = xmalloc(sizeof(*chunk) + cap);
		chunk->next = a->chunks;
		*a = (struct arena){ .chunks = chunk, .cap = cap };
		at = 0;
	}
	a->used = at + n;
	return a->chunks->data + at;
}

void *
arena_zero(struct arena *a, size_t n)
{
	return memset(arena_take(a, n, alignof(max_align_t)), 0, n);
}

char *
arena_text(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_take(a, len + 1, 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void
arena_free(struct arena *a)
{
	struct arena_chunk *chunk, *next;

	for (chunk = a->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*a = (struct arena){ 0 };
}
