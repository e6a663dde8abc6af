/* The terms of a story's heat: what each of its items adds. */
#ifndef CORE_HEAT_TERM_H
#define CORE_HEAT_TERM_H
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define HEAT_NAME	256		/* bytes of a counter's name, with its NUL */

/* What one item adds to its story by being a mention (name ""), or by one counter. */
struct heat_term {
	int64_t		 item, source;
	char		 name[HEAT_NAME];
	int64_t		 hi;		/* the counter's highest value so far */
	double		 w, heat;	/* plain sum of its events' weights, and log of their sum */
	int64_t		 n, first, last;	/* events, and their times, ms */
	int		 counts;	/* of the terms of one number, or of one source's mentions: the
					 * one that is in the story's heat */
};

/* Sorts the terms of a story, by name, and sets `counts` of each. */
void	 heat_terms_count(struct heat_term *, size_t n);
/* A term for people: id of its record, source, name, value, weight, sum (the logarithm), events, first,
 * last, counts. id, source: NULL if unknown. */
json_t	*heat_term_json(const struct heat_term *, const char *id, const char *source);
/* Sets a member, unless the value is no finite number. */
void	 heat_json_set(json_t *, const char *name, double);
#endif
