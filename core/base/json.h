/* Members of JSON objects. */
#ifndef CORE_JSON_H
#define CORE_JSON_H
#include <jansson.h>
#include <stdint.h>

struct buf;

/* A JSON string of text that may not be valid UTF-8, such as a file's name. Owned by the caller. */
json_t	*json_text(const char *);
/* Set a member, except for a NULL or empty text and a time (ms) that is 0, negative or
 * INT64_MAX. */
void	 json_set_text(json_t *, const char *name, const char *text);
void	 json_set_number(json_t *, const char *name, int64_t);
void	 json_set_time(json_t *, const char *name, int64_t ms);
/* A member: "" and 0 if there is none, or it is of another type. */
const char *json_get_text(const json_t *, const char *name);	/* borrowed */
long long json_get_number(const json_t *, const char *name);
/* Appends the value as compact JSON, and gives up the caller's reference to it. */
void	 json_put(struct buf *, json_t *);
#endif
