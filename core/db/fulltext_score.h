/* The function of SQL score(f, weights), by which matches of the full text are ranked. */
#ifndef CORE_FULLTEXT_SCORE_H
#define CORE_FULLTEXT_SCORE_H

struct sqlite3;

/* Registers it for a connection. 0, or an error of SQLite. */
int	fulltext_score_register(struct sqlite3 *);
#endif
