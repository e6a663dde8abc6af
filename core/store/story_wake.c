/* Which waiting records an event of a story wakes: those whose filters wait for a number that is now
 * large enough, each by one statement. */
#include "story_wake.h"
#include "book.h"
#include "item.h"
#include "story_heat.h"
#include "base/date.h"
#include "record/record.h"

static void
wake_number(struct book *book, int64_t story, const char *name, double value, double sign)
{
	db_run(&book->db, SQL_WAIT_HEAT, DB_INT(story), DB_TEXT(name), DB_REAL(value), DB_REAL(sign));
}

/* Those that wait for the story's heat, score or rank, which are so now. */
static void
wake_heat(struct book *book, int64_t story, int64_t now)
{
	struct story_heat s;
	int64_t rank;

	db_bind(&book->db, SQL_WAIT_HEATS, DB_INT(story));
	if (db_first(&book->db, SQL_WAIT_HEATS, 0) == 0)
		return;
	heat_get(&book->db, story, &s);
	wake_number(book, story, "heat", heat_at(&book->heat, s.heat, now), 1);
	wake_number(book, story, "score", s.score, 1);
	if ((rank = heat_rank(&book->db, s.heat, HEAT_RANKS)) > 0)
		wake_number(book, story, "rank", (double)rank, -1);
}

void
wake_met(struct book *book, const struct item_source *source, const struct cr_record *r, int64_t item,
    int64_t story, int hotter)
{
	const int64_t now = date_now();
	const char *name;
	int64_t value;

	db_run(&book->db, SQL_WAIT_HOUR, DB_INT(item), DB_INT(now));
	for (size_t i = 0; record_counter_at(r, i, &name, &value); i++) {
		db_run(&book->db, SQL_WAIT_OWN, DB_INT(item), DB_TEXT(name), DB_REAL((double)value));
		if (source->counters)
			db_run(&book->db, SQL_WAIT_COUNT, DB_INT(story), DB_TEXT(name),
			    DB_REAL((double)value));
	}
	if (hotter)
		wake_heat(book, story, now);
}
