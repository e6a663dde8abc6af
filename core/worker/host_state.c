/* A plugin's state between its calls. state_get() returns the state that was stored when the job
 * began; state_set() collects changes, which go into the results and are stored with them. In a
 * batch each call is a job: the next call gets the state that it set, which is stored with the
 * records done. */
#include "host_state.h"
#include "host.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "record/pairs.h"

#include <string.h>

/* ---- Changes: KEY\0, a byte 1 (0: unset), VALUE\0 ---- */

static char *
set_next(char *s)
{
	s += strlen(s) + 1;
	return s + 1 + strlen(s + 1) + 1;
}

/* The value of the key at s; NULL: it was unset. */
static const char *
set_value(const char *s)
{
	s += strlen(s) + 1;
	return *s != 0 ? s + 1 : NULL;
}

/* Adds a change, in place of an earlier one of the same key. -1: no room. */
static int
set_put(struct buf *sets, const char *key, const char *value)
{
	size_t n = strlen(key), v = value != NULL ? strlen(value) : 0;
	char *s = sets->data, *next, *end = s + sets->len;

	for (; s != NULL && s < end; s = next) {
		next = set_next(s);
		if (strcmp(s, key) != 0)
			continue;
		memmove(s, next, (size_t)(end - next));
		sets->len -= (size_t)(next - s);
		break;
	}
	if (sets->len + n + v + 3 > sets->max)
		return -1;
	buf_add(sets, key, n + 1);
	buf_char(sets, value != NULL);
	buf_add(sets, value != NULL ? value : "", v + 1);
	return 0;
}

/* Writes the changes into the results; out_flush() fails later if they do not fit. */
static void
sets_write(const struct buf *sets, const char *rule, uint32_t done)
{
	char *s = sets->data;
	struct result_state st;
	size_t begun;

	for (; s != NULL && s < sets->data + sets->len; s = set_next(s)) {
		st = (struct result_state){ s, set_value(s), rule, done };
		begun = out_begin(RESULT_STATE);
		wire_put(&host.out.b, result_state, &st);
		(void)out_end(begun);
	}
}

/* ---- state_get(), state_set() ---- */

static const char *
cr_state_get(struct cr *cr, const char *key)
{
	(void)cr;
	return (host.phase & MAY_KEEP) != 0 && key != NULL ? pairs_get(host.known, key) : NULL;
}

static int
cr_state_set(struct cr *cr, const char *key, const char *value)
{
	size_t n;

	(void)cr;
	if ((host.phase & MAY_KEEP) == 0 || key == NULL)
		return -1;
	n = strlen(key);
	if (n == 0 || n > RESULT_KEY_MAX || text_valid(key, n) != n ||
	    (value != NULL && text_valid(value, strlen(value)) != strlen(value)))
		return -1;
	if (pairs_set(&host.ahead, key, value, HOST_STATE) == -1 ||
	    set_put(&host.state, key, value) == -1) {
		host_say("state_set(%s): refused: with it there would be more than the %u bytes of "
		    "state that an instance may keep", key, HOST_STATE);
		return -1;
	}
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
	sets_write(&host.state, NULL, 0);
}

/* ---- Of a batch ---- */

static void
state_clear(struct buf *b)
{
	if (b->max == 0)
		buf_init(b, 4 * HOST_STATE);
	buf_clear(b);
}

void
host_batch_state_begin(struct slot *slots, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		state_clear(&slots[i].kept);
		state_clear(&slots[i].set);
	}
	host.done = 0;
}

void
host_batch_state_given(struct slot *slots, size_t n, const struct result_state *st)
{
	const char *rule = st->rule != NULL ? st->rule : "";
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(slots[i].rule, rule) == 0)
			(void)pairs_set(&slots[i].kept, st->key, st->value, 2 * HOST_STATE);
}

void
host_batch_state_enter(struct slot *s)
{
	host_state_begin((struct bytes){ s->kept.data, s->kept.len });
}

void
host_batch_state_counts(struct slot *s)
{
	char *set = host.state.data, *end;

	if (host.state.len == 0)
		return;
	end = set + host.state.len;
	buf_clear(&s->kept);
	buf_add(&s->kept, host.ahead.data, host.ahead.len);
	for (; set < end; set = set_next(set)) {
		if (set_put(&s->set, set, set_value(set)) == 0)
			continue;
		/* No room for the changes of more calls: write those so far. */
		host_batch_state_write(s, 1);
		(void)set_put(&s->set, set, set_value(set));
	}
}

void
host_batch_state_write(struct slot *slots, size_t n)
{
	const char *rule;
	size_t i;

	for (i = 0; i < n; i++) {
		rule = slots[i].rule[0] != '\0' ? slots[i].rule : NULL;
		sets_write(&slots[i].set, rule, host.done);
		buf_clear(&slots[i].set);
	}
}

void
host_batch_state_free(struct slot *s)
{
	buf_free(&s->kept);
	buf_free(&s->set);
}

void
host_state_table(struct cr *cr)
{
	cr->state_get = cr_state_get;
	cr->state_set = cr_state_set;
}
