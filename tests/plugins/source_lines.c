/* source_lines: one record a line, `guid|title|link|date|text`; a line of one word asks the host for
 * one thing more, so that tests reach all that a parse plugin may call. */
#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lines {
	const char	*prefix;
	int64_t		 number;
	int		 opened;
};

static const struct cr_option options[] = {
	CR_OPTION(struct lines, prefix, STRING, "", NULL, "put before each title"),
	CR_OPTION(struct lines, number, INT, "0", "0..9", "told with each record"),
	CR_END
};

static int
start(struct cr *cr, void *opts)
{
	struct lines *o = opts;

	if (o->number == 9)
		return cr->fail(cr, CR_BAD_OPTION, "number: 9 cannot be opened");
	o->opened++;
	return 0;
}

static void
stop(struct cr *cr, void *opts)
{
	struct lines *o = opts;

	cr->log(cr, "closed %d with number %d", o->opened, (int)o->number);
}

/* A line that asks for something: whether it was one; *rc is then what parse() returns. */
static int
ask(struct cr *cr, const char *line, int *rc)
{
	if (strncmp(line, "fail ", 5) == 0)
		*rc = cr->fail(cr, CR_BAD_DATA, "%s", line + 5);
	else if (strncmp(line, "retry ", 6) == 0)
		*rc = cr->retry(cr, strtol(line + 6, NULL, 10), "later");
	else if (strncmp(line, "partial ", 8) == 0)
		cr->partial(cr, "%s", line + 8);
	else if (strncmp(line, "base ", 5) == 0)
		cr->base(cr, line[5] != '\0' ? line + 5 : NULL);
	else if (strncmp(line, "ttl ", 4) == 0)
		cr->set_extra(cr->feed(cr), "ttl", line + 4);
	else if (strncmp(line, "state ", 6) == 0)
		cr->state_set(cr, "last", line + 6);
	else if (strcmp(line, "crash") == 0)
		abort();
	else
		return 0;
	return 1;
}

static void
item(struct cr *cr, const struct lines *o, char *line)
{
	char title[1000], *part[5] = { NULL };
	struct cr_record *rec;
	size_t n;

	for (n = 0; n < 5 && line != NULL; n++)
		part[n] = strsep(&line, "|");
	rec = cr->record(cr, part[0][0] != '\0' ? part[0] : NULL);
	if (part[1] != NULL) {
		snprintf(title, sizeof(title), "%s%s", o->prefix != NULL ? o->prefix : "",
		    part[1]);
		cr->set(rec, CR_TITLE, title);
	}
	cr->set(rec, CR_LINK, part[2]);
	cr->set(rec, CR_PUBLISHED, part[3]);
	cr->set(rec, CR_SUMMARY, part[4]);
	cr->set_number(rec, "number", (double)o->number);
	cr->emit(cr, rec);
}

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	char *copy = strdup(page->body), *at = copy, *line;
	const char *last = cr->state_get(cr, "last");
	int rc = 0;

	cr->set(cr->feed(cr), CR_TITLE, page->url);
	cr->set_extra(cr->feed(cr), "last", last);
	while (rc == 0 && (line = strsep(&at, "\n")) != NULL)
		if (line[0] != '\0' && !ask(cr, line, &rc))
			item(cr, opts, line);
	free(copy);
	return rc;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "lines", .version = "1", .help = "a record a line",
	.options = options, .options_size = sizeof(struct lines),
	.open = start, .close = stop, .parse = parse,
};
