/* The page of a story. */
#include "page_story.h"
#include "pages.h"
#include "reply.h"
#include "serve.h"
#include "story_html.h"
#include "story_read.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/text.h"
#include "record/heat.h"
#include "record/record.h"

#include <courant/plugin.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER		"/s/"
#define DAYS		7		/* of the curve of heat */
#define DAY		INT64_C(86400000)
#define WIDE		600		/* of the curve, in units of the picture */
#define HIGH		90

static void
tellers_put(struct buf *b, const struct story *s)
{
	buf_str(b, "<section aria-labelledby=\"told\">\n<h2 id=\"told\">Where it was told</h2>\n<table>\n<thead><tr><th>Source</th>"
	    "<th>Title</th><th>Seen (UTC)</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < s->ntellers; i++) {
		const struct story_teller *t = &s->teller[i];

		buf_str(b, "<tr><td>");
		xml_put(b, t->source);
		buf_str(b, "</td><td dir=\"auto\">");
		if (is_page(t->link))
			link_open(b, t->link);
		xml_put(b, t->title != NULL ? t->title : t->link != NULL ? t->link : "(no title)");
		buf_str(b, is_page(t->link) ? "</a></td><td>" : "</td><td>");
		time_put(b, t->seen);
		buf_str(b, "</td></tr>\n");
	}
	buf_str(b, "</tbody>\n</table>\n</section>\n");
}

/* What is left at `when` of a sum of what came before. */
static double
left_at(const struct story_heat *h, int64_t when)
{
	const struct heat_rules rules = { .half_life = h->half_life };
	double sum = -INFINITY;

	for (size_t i = 0; i < h->n; i++)
		if (h->term[i].term.counts && h->term[i].term.first <= when)
			sum = heat_sum(sum, h->term[i].term.heat);
	return isinf(sum) ? 0 : heat_at(&rules, sum, when);
}

/* The last days as a line; the table below says the same in numbers. */
static void
curve_put(struct buf *b, const struct story_heat *h, int64_t now)
{
	double at[DAYS * 4 + 1], most = 0.001;

	for (int i = 0; i <= DAYS * 4; i++) {
		at[i] = left_at(h, now - (DAYS * 4 - i) * DAY / 4);
		most = at[i] > most ? at[i] : most;
	}
	buf_fmt(b, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Heat over the last %d days\">"
	    "<polyline fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" points=\"", WIDE, HIGH + 4, DAYS);
	for (int i = 0; i <= DAYS * 4; i++)
		buf_fmt(b, "%s%d,%d", i > 0 ? " " : "", i * WIDE / (DAYS * 4), HIGH + 2 - (int)(at[i] / most * HIGH));
	buf_str(b, "\"/></svg>\n");
}

static void
terms_put(struct buf *b, const struct story_heat *h, int64_t now)
{
	const struct heat_rules rules = { .half_life = h->half_life };

	buf_str(b, "<section aria-labelledby=\"heat\">\n<h2 id=\"heat\">Heat</h2>\n");
	curve_put(b, h, now);
	buf_str(b, "<table>\n<thead><tr><th>From</th><th>What</th><th class=\"n\">Value</th><th class=\"n\">Heat now</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < h->n; i++) {
		const struct heat_term *t = &h->term[i].term;

		if (!t->counts)
			continue;
		buf_str(b, "<tr><td>");
		xml_put(b, h->term[i].source);
		buf_str(b, "</td><td>");
		xml_put(b, t->name[0] != '\0' ? t->name : "it told the story");
		if (t->name[0] != '\0')
			buf_fmt(b, "</td><td class=\"n\">%" PRId64, t->hi);
		else
			buf_str(b, "</td><td class=\"n\">");
		buf_fmt(b, "</td><td class=\"n\">%.3f</td></tr>\n", isinf(t->heat) ? 0 : heat_at(&rules, t->heat, now));
	}
	buf_fmt(b, "</tbody>\n</table>\n<p class=\"when\">All of it halves every %" PRId64 " hours.</p>\n</section>\n",
	    h->half_life / 3600000);
}

/* 0; -1: the database cannot be read. */
static int
story_answer(struct serve *s, struct evhttp_request *req, const struct list_row *row)
{
	struct story_heat heat;
	struct story story;
	const char *title;
	struct buf b;

	if (story_heat_read(s->reader, row, &heat) == -1)
		return -1;
	if (story_load(s->reader, row, &story) == -1) {
		story_heat_free(&heat);
		return -1;
	}
	title = record_get(story.face, CR_TITLE, 0);
	page_begin(s, &b, title != NULL ? title : story.id, "");
	buf_str(&b, "<article>\n");
	story_put_whole(&b, &story);
	buf_str(&b, "</article>\n");
	tellers_put(&b, &story);
	if (heat.half_life > 0 && heat.n > 0)
		terms_put(&b, &heat, date_now() / 60000 * 60000);
	page_end(s, &b);
	page_answer(s, req, &b);
	story_unload(&story);
	story_heat_free(&heat);
	return 0;
}

void
page_story(struct serve *s, struct evhttp_request *req, const char *path)
{
	const char *id = path + strlen(FOLDER);
	unsigned char rid[LIST_RID];
	char text[TEXT_BASE32_16], *where;
	struct list_row row = { .story = 0 };
	int64_t hidden = 0;
	int rc;

	if (text_base32_read(rid, id, strlen(id)) == -1) {
		reply_error(s, req, 404, "\"%.100s\" is no id of a story", id);
		return;
	}
	rc = story_find(s->reader, rid, &row, &hidden);
	if (rc == 0)
		reply_error(s, req, 404, "there is no story %s", id);
	else if (rc == 1 && hidden != 0)
		reply_error(s, req, 410, "the story was hidden");
	else if (rc == 1 && memcmp(row.rid, rid, LIST_RID) != 0) {
		text_base32(text, row.rid, LIST_RID);
		where = xasprintf(FOLDER "%s", text);
		reply_header(req, "Location", where);
		free(where);
		reply_error(s, req, 301, "it is told as %s", text);
	} else if (rc == -1 || story_answer(s, req, &row) == -1)
		reply_unreadable(s, req);
}
