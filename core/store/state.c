/* The state that plugins store between their jobs: rows of the table `state`, by instance. */
#include "state.h"
#include "db/db.h"

#include <stdio.h>
#include <string.h>

void
state_name(char name[STATE_NAME], const char *kind, int64_t id, const char *rule)
{
	snprintf(name, STATE_NAME, "%s:%lld%s%s", kind, (long long)id, rule != NULL ? "/" : "",
	    rule != NULL ? rule : "");
}

void
state_read(struct db *db, const char *name, struct buf *pairs)
{
	const char *text;
	int i;

	db_bind(db, SQL_STATES, DB_TEXT(name));
	while (db_step(db, SQL_STATES))
		for (i = 0; i < 2; i++) {
			text = db_text(db, SQL_STATES, i);
			buf_add(pairs, text, strlen(text) + 1);
		}
}

int
state_set(struct db *db, struct state_sum *sum, const char *name, const char *key,
    const char *value)
{
	int64_t old = db_get(db, SQL_STATE_LEN, 0, DB_TEXT(name), DB_TEXT(key)), len = 0;

	if (strcmp(sum->name, name) != 0) {
		snprintf(sum->name, sizeof(sum->name), "%s", name);
		sum->bytes = db_get(db, SQL_STATE_SIZE, 0, DB_TEXT(name));
	}
	if (value != NULL) {
		len = (int64_t)(strlen(key) + strlen(value));
		if (sum->bytes - old + len > STATE_MAX)
			return -1;
		db_run(db, SQL_STATE_SET, DB_TEXT(name), DB_TEXT(key), DB_TEXT(value));
	} else
		db_run(db, SQL_STATE_UNSET, DB_TEXT(name), DB_TEXT(key));
	sum->bytes += len - old;
	return 0;
}

void
state_drop(struct db *db, const char *name)
{
	db_run(db, SQL_STATE_DROP, DB_TEXT(name));
}
