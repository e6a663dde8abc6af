/* What `courant` asks store. A command that needs what only store knows is a row here, and one in
 * daemon/admin.c. */
#include "question.h"
#include "edition_show.h"
#include "explain.h"
#include "orders.h"
#include "ledger_refilter.h"
#include "past.h"
#include "ruling.h"
#include "subscribers_ask.h"
#include "base/buf.h"
#include "base/shown.h"

#include <string.h>

static const struct {
	const char	*command;
	int		(*answer)(struct ledger *, const char *arg, struct buf *out);
	/* Instead: what is put on record with the operator's name. */
	int		(*order)(struct ledger *, const char *arg, const char *who, struct buf *out);
} questions[] = {
	{ "editions", editions, NULL },
	{ "explain", explain, NULL },
	{ "dead", orders_dead, NULL },
	{ "replay", orders_replay, NULL },
	{ "drop", orders_drop, NULL },
	{ "skip", orders_skip, NULL },
	{ "past", past, NULL },
	{ "past page", past_page, NULL },
	{ "refilter", refilter, NULL },
	{ "refiltered", refiltered, NULL },
	{ "split", NULL, ruling_split },
	{ "join", NULL, ruling_join },
	{ "hide", NULL, ruling_hide },
	{ "unhide", NULL, ruling_unhide },
	{ "subscribers", subscribers_ask, NULL },
	{ "bounce", subscribers_bounce, NULL },
};

int
question(struct ledger *l, const char *command, const char *arg, const char *who, struct buf *out)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (strcmp(questions[i].command, command) == 0)
			return questions[i].order != NULL ? questions[i].order(l, arg, who, out) :
			    questions[i].answer(l, arg, out);
	shown_fmt(out, "the store does not know the command %s\n", command);
	return 1;
}
