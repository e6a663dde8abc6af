/* record() and emit(): a plugin's new records, and their writing into the results. */
#include "host_emit.h"
#include "host.h"
#include "host_record.h"
#include "links.h"
#include "base/buf.h"
#include "base/text.h"
#include "ipc/msg.h"
#include "record/record.h"
#include "record/result.h"

#include <string.h>

#define REFUSALS	5			/* logged per job, at most */

static int
emitting(void)
{
	return (host.phase & MAY_EMIT) != 0;
}

static struct cr_record *
cr_record(struct cr *cr, const char *guid)
{
	struct cr_record *r;
	struct bytes b;

	(void)cr;
	if (!emitting() || (r = host_record_take()) == NULL)
		return NULL;
	if (guid != NULL && strcmp(guid, CR_BY_TITLE) == 0) {
		host.by_title[host_record_open(r) - 1] = 1;
		return r;
	}
	if (guid == NULL)
		return r;
	b = host_clean(guid, strlen(guid), 0);
	while (b.len > 0 && text_space((unsigned char)b.data[b.len - 1]))
		b.len--;
	while (b.len > 0 && text_space((unsigned char)b.data[0])) {
		b.data++;
		b.len--;
	}
	if (b.len > 0)
		record_set(r, CR_GUID, b.data, b.len);
	return r;
}

static int
refuse(struct cr_record *r, const char *why)
{
	const char *name = r != NULL ? record_get(r, CR_GUID, 0) : NULL;

	if (r != NULL && name == NULL)
		name = record_get(r, CR_TITLE, 0);
	if (host.refused++ < REFUSALS)
		host_say("record %u (%.100s) refused: %s", host.records + host.refused,
		    name != NULL ? name : "nameless", why);
	if (r != NULL)
		host_record_drop(r);
	return -1;
}

/* Overwrites the nonce of stand-ins in a record with '-': a nonce is for one run, a record for
 * years. */
static void
nonce_blot(char *s, size_t len)
{
	size_t n = strlen(host.nonce);
	char *at;

	for (; n > 0 && (at = memmem(s, len, host.nonce, n)) != NULL; s = at + n) {
		memset(at, '-', n);
		len -= (size_t)(at + n - s);
	}
}

static int
nameless(const struct cr_record *r)
{
	return record_get(r, CR_GUID, 0) == NULL && record_get(r, CR_LINK, 0) == NULL &&
	    !host.by_title[host_record_open(r) - 1];
}

static int
cr_emit(struct cr *cr, struct cr_record *r)
{
	size_t begun;

	(void)cr;
	if (!emitting())
		return -1;
	if (r == NULL || !host_record_open(r))
		return refuse(NULL, "it is none that record() made, or was emitted before");
	if (record_bad(r) != NULL)
		return refuse(r, record_bad(r));
	if (nameless(r))
		return refuse(r, "it has neither guid nor link, of which its id is made");
	if (host.records >= HOST_RECORDS)
		return refuse(r, "there are more than a page may have");
	links_set(r, host.page != NULL ? host.page->url : NULL);
	begun = out_begin(RESULT_RECORD);
	record_write(r, &host.out.b);
	if (!host.out.b.over)
		nonce_blot(host.out.b.data + begun, host.out.b.len - begun);
	if (out_end(begun) == -1)
		return refuse(r, "the results are over their maximum");
	host.records++;
	host_record_drop(r);
	if (host.emitted != NULL)
		host.emitted();
	return 0;
}

void
host_emit_table(struct cr *cr)
{
	cr->record = cr_record;
	cr->emit = cr_emit;
}
