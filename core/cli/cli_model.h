/* Makes the JSON of records that `courant parse` prints. */
#ifndef CORE_CLI_MODEL_H
#define CORE_CLI_MODEL_H
#include <jansson.h>

struct cr_record;

void	model_text(json_t *, const char *name, const char *text);	/* NULL: adds nothing */
/* Adds a list, whose reference it takes over; an empty one is freed. */
void	model_list(json_t *, const char *name, json_t *list);
json_t	*model_record(const struct cr_record *);
/* Adds the record of the document itself as `feed`; its format, encoding and well-formedness become
 * members of top. */
void	model_feed(json_t *top, const struct cr_record *);
/* Adds to each entry of a list of feeds (OPML) its link as `url`, and an empty list of categories
 * if it has none. */
void	model_outlines(json_t *entries);
#endif
