/* sink_trial: writes a line for each record, at its leisure, and does what a file of orders says:
 * `retry MS`, `retry MS GUID`, `reject GUID`, `gone`, `hang`, `hang once`, `die`. Counts in its
 * state what it was given. */
#include <courant/plugin.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ORDER_MAX	128

struct trial {
	const char	*path, *orders;
	int64_t		 time;
};

static const struct cr_option options[] = {
	CR_OPTION(struct trial, path, STRING, NULL, NULL, "file to append to"),
	CR_OPTION(struct trial, orders, STRING, "", NULL, "file that says what to do"),
	CR_OPTION(struct trial, time, DURATION, "0 s", NULL, "that a batch takes"),
	CR_END
};

/* The first line of the orders; "" for none. */
static void
order_read(const char *path, char order[ORDER_MAX])
{
	FILE *f = path != NULL ? fopen(path, "r") : NULL;

	order[0] = '\0';
	if (f != NULL && fgets(order, ORDER_MAX, f) != NULL)
		order[strcspn(order, "\n")] = '\0';
	if (f != NULL)
		fclose(f);
}

/* Takes back the order before it hangs, so that the next worker has none. */
static void
hang_once(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f != NULL)
		fclose(f);
	poll(NULL, 0, -1);
}

/* What an order says of a record: 0, or -1 after fail() or retry(). */
static int
order_obey(struct cr *cr, const char *order, const struct cr_record *r)
{
	const char *guid = cr->get(r, CR_GUID, 0);
	char *of;
	long ms;

	if (strncmp(order, "retry ", 6) == 0) {
		ms = strtol(order + 6, &of, 10);
		if (*of == '\0' || (guid != NULL && strcmp(guid, of + 1) == 0))
			return cr->retry(cr, ms, "told to try again");
	}
	if (strncmp(order, "reject ", 7) == 0 && guid != NULL && strcmp(guid, order + 7) == 0)
		return cr->fail(cr, CR_REJECTED, "told to reject %s", guid);
	if (strcmp(order, "gone") == 0)
		return cr->fail(cr, CR_GONE, "told that nobody is there");
	if (strcmp(order, "hang") == 0)
		poll(NULL, 0, -1);
	if (strcmp(order, "die") == 0)
		abort();
	return 0;
}

/* How many it was given before, and n more. */
static long
count(struct cr *cr, size_t n)
{
	const char *was = cr->state_get(cr, "count");
	char now[32];
	long before = was != NULL ? strtol(was, NULL, 10) : 0;

	snprintf(now, sizeof(now), "%ld", before + (long)n);
	cr->state_set(cr, "count", now);
	return before;
}

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	const struct trial *o = opts;
	char order[ORDER_MAX];
	FILE *f = fopen(o->path, "a");
	long before;
	size_t i;

	if (f == NULL) {
		cr->retry(cr, -1, "%s cannot be opened", o->path);
		return 0;
	}
	order_read(o->orders, order);
	if (strcmp(order, "hang once") == 0)
		hang_once(o->orders);
	if (o->time > 0)
		poll(NULL, 0, (int)o->time);
	for (i = 0; i < batch->n; i++)
		if (order_obey(cr, order, batch->items[i]) == -1)
			break;
	before = count(cr, i);
	for (size_t k = 0; k < i; k++)
		fprintf(f, "%s %s %s %d %ld\n", batch->id, cr->get(batch->items[k], CR_ID, 0),
		    cr->get(batch->items[k], CR_GUID, 0), batch->attempt, before + (long)k + 1);
	fclose(f);
	return i;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "trial", .version = "1", .help = "does what it is told",
	.options = options, .options_size = sizeof(struct trial), .wants = CR_FILES,
	.deliver = deliver,
};
