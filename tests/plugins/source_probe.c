/* source_probe: calls the host in every way that parse() may and may not, and tells in a record what
 * came back: two hosts that are the same give the same record. */
#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY	70			/* more records than may be open */

struct probe {
	const char	*text, *url, *key;
	const char	*const *words;
	int64_t		 number, every, size;
	double		 ratio;
	int		 loud, mode;
};

static const struct cr_option options[] = {
	CR_OPTION(struct probe, text, STRING, "plain", NULL, "a text"),
	CR_OPTION(struct probe, url, URL, "", NULL, "a URL"),
	CR_OPTION(struct probe, key, SECRET, "", NULL, "a key"),
	CR_OPTION(struct probe, words, LIST, "one|two", NULL, "words"),
	CR_OPTION(struct probe, number, INT, "3", "1..9", "a number"),
	CR_OPTION(struct probe, every, DURATION, "90 s", "1 s..", "a duration"),
	CR_OPTION(struct probe, size, SIZE, "1.5 kB", NULL, "a size"),
	CR_OPTION(struct probe, ratio, NUMBER, "0.25", "0..1", "a ratio"),
	CR_OPTION(struct probe, loud, BOOL, "no", NULL, "a switch"),
	CR_OPTION(struct probe, mode, ENUM, "any", "all|any|none", "a choice"),
	CR_END
};

/* An extra that says what an option holds. */
static void
tell_options(struct cr *cr, struct cr_record *rec, const struct probe *o)
{
	char line[500], *at = line;
	size_t i;

	at += sprintf(at, "%.50s|%.50s|", o->text != NULL ? o->text : "-",
	    o->url != NULL ? o->url : "-");
	for (i = 0; i < 5 && o->words[i] != NULL; i++)
		at += sprintf(at, "%.20s,", o->words[i]);
	sprintf(at, "|%d|%d|%d|%g|%d|%d", (int)o->number, (int)o->every, (int)o->size, o->ratio,
	    o->loud, o->mode);
	cr->set_extra(rec, "options", line);
	cr->set_extra(rec, "secret", o->key != NULL && strncmp(o->key, "{secret:", 8) != 0 ?
	    "seen" : "not seen");
}

/* What may not be called from parse(). */
static void
trespass(struct cr *cr, struct cr_record *rec, char *line)
{
	double number = 7;

	sprintf(line, "get %d time %d extra %d number %d json %d verdict %d wait %d stored %d "
	    "answer %d", cr->get(rec, CR_TITLE, 0) != NULL,
	    cr->get_time(rec, CR_PUBLISHED) != CR_NO_TIME, cr->get_extra(rec, "a") != NULL,
	    cr->get_number(rec, "n", &number), cr->json(rec) != NULL,
	    cr->verdict(cr, CR_KEEP, "no"), cr->wait(cr, -1, 1), cr->stored(cr),
	    cr->answer(cr, 200, "text/plain", "x", 1));
}

/* Nothing where something is wanted. */
static void
nothing(struct cr *cr, struct cr_record *rec, char *line)
{
	sprintf(line, "%d %d %d %d %d %d %d %d %d %d %d", cr->set(rec, CR_TITLE, NULL),
	    cr->set(NULL, CR_TITLE, "x"), cr->set_time(NULL, CR_PUBLISHED, 1),
	    cr->set_extra(rec, NULL, "x"), cr->set_extra(rec, "x", NULL),
	    cr->set_number(rec, NULL, 1), cr->set_counter(NULL, "x", 1),
	    cr->add_author(rec, NULL, NULL, NULL), cr->add_enclosure(rec, NULL, NULL, 1),
	    cr->emit(cr, NULL), cr->state_set(cr, NULL, "x"));
}

static void
pages(struct cr *cr, struct cr_record *rec)
{
	cr->set_extra(rec, "header", cr->header(cr, "X-Probe"));
	cr->set_extra(rec, "no header", cr->header(cr, "X-Missing"));
	cr->set_extra(rec, "link", cr->link(cr, "next"));
	cr->set_extra(rec, "no link", cr->link(cr, "prev"));
	cr->base(cr, "/other/");
	cr->set(rec, CR_IMAGE, "image.png");
	cr->base(cr, NULL);
	cr->set(rec, CR_COMMENTS, "?page=2");
}

static void
texts(struct cr *cr, struct cr_record *rec)
{
	size_t len = 0, bad = 0;
	const char *text = cr->convert(cr, "iso-8859-1", "caf\xe9", 4, &len, &bad);
	char line[100];

	cr->set(rec, CR_TITLE, text);
	sprintf(line, "%zu %zu %d", len, bad, cr->convert(cr, "klingon", "x", 1, &len, &bad) != NULL);
	cr->set_extra(rec, "converted", line);
	sprintf(line, "%lld %lld %lld", (long long)cr->parse_time(cr, "2026-11-21T09:16:00+01:00"),
	    (long long)cr->parse_time(cr, "Sat, 21 Nov 2026 09:16:00 GMT"),
	    (long long)cr->parse_time(cr, "soon"));
	cr->set_extra(rec, "times", line);
	cr->set(rec, CR_SUMMARY_TEXT, "a < b & \"c\" 'd' \x80 \x01 e");
	cr->set(rec, CR_CONTENT, "<p>a  b</p>");
	cr->set(rec, CR_LANGUAGE, "  de ");
	cr->set(rec, CR_RIGHTS, "all \t of \n them\xc2\xa0too");
}

static void
lists(struct cr *cr, struct cr_record *rec)
{
	cr->set(rec, CR_CATEGORY, " birds ");
	cr->set(rec, CR_CATEGORY, "");
	cr->set(rec, CR_CATEGORY, "bees");
	cr->set(rec, CR_AUTHOR, "Ann Example <ann@example.org>");
	cr->set(rec, CR_AUTHOR, "bob@example.org");
	cr->add_author(rec, "Carl", "mailto:carl@example.org", "/carl");
	cr->set(rec, CR_CONTRIBUTOR, "Dora");
	cr->set(rec, CR_ENCLOSURE, "a.mp3");
	cr->add_enclosure(rec, "b.mp3", "audio/mpeg", 1234);
	cr->add_enclosure(rec, "\xc3\xbc@b.mp3?\xc3\xb6#\xc3\xa9", NULL, -1);
	cr->add_enclosure(rec, "http://u:p@c@feeds.example:8080/\xc3\xbc@x?y@z", NULL, -1);
	cr->add_enclosure(rec, "//u@feeds.example/@x", NULL, -1);
	cr->add_enclosure(rec, "javascript:alert(1)", NULL, -1);
	cr->add_enclosure(rec, "intent://x#Intent;end", NULL, -1);
	cr->set_number(rec, "rating", 0.1);
	cr->set_number(rec, "rating", 12.5);
	cr->set_counter(rec, "votes", 42);
	cr->set_time(rec, CR_UPDATED, INT64_C(1600000000123));
	cr->set(rec, CR_PUBLISHED, "2099-01-01");
}

/* Records that emit() refuses. */
static void
refused(struct cr *cr, char *line)
{
	static char big[(1 << 20) + 2];
	struct cr_record *rec[6];
	int i;

	memset(big, 'y', sizeof(big) - 1);
	for (i = 0; i < 4; i++)
		rec[i] = cr->record(cr, "refused");
	for (; i < 6; i++)
		rec[i] = cr->record(cr, i == 4 ? NULL : CR_BY_TITLE);
	cr->set_extra(rec[0], "big", big);
	cr->set(rec[1], CR_ID, "mine");
	cr->set_time(rec[2], CR_TITLE, 1);
	cr->set_number(rec[3], "endless", 1e308 * 10);
	cr->set(rec[4], CR_TITLE, "of nothing");
	cr->set(rec[4], CR_LINK, "javascript:x");
	cr->set(rec[5], CR_TITLE, "by its title");
	cr->set(rec[5], CR_SUMMARY_TEXT, "one\r\ntwo\n\n <three>\n");
	for (i = 0; i < 6; i++)
		line += sprintf(line, "%d ", cr->emit(cr, rec[i]));
	sprintf(line, "%d %d", cr->emit(cr, rec[0]), cr->emit(cr, cr->feed(cr)));
}

/* How many records may be open at once. */
static int
open_at_once(struct cr *cr)
{
	int n = 0;

	while (n < MANY && cr->record(cr, NULL) != NULL)
		n++;
	return n;
}

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *rec = cr->record(cr, "  the probe ");
	char line[500];

	cr->set_extra(rec, "state", cr->state_get(cr, "seen"));
	cr->state_set(cr, "seen", "first");
	cr->state_set(cr, "seen", page->tag);
	cr->state_set(cr, "gone", NULL);
	tell_options(cr, rec, opts);
	trespass(cr, rec, line);
	cr->set_extra(rec, "trespass", line);
	nothing(cr, rec, line);
	cr->set_extra(rec, "nothing", line);
	cr->set(rec, CR_LINK, " ../a/./b/../c?x=1#y ");
	pages(cr, rec);
	texts(cr, rec);
	lists(cr, rec);
	refused(cr, line);
	cr->set_extra(rec, "refused", line);
	sprintf(line, "%s %s %s %d %zu", page->url, page->type, page->charset, page->nth,
	    strlen(page->body) - page->len);
	cr->set_extra(rec, "page", line);
	cr->emit(cr, rec);
	rec = cr->record(cr, "open");
	sprintf(line, "%d", 1 + open_at_once(cr));
	cr->set_extra(rec, "open", line);
	cr->emit(cr, rec);
	cr->set(cr->feed(cr), CR_TITLE_HTML, "<b>Bold</b> &amp; more");
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "probe", .version = "1", .help = "tells what the host does",
	.options = options, .options_size = sizeof(struct probe), .parse = parse,
};
