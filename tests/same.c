/* Says of records whether they are one story.
 *
 *	same pairs < RECORDS	the 1st and 2nd, the 3rd and 4th, ...: a line each
 *	same all < RECORDS	of all pairs those that are
 *	same bench SECONDS < RECORDS	prepares and compares the 1st with all others, again and
 *		again: prints "PREPARED-AND-COMPARED SECONDS-OF-CPU"
 *
 * RECORDS: a JSON object a line, with title, summary, content, link, guid, extras, source. A line of
 * the answer: the numbers of both records (from 0), 1 or 0, how many near keys they share, how many
 * exact keys, the reason; with tabs between. */
#include "base/digest.h"
#include "base/mem.h"
#include "record/same.h"
#include "record/story_key.h"
#include "record/work.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct entry {
	struct cr_record	*record;
	struct near_text	*text;
	struct work_ids		 ids;
	int64_t			 near[NEAR_KEYS], exact[WORK_IDS + 3];
	size_t			 nears, exacts;
	char			*source;
};

static struct entry *entries;
static size_t count, room;

static void
set(struct cr_record *r, int field, const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (text != NULL)
		record_set(r, field, text, strlen(text));
}

static int
read_entry(struct entry *e, struct digest *d, const char *line)
{
	json_t *json = json_loads(line, 0, NULL), *value;
	struct story_keys keys;
	const char *name;

	if (json == NULL)
		return -1;
	e->record = record_new();
	set(e->record, CR_TITLE, json, "title");
	set(e->record, CR_SUMMARY, json, "summary");
	set(e->record, CR_CONTENT, json, "content");
	set(e->record, CR_LINK, json, "link");
	set(e->record, CR_GUID, json, "guid");
	json_object_foreach(json_object_get(json, "extras"), name, value)
		if (json_is_string(value))
			record_set_extra(e->record, name, json_string_value(value));
	name = json_string_value(json_object_get(json, "source"));
	e->source = xstrdup(name != NULL ? name : "");
	e->text = near_new();
	near_read(e->text, e->record);
	e->nears = near_keys(e->text, e->near);
	e->exacts = 0;
	story_keys(d, e->record, &keys);
	for (size_t i = 0; i < keys.ids.n; i++)
		e->exact[e->exacts++] = keys.id[i];
	if (keys.link != 0)
		e->exact[e->exacts++] = keys.link;
	if (keys.title != 0)
		e->exact[e->exacts++] = keys.title;
	e->ids = keys.ids;
	json_decref(json);
	return 0;
}

static size_t
shared(const int64_t *a, size_t an, const int64_t *b, size_t bn)
{
	size_t n = 0;

	for (size_t i = 0; i < an; i++)
		for (size_t j = 0; j < bn; j++)
			n += a[i] == b[j];
	return n;
}

static void
compare(size_t i, size_t j, int all)
{
	const struct entry *a = &entries[i], *b = &entries[j];
	char why[SAME_WHY];
	const char *clash = work_ids_clash(&a->ids, &b->ids);
	int same = same_story(a->text, b->text,
	    a->source[0] != '\0' && strcmp(a->source, b->source) == 0, why);

	if (clash != NULL) {
		same = 0;
		snprintf(why, sizeof(why), "two ids of %s", clash);
	}
	if (!all || same)
		printf("%zu\t%zu\t%d\t%zu\t%zu\t%s\n", i, j, same,
		    shared(a->near, a->nears, b->near, b->nears),
		    shared(a->exact, a->exacts, b->exact, b->exacts), why);
}

static void
bench(double seconds)
{
	struct near_text *t = near_new();
	char why[SAME_WHY];
	clock_t begun = clock();
	double used;
	size_t n = 0;

	do {
		for (size_t i = 1; i < count; i++, n++) {
			near_read(t, entries[i].record);
			same_story(entries[0].text, t, 0, why);
		}
		used = (double)(clock() - begun) / CLOCKS_PER_SEC;
	} while (count > 1 && used < seconds);
	printf("%zu %.6f\n", n, used);
	near_free(t);
}

static void
read_all(void)
{
	struct digest *d = digest_new();
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		if (count == room) {
			room = room > 0 ? 2 * room : 64;
			entries = xreallocarray(entries, room, sizeof(entries[0]));
		}
		if (read_entry(&entries[count], d, line) == -1) {
			fprintf(stderr, "line %zu is no JSON\n", count + 1);
			exit(1);
		}
		count++;
	}
	free(line);
	digest_free(d);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	read_all();
	if (strcmp(what, "pairs") == 0)
		for (size_t i = 0; i + 1 < count; i += 2)
			compare(i, i + 1, 0);
	else if (strcmp(what, "all") == 0)
		for (size_t i = 0; i < count; i++)
			for (size_t j = i + 1; j < count; j++)
				compare(i, j, 1);
	else if (strcmp(what, "bench") == 0 && argc == 3)
		bench(strtod(argv[2], NULL));
	else
		return 2;
	for (size_t i = 0; i < count; i++) {
		record_free(entries[i].record);
		near_free(entries[i].text);
		free(entries[i].source);
	}
	free(entries);
	return 0;
}
