/* The letters of the daemon's own: one asks to confirm a subscription, one says that there is one already. Nothing
 * of a visitor's is in them: whoever fills in the form does not write to the address. */
#include "letter_words.h"
#include "base/mem.h"
#include "conf/setup.h"
#include "ipc/msg.h"

#include <stdlib.h>

static const char confirm[] =
    "Somebody, probably you, has asked that %s be sent to this address by mail.\n\n"
    "If it was you: open the page below and press the button there. Nothing is sent before that. The page is good "
    "for two days.\n\n"
    "If it was not you: do nothing, and nothing comes.";
static const char already[] =
    "Somebody, probably you, has asked that %s be sent to this address by mail. It is already: each mail comes to "
    "you, and there is nothing to do.\n\n"
    "If none has come for a while, look whether they are taken for spam.";

void
letter_words(struct letter_words *to, const struct route *r, const char *base, const struct work *w)
{
	const char *name = r->title != NULL && r->title[0] != '\0' ? r->title : r->name;

	if (w->letter == LETTER_CONFIRM) {
		to->title = xasprintf("%s: please confirm your subscription", name);
		to->text = xasprintf(confirm, name);
		to->link = xasprintf("%s/confirm/%s", base, w->token != NULL ? w->token : "");
	} else {
		to->title = xasprintf("%s: you are subscribed already", name);
		to->text = xasprintf(already, name);
		to->link = xstrdup("");
	}
}

void
letter_words_free(struct letter_words *w)
{
	free(w->title);
	free(w->text);
	free(w->link);
}
