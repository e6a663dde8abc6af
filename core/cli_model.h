/* Records as `courant parse` prints them: JSON in the record model of feeds. */
#ifndef CORE_CLI_MODEL_H
#define CORE_CLI_MODEL_H
#include <jansson.h>

struct cr_record;

void	model_text(json_t *, const char *name, const char *text);	/* NULL: left out */
void	model_list(json_t *, const char *name, json_t *list);	/* taken; left out when empty */
json_t	*model_record(const struct cr_record *);
/* The document's own record: format, encoding and well-formedness stand at the top. */
void	model_feed(json_t *top, const struct cr_record *);
/* An entry of a list of feeds says `url` where others say `link`. */
void	model_outlines(json_t *entries);
#endif
