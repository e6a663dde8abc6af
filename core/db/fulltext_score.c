/* The function of SQL score(f, weights): for each phrase of the query, its weight times how often the
 * row has it, saturated; words of the title count for eight. weights: a double for each phrase, since
 * counting the rows of a phrase, as bm25() does, takes longer than all else. */
#include "fulltext_score.h"

#include <sqlite3.h>

#include <stddef.h>
#include <string.h>

#define PHRASES_MAX	256
#define TITLE		8.0		/* weight of a word in the column 0 */
#define SATURATION	1.2		/* k1 of BM25 */

static void
score(const Fts5ExtensionApi *api, Fts5Context *row, sqlite3_context *context, int n,
    sqlite3_value **value)
{
	const char *weights = n == 1 ? sqlite3_value_blob(value[0]) : NULL;
	const int known = n == 1 ? sqlite3_value_bytes(value[0]) / (int)sizeof(double) : 0;
	double times[PHRASES_MAX] = { 0 }, weight, sum = 0;
	int phrases = api->xPhraseCount(row), found, phrase, column, offset, rc;

	if (phrases > known || phrases > PHRASES_MAX) {
		sqlite3_result_error(context, "score(f, weights): a weight for each phrase", -1);
		return;
	}
	rc = api->xInstCount(row, &found);
	for (int i = 0; rc == SQLITE_OK && i < found; i++) {
		rc = api->xInst(row, i, &phrase, &column, &offset);
		if (rc == SQLITE_OK && phrase >= 0 && phrase < phrases)
			times[phrase] += column == 0 ? TITLE : 1;
	}
	if (rc != SQLITE_OK) {
		sqlite3_result_error_code(context, rc);
		return;
	}
	for (int i = 0; i < phrases; i++) {
		memcpy(&weight, weights + (size_t)i * sizeof(weight), sizeof(weight));
		sum += weight * times[i] / (times[i] + SATURATION);
	}
	sqlite3_result_double(context, sum);
}

int
fulltext_score_register(sqlite3 *db)
{
	fts5_api *api = NULL;
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_pointer(st, 1, (void *)&api, "fts5_api_ptr", NULL);
	if (rc == SQLITE_OK)
		(void)sqlite3_step(st);
	sqlite3_finalize(st);
	if (rc == SQLITE_OK && (api == NULL || api->iVersion < 2))
		return SQLITE_ERROR;
	return rc == SQLITE_OK ? api->xCreateFunction(api, "score", NULL, score, NULL) : rc;
}
