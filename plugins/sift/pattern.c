/* Regular expressions by PCRE2, with an end to what one may cost on a text of any kind. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "sift.h"

#include <pcre2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WINDOW_MAX	16384		/* bytes in which a match may begin, of one call */

struct pattern {
	pcre2_code		*code;
	pcre2_match_context	*context;
	pcre2_match_data	*found;
	size_t			 window;	/* that the last call did well with */
	int			 anchored;	/* matches at the beginning alone */
};

static struct pattern *
refused(struct pattern *p, char why[SIFT_WHY], int error, size_t at)
{
	PCRE2_UCHAR text[200];

	pcre2_get_error_message(error, text, sizeof(text));
	snprintf(why, SIFT_WHY, "%s at %zu", (const char *)text, at);
	pattern_free(p);
	return NULL;
}

struct pattern *
pattern_new(const char *re, char why[SIFT_WHY])
{
	/* No just-in-time code: the sandbox lets no memory be both written and run. */
	const uint32_t how = PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_USE_OFFSET_LIMIT |
	    PCRE2_NEVER_BACKSLASH_C;
	struct pattern *p = calloc(1, sizeof(*p));
	uint32_t all = 0;
	size_t at = 0;
	int error = PCRE2_ERROR_NOMEMORY;

	if (p != NULL)
		p->code = pcre2_compile((PCRE2_SPTR)re, PCRE2_ZERO_TERMINATED, how, &error, &at,
		    NULL);
	if (p == NULL || p->code == NULL)
		return refused(p, why, error, at);
	p->context = pcre2_match_context_create(NULL);
	p->found = pcre2_match_data_create_from_pattern(p->code, NULL);
	if (p->context == NULL || p->found == NULL)
		return refused(p, why, PCRE2_ERROR_NOMEMORY, 0);
	pcre2_set_heap_limit(p->context, SIFT_HEAP);
	pcre2_pattern_info(p->code, PCRE2_INFO_ALLOPTIONS, &all);
	p->anchored = (all & PCRE2_ANCHORED) != 0;
	p->window = WINDOW_MAX;
	return p;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pcre2_match_data_free(p->found);
	pcre2_match_context_free(p->context);
	pcre2_code_free(p->code);
	free(p);
}

static int64_t
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One call, for matches that begin in the window at `from`. PCRE2 counts the steps from each place
 * anew; so many places, so few steps each. */
static int
call(struct pattern *p, const char *s, size_t len, size_t from)
{
	size_t window = p->anchored ? 1 : p->window;

	pcre2_set_match_limit(p->context, (uint32_t)(SIFT_STEPS / window));
	pcre2_set_offset_limit(p->context, from + window - 1);
	return pcre2_match(p->code, (PCRE2_SPTR)s, len, from, PCRE2_NO_UTF_CHECK, p->found,
	    p->context);
}

int
pattern_find(struct pattern *p, const char *s, size_t len, size_t from, size_t *begin, size_t *end)
{
	int64_t stop = cpu_ms() + SIFT_CPU;
	const size_t *at;
	int rc;

	while (from <= len) {
		rc = call(p, s, len, from);
		if (rc >= 0) {
			at = pcre2_get_ovector_pointer(p->found);
			*begin = at[0] < at[1] ? at[0] : at[1];		/* \K may turn them */
			*end = at[1];
			return 1;
		}
		if (rc != PCRE2_ERROR_NOMATCH && (rc != PCRE2_ERROR_MATCHLIMIT ||
		    p->window == 1 || p->anchored))
			return -1;
		if (cpu_ms() >= stop)
			return -1;
		if (rc == PCRE2_ERROR_MATCHLIMIT) {
			p->window = p->window > 8 ? p->window / 8 : 1;
			continue;
		}
		if (p->anchored)
			return 0;
		from += p->window;
		while (from < len && ((unsigned char)s[from] & 0xc0) == 0x80)
			from++;
		if (p->window < WINDOW_MAX)
			p->window *= 2;
	}
	return 0;
}

size_t
pattern_groups(const struct pattern *p)
{
	uint32_t n = 0;

	pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &n);
	return n;
}

int
pattern_group(const struct pattern *p, size_t nth, size_t *begin, size_t *end)
{
	const size_t *at = pcre2_get_ovector_pointer(p->found);

	if (nth >= pcre2_get_ovector_count(p->found) || at[2 * nth] == PCRE2_UNSET ||
	    at[2 * nth] > at[2 * nth + 1])
		return 0;
	*begin = at[2 * nth];
	*end = at[2 * nth + 1];
	return 1;
}
