/* source_pages: one record a line, as in source_lines; a line of one word asks for further pages, so
 * that tests reach all that a job of several pages may do. */
#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pages {
	const char *const	*plan;		/* URL or URL#TAG; none: `url` */
	const char		*key;
	const char		*post;
	int64_t			 wait;
};

static const struct cr_option options[] = {
	CR_OPTION(struct pages, plan, LIST, "", NULL, "pages to begin with"),
	CR_OPTION(struct pages, key, SECRET, "", NULL, "sent as X-Key"),
	CR_OPTION(struct pages, post, STRING, "", NULL, "body of the planned requests"),
	CR_OPTION(struct pages, wait, DURATION, "0", NULL, "that each page takes"),
	CR_END
};

/* "fetch URL", "keyed URL" (with X-Key by itself), "next URL", "state VALUE", "fail WHY", "hold MS". */
static int
ask(struct cr *cr, const struct pages *o, const char *line, int *rc)
{
	char headers[1000];
	struct cr_request q = { .size = sizeof(q) };

	if (strncmp(line, "fetch ", 6) == 0) {
		q.url = line + 6;
		cr->fetch(cr, &q);
	} else if (strncmp(line, "keyed ", 6) == 0) {
		snprintf(headers, sizeof(headers), "X-Own: %s\n", o->key);
		q.url = line + 6;
		q.headers = headers;
		cr->fetch(cr, &q);
	} else if (strncmp(line, "next ", 5) == 0) {
		cr->next(cr, line + 5);
	} else if (strncmp(line, "state ", 6) == 0) {
		cr->state_set(cr, "high", line + 6);
	} else if (strncmp(line, "fail ", 5) == 0) {
		*rc = cr->fail(cr, CR_BAD_DATA, "%s", line + 5);
	} else if (strncmp(line, "crash", 5) == 0) {
		abort();
	} else {
		return 0;
	}
	return 1;
}

static void
item(struct cr *cr, const struct cr_page *page, char *line)
{
	const char *high = cr->state_get(cr, "high"), *guid = strsep(&line, "|");
	struct cr_record *rec = cr->record(cr, guid);
	char nth[16];

	snprintf(nth, sizeof(nth), "%d", page->nth);
	cr->set(rec, CR_TITLE, line != NULL ? line : guid);
	cr->set_extra(rec, "tag", page->tag);
	cr->set_extra(rec, "nth", nth);
	cr->set_extra(rec, "high", high);
	cr->set_extra(rec, "page", page->url);
	cr->emit(cr, rec);
}

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	const struct pages *o = opts;
	char *copy = strdup(page->body), *at = copy, *line;
	int64_t until = cr->now(cr) + o->wait;
	int rc = 0;

	while (rc == 0 && (line = strsep(&at, "\n")) != NULL)
		if (line[0] != '\0' && !ask(cr, o, line, &rc))
			item(cr, page, line);
	while (cr->now(cr) < until)
		;
	free(copy);
	return rc;
}

#ifdef PLANNED
static int
plan(struct cr *cr, void *opts)
{
	const struct pages *o = opts;
	char url[1000];

	for (size_t i = 0; o->plan != NULL && o->plan[i] != NULL; i++) {
		const char *hash = strchr(o->plan[i], '#');
		struct cr_request q = { .size = sizeof(q), .url = url,
			.tag = hash != NULL ? hash + 1 : NULL, .body = o->post,
			.len = o->post != NULL ? strlen(o->post) : 0 };

		snprintf(url, sizeof(url), "%.*s", hash != NULL ? (int)(hash - o->plan[i]) :
		    (int)strlen(o->plan[i]), o->plan[i]);
		cr->fetch(cr, &q);
	}
	return 0;
}

#define NAME	"planned"
#define PLAN	plan
#else
#define NAME	"pages"
#define PLAN	NULL
#endif

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = NAME, .version = "1", .help = "a record a line, on many pages",
	.options = options, .options_size = sizeof(struct pages),
	.headers = "X-Key: {key}\n", .plan = PLAN, .parse = parse,
};
