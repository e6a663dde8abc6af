/* What a plugin keeps between its calls: state_get() gives what was stored when the job began, state_set()
 * notes what goes into the results, with which it is stored. */
#include "host.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* What was set lies in host.state as KEY\0, 1 or 0 for unset, VALUE\0. */
static char *
set_next(char *s)
{
	s += strlen(s) + 1;
	return s + 1 + strlen(s + 1) + 1;
}

/* Where the key stands among what was set; NULL: nowhere. */
static char *
set_find(const struct buf *sets, const char *key)
{
	char *s = sets->data, *end = s + sets->len;

	for (; s != NULL && s < end; s = set_next(s))
		if (strcmp(s, key) == 0)
			return s;
	return NULL;
}

static void
cut(struct buf *b, char *from, const char *to)
{
	size_t left = (size_t)(b->data + b->len - to);

	b->len -= (size_t)(to - from);
	memmove(from, to, left);
}

/* The value in KEY\0VALUE\0...; NULL: there is none. */
static const char *
known_find(struct bytes known, const char *key)
{
	const char *s = known.data, *end, *value;

	if (s == NULL)
		return NULL;
	for (end = s + known.len; s < end; s = value + strlen(value) + 1) {
		value = s + strlen(s) + 1;
		if (value >= end)
			break;
		if (strcmp(s, key) == 0)
			return value;
	}
	return NULL;
}

static const char *
cr_state_get(struct cr *cr, const char *key)
{
	(void)cr;
	return (host.phase & MAY_KEEP) != 0 && key != NULL ? known_find(host.known, key) : NULL;
}

/* Lays one value (NULL: none) over all that is kept. -1: that would be over HOST_STATE. */
static int
ahead_put(const char *key, const char *value)
{
	struct buf *all = &host.ahead;
	const char *old = known_find((struct bytes){ all->data, all->len }, key);
	size_t n = strlen(key) + 1, v = value != NULL ? strlen(value) + 1 : 0;
	size_t was = old != NULL ? n + strlen(old) + 1 : 0;

	if (value != NULL && all->len - was + n + v > HOST_STATE)
		return -1;
	if (old != NULL)
		cut(all, all->data + (old - all->data) - n, old + strlen(old) + 1);
	if (value != NULL) {
		buf_add(all, key, n);
		buf_add(all, value, v);
	}
	return 0;
}

static int
cr_state_set(struct cr *cr, const char *key, const char *value)
{
	size_t n, v = value != NULL ? strlen(value) : 0;
	char *before;

	(void)cr;
	if ((host.phase & MAY_KEEP) == 0 || key == NULL)
		return -1;
	n = strlen(key);
	if (n == 0 || n > HOST_KEY || text_valid(key, n) != n ||
	    (value != NULL && text_valid(value, v) != v) || ahead_put(key, value) == -1)
		return -1;
	before = set_find(&host.state, key);
	if (before != NULL)
		cut(&host.state, before, set_next(before));
	if (host.state.len + n + v + 3 > host.state.max)
		return -1;
	buf_add(&host.state, key, n + 1);
	buf_char(&host.state, value != NULL);
	buf_add(&host.state, value != NULL ? value : "", v + 1);
	return 0;
}

void
host_state_begin(struct bytes known)
{
	host.known = known;
	buf_clear(&host.state);
	buf_clear(&host.ahead);
	buf_add(&host.ahead, known.data, known.len);
}

void
host_state_write(void)
{
	const char *s = host.state.data, *end, *value;
	size_t begun;

	if (s == NULL)
		return;
	for (end = s + host.state.len; s < end; s = value + strlen(value + 1) + 2) {
		value = s + strlen(s) + 1;
		begun = out_begin(RESULT_STATE);
		wire_put_str(&host.out.b, s);
		wire_put_str(&host.out.b, *value != 0 ? value + 1 : NULL);
		out_end(begun);
	}
}

void
host_state_table(struct cr *cr)
{
	cr->state_get = cr_state_get;
	cr->state_set = cr_state_set;
}
