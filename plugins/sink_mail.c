/* sink_mail: an edition as one mail, or each record as one, to the readers of the route; and the host's
 * letters to one of them. */
#include "mail/mail.h"

#include <stdlib.h>
#include <string.h>

struct mail {
	const char	*subject, *intro;
	int64_t		 summary;
	int		 images;
};

static const struct cr_option options[] = {
	LETTER_OPTIONS(struct mail),
	CR_END
};

static int
check(struct cr *cr, const void *opts)
{
	const struct mail *o = opts;
	char why[256];

	return subject_wrong(o->subject, why, sizeof(why)) != NULL ?
	    cr->fail(cr, CR_BAD_OPTION, "subject: %s", why) : 0;
}

/* The message to one reader. -1: no memory. */
static int
message_make(struct text *out, struct cr *cr, const struct cr_batch *b, const struct letter *l,
    const struct cr_recipient *r)
{
	struct mime m = { .date = letter_date(cr, b, 0), .from = b->sender, .to = r->address,
		.id = r->id, .list_title = b->title[0] != '\0' ? b->title : b->route,
		.list_id = b->list_id, .archive = b->archive, .leave = r->leave,
		.leave_mail = r->leave_mail };

	if (b->kind == CR_BATCH_LETTER)		/* its title is no list's */
		m.list_title = b->route;
	return letter_message(out, l, &m);
}

/* Makes all messages, and hands them to the host. -1 after fail() or retry(). */
static int
send_all(struct cr *cr, const struct cr_batch *b, const struct letter *l)
{
	struct cr_mail *mails = calloc(b->nrecipients, sizeof(*mails));
	struct text *made = calloc(b->nrecipients, sizeof(*made));
	size_t i;
	int rc = mails != NULL && made != NULL ? 0 : -1;

	for (i = 0; rc == 0 && i < b->nrecipients; i++) {
		rc = message_make(&made[i], cr, b, l, b->recipients[i]);
		mails[i] = (struct cr_mail){ .size = sizeof(mails[i]), .to = i,
			.message = made[i].data, .len = made[i].len };
	}
	if (rc == -1)
		cr->retry(cr, -1, "no memory for %zu messages", b->nrecipients);
	else if (cr->mails(cr, mails, b->nrecipients) == -1)
		rc = cr->fail(cr, CR_REJECTED, "it cannot be sent as mail");
	for (i = 0; made != NULL && i < b->nrecipients; i++)
		text_free(&made[i]);
	free(made);
	free(mails);
	return rc;
}

/* Records come one at a time, since their readers' ids are of one. */
static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *b)
{
	const struct mail *o = opts;
	const struct letter_options given = LETTER_GIVEN(o);
	size_t done = b->kind == CR_BATCH_RECORDS && b->n > 0 ? 1 : b->n;
	struct letter l;
	int rc = -1;

	if (b->nrecipients == 0 || (b->kind == CR_BATCH_RECORDS && b->n == 0))
		return done;
	if (letter_make(&l, cr, &given, b, 0) == -1)
		cr->retry(cr, -1, "no memory for a letter");
	else
		rc = send_all(cr, b, &l);
	letter_free(&l);
	return rc == -1 ? 0 : done;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "mail", .version = "1", .help = "editions or records as mail", .needs = 5,
	.options = options, .options_size = sizeof(struct mail),
	.wants = CR_MAIL, .takes = CR_BATCH_RECORDS | CR_BATCH_EDITION | CR_BATCH_LETTER,
	.check = check, .deliver = deliver,
};
