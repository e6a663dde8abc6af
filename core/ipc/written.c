/* The output files that the routes write, or wrote under an earlier configuration. */
#include "written.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Sets the index of a file in the list, or where it belongs. 1: the list has it. */
static int
find(const struct written *w, const char *file, size_t len, size_t *place)
{
	size_t low = 0, high = w->n, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = strncmp(w->v[mid].file, file, len);
		if (order == 0)
			order = w->v[mid].file[len] != '\0';
		if (order == 0) {
			*place = mid;
			return 1;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*place = low;
	return 0;
}

void
written_put(struct written *w, const char *file, const char *route, int active)
{
	size_t i;

	if (!find(w, file, strlen(file), &i)) {
		if (w->n == WRITTEN_MAX)
			return;
		w->v = xreallocarray(w->v, w->n + 1, sizeof(*w->v));
		memmove(w->v + i + 1, w->v + i, (w->n++ - i) * sizeof(*w->v));
		w->v[i] = (struct written_file){ .file = xstrdup(file) };
	}
	xreplace(&w->v[i].route, route);
	w->v[i].active = active;
}

void
written_drop(struct written *w, const char *file)
{
	size_t i;

	if (!find(w, file, strlen(file), &i))
		return;
	free(w->v[i].file);
	free(w->v[i].route);
	memmove(w->v + i, w->v + i + 1, (--w->n - i) * sizeof(*w->v));
}

struct written_file *
written_find(const struct written *w, const char *file)
{
	size_t len = strlen(file), i;

	for (; len > 0 && file[len] != '/'; len--)
		if ((file[len] == '\0' || file[len] == '.') && find(w, file, len, &i))
			return &w->v[i];
	return NULL;
}

void
written_free(struct written *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i].file);
		free(w->v[i].route);
	}
	free(w->v);
	*w = (struct written){ .n = 0 };
}

void
written_write(const struct written *w, struct buf *b)
{
	wire_put_u32(b, (uint32_t)w->n);
	for (size_t i = 0; i < w->n; i++) {
		wire_put_str(b, w->v[i].file);
		wire_put_str(b, w->v[i].route);
		wire_put_u32(b, w->v[i].active != 0);
	}
}

int
written_read(struct written *w, struct wire *wire)
{
	uint32_t n = wire_u32(wire), active;
	const char *file, *route;

	written_free(w);
	for (; n > 0 && !wire->bad; n--) {
		file = wire_str(wire);
		route = wire_str(wire);
		active = wire_u32(wire);
		if (file == NULL || route == NULL)
			return -1;
		written_put(w, file, route, active != 0);
	}
	return wire_end(wire);
}
