/* source_ticks: a numbered sequence that goes on where its state says, and what tests want a stream to
 * do besides. */
#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ticks {
	int64_t		 pause;
	int64_t		 burst;
	int64_t		 last;
	const char	*then;
	int64_t		 pad;
	int		 again;
};

static const struct cr_option options[] = {
	CR_OPTION(struct ticks, pause, DURATION, "10 ms", NULL, "between two bursts"),
	CR_OPTION(struct ticks, burst, INT, "1", "0..", "numbers at once"),
	CR_OPTION(struct ticks, last, INT, "0", "0..", "number after which `then` comes; 0: none"),
	CR_OPTION(struct ticks, then, STRING, "wait", NULL, "what it does then"),
	CR_OPTION(struct ticks, again, BOOL, "no", NULL, "each once more, with another title"),
	CR_OPTION(struct ticks, pad, SIZE, "0", NULL, "bytes of text in each"),
	CR_END
};

static void
emit(struct cr *cr, const struct ticks *o, int64_t n)
{
	static char text[1 << 20];
	struct cr_record *rec;
	char name[32];

	snprintf(name, sizeof(name), "tick-%lld", (long long)n);
	rec = cr->record(cr, name);
	cr->set(rec, CR_TITLE, name);
	if (o->pad > 0 && o->pad < (int64_t)sizeof(text)) {
		memset(text, 'x', (size_t)o->pad);
		cr->set(rec, CR_SUMMARY_TEXT, text);
	}
	cr->emit(cr, rec);
	if (o->again) {
		rec = cr->record(cr, name);
		cr->set(rec, CR_TITLE, "again");
		cr->emit(cr, rec);
	}
	snprintf(name, sizeof(name), "%lld", (long long)n);
	cr->state_set(cr, "high", name);
}

/* What comes at the end. */
static int
then(struct cr *cr, const struct ticks *o)
{
	if (strcmp(o->then, "return") == 0)
		return 0;
	if (strcmp(o->then, "gone") == 0)
		return cr->fail(cr, CR_GONE, "no more numbers");
	if (strcmp(o->then, "retry") == 0)
		return cr->retry(cr, 3600000, "come back in an hour");
	if (strcmp(o->then, "fail") == 0)
		return cr->fail(cr, CR_BAD_DATA, "the numbers ran out");
	if (strcmp(o->then, "crash") == 0)
		abort();
	if (strcmp(o->then, "spin") == 0)
		for (;;)
			;
	if (strcmp(o->then, "never") == 0)
		for (;;)
			sleep(1);
	while (cr->wait(cr, -1, -1) != -1)
		;
	return 0;
}

static int
stream(struct cr *cr, void *opts)
{
	const struct ticks *o = opts;
	const char *high = cr->state_get(cr, "high");
	int64_t n = high != NULL ? strtoll(high, NULL, 10) : 0, i;

	cr->log(cr, "begins behind %lld", (long long)n);
	do {
		for (i = 0; i < o->burst && (o->last == 0 || n < o->last); i++)
			emit(cr, o, ++n);
		if (o->last != 0 && n >= o->last) {
			cr->stored(cr);
			high = cr->state_get(cr, "high");
			cr->log(cr, "stored up to %s", high != NULL ? high : "nothing");
			return then(cr, o);
		}
	} while (cr->wait(cr, -1, o->pause) == 0);
	cr->log(cr, "stops behind %lld", (long long)n);
	return 0;
}

/* Tells a visitor how far it is on disk. */
static int
request(struct cr *cr, void *opts, const struct cr_visit *visit)
{
	const char *high = cr->state_get(cr, "high");

	(void)opts;
	(void)visit;
	return cr->answer(cr, 200, NULL, high, high != NULL ? strlen(high) : 0);
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "ticks", .version = "1", .help = "numbers, one after the other",
	.options = options, .options_size = sizeof(struct ticks), .stream = stream,
	.request = request,
};
