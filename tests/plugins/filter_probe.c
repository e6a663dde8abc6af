/* filter_probe: tells of each record, in its verdict, what the getters give and what a filter may not
 * call, and changes it in every way that a filter may. */
#include <courant/plugin.h>

#include <stdio.h>
#include <string.h>

static void
change(struct cr *cr, struct cr_record *rec)
{
	cr->set(rec, CR_TITLE, "[x] changed");
	cr->set(rec, CR_SUMMARY, "");
	cr->set(rec, CR_LINK, "elsewhere");
	cr->set(rec, CR_CATEGORY, "added");
	cr->set(rec, CR_PUBLISHED, "2026-01-02T03:04:05Z");
	cr->set_extra(rec, "why", "because");
	cr->set_number(rec, "place", 2);
	cr->set_counter(rec, "votes", 99);
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	const char *title = cr->get(rec, CR_TITLE, 0), *lines[] = { "-", "-", "-" };
	double votes = -1;

	(void)opts;
	if (title != NULL && strcmp(title, "fail") == 0)
		return cr->fail(cr, CR_REJECTED, "asked to fail");
	if (title != NULL && strcmp(title, "nonsense") == 0)
		return 17;
	if (title != NULL && strcmp(title, "silent") == 0)
		return -1;
	cr->get_number(rec, "votes", &votes);
	lines[0] = cr->get(rec, CR_AUTHOR, 1);
	lines[1] = cr->get(rec, CR_PUBLISHED, 0);
	lines[2] = cr->get_extra(rec, "note");
	if (votes > 10)
		change(cr, rec);
	return cr->verdict(cr, votes > 5 ? CR_KEEP : CR_WAIT,
	    "%s, %s, %s, %g; %d %d %d %d %d", lines[0] != NULL ? lines[0] : "none",
	    lines[1] != NULL ? lines[1] : "none", lines[2] != NULL ? lines[2] : "none", votes,
	    cr->record(cr, "x") != NULL, cr->feed(cr) != NULL, cr->header(cr, "x") != NULL,
	    cr->wait(cr, -1, 0), cr->base(cr, "/"));
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "probe", .version = "1", .help = "tells what the host does",
	.filter = filter,
};
