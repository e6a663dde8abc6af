/* A loaded plugin's state in the host: options filled and checked, opened for its jobs, closed. */
#include "host_slot.h"
#include "host.h"
#include "host_state.h"
#include "base/buf.h"
#include "base/mem.h"
#include "catalog/option.h"

#include <stdlib.h>
#include <string.h>

static int
slot_fill(struct slot *s, struct bytes text)
{
	static const struct cr_option none[] = { CR_END };
	const struct cr_option *table = s->plugin.options != NULL ? s->plugin.options : none;
	size_t size = s->plugin.options_size;
	struct options values = { NULL, 0 };
	struct buf err;
	int rc;

	buf_init(&err, HOST_ERROR - 1);
	s->opts = xcalloc(1, size);
	rc = options_read(&values, text);
	if (rc == 0)
		rc = option_fill(table, s->opts, size, &values, &err);
	options_free(&values);
	if (rc == -1) {
		host_fail(&host.cr, CR_BAD_OPTION, "%s", err.len > 0 ? err.data :
		    "the options cannot be read");
		free(s->opts);
		s->opts = NULL;
	}
	buf_free(&err);
	s->filled = rc == 0;
	return rc;
}

static void
slot_unfill(struct slot *s)
{
	if (s->filled && s->plugin.options != NULL)
		option_unfill(s->plugin.options, s->opts);
	free(s->opts);
	s->opts = NULL;
	s->filled = 0;
}

void
slot_close(struct slot *s)
{
	if (s->opened && s->plugin.close != NULL) {
		host_enter(s, PHASE_CLOSE);
		s->plugin.close(&host.cr, s->opts);
		host_leave();
	}
	s->opened = 0;
	slot_unfill(s);
	host_batch_state_free(s);
}

/* Calls the plugin's check(). -1: refused; host.failed and host.error are set. */
static int
slot_options(struct slot *s)
{
	if (s->plugin.check == NULL || (s->plugin.check(&host.cr, s->opts) == 0 &&
	    host.failed == 0))
		return 0;
	host_blame("check");
	return -1;
}

int
slot_check(struct slot *s, struct bytes options)
{
	int rc = slot_fill(s, options);

	if (rc == -1)
		return -1;
	host_enter(s, PHASE_OPEN);
	rc = slot_options(s);
	host_leave();
	slot_unfill(s);
	return rc;
}

/* Calls the plugin's check() and open(). -1: one failed; host.failed and host.error are set. */
static int
slot_begin(struct slot *s)
{
	int rc;

	host_enter(s, PHASE_OPEN);
	rc = slot_options(s);
	if (rc == 0 && s->plugin.open != NULL) {
		if (s->plugin.open(&host.cr, s->opts) != 0 || host.failed != 0)
			host_blame("open");
		rc = host.failed != 0 ? -1 : 0;
	}
	host_leave();
	return rc;
}

/* Finds the nonce of the options' stand-ins. emit() overwrites the nonce in records, since it
 * differs in each run and records must not. */
static void
nonce_find(struct bytes options)
{
	const char *s = options.data, *end = s + options.len, *colon;
	size_t len;

	host.nonce[0] = '\0';
	for (; options.len > 0 && s < end; s += strlen(s) + 1) {
		colon = strncmp(s, STAND_IN, strlen(STAND_IN)) == 0 ? strrchr(s, ':') : NULL;
		len = colon != NULL ? strcspn(colon + 1, "}") : 0;
		if (len == 0 || len >= HOST_NONCE)
			continue;
		memcpy(host.nonce, colon + 1, len);
		host.nonce[len] = '\0';
		return;
	}
}

int
slot_ready(struct slot *s, struct bytes options, uint64_t hash)
{
	nonce_find(options);
	if (s->opened && s->hash == hash && strcmp(s->nonce, host.nonce) == 0)
		return 0;
	slot_close(s);
	if (slot_fill(s, options) == -1)
		return -1;
	if (slot_begin(s) == -1) {
		slot_unfill(s);
		return -1;
	}
	s->opened = 1;
	s->hash = hash;
	memcpy(s->nonce, host.nonce, sizeof(s->nonce));
	return 0;
}
