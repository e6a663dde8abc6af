/* The sources that a plugin brings. Their text is the plugin's, read by a process that may read the
 * operator's files: it sets the plugin's own options, and nothing else. */
#include "brought.h"
#include "setup.h"
#include "base/mem.h"
#include "catalog/auth.h"
#include "catalog/option.h"
#include "catalog/plugin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALNUM		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define KEY_SHOWN	40		/* bytes of a key in a reason */

/* Whether a source may be called so: without /, so that it is in nobody's group, and without letters
 * that only look like those of another name. */
static int
name_fits(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= SETUP_NAME_MAX && strspn(name, ALNUM "._- ") == len &&
	    strchr(ALNUM, name[0]) != NULL && name[len - 1] != ' ' && strcmp(name, "courant") != 0;
}

/* Whether text is a URL that begins with http:// or https:// and has no user or password. */
static int
is_web(const char *text)
{
	size_t scheme = strncasecmp(text, "http://", 7) == 0 ? 7 :
	    strncasecmp(text, "https://", 8) == 0 ? 8 : 0;

	for (const char *s = text; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return 0;
	text += scheme;
	text += strspn(text, "/\\");		/* browsers, too, take more slashes than two */
	return scheme > 0 && memchr(text, '@', strcspn(text, "/\\?#")) == NULL;
}

/* Whether all values of the node, a scalar or a list, are such URLs; "" is one. */
static int
all_web(const struct node *n)
{
	const struct node *item;

	if (n->kind == CONF_SCALAR)
		return n->text == NULL || *n->text == '\0' || is_web(n->text);
	for (item = n->child; item != NULL; item = item->next)
		if (item->kind != CONF_SCALAR || (item->text != NULL && !is_web(item->text)))
			return 0;
	return 1;
}

static int
is_file(const char *key)
{
	size_t len = strlen(key);

	return len >= 5 && strcasecmp(key + len - 5, "_file") == 0;
}

/* Why the source may not set this; NULL: it may. */
static const char *
key_wrong(const struct plugin *p, const struct cr_option *daemon, const struct node *n)
{
	const struct cr_option *o = option_find(p->options, n->key);
	int url = strcmp(n->key, "url") == 0 || (o != NULL && o->type == CR_URL);

	if (is_file(n->key))
		return "no file is read for a source that a plugin brings";
	if (auth_option(n->key))
		return "credentials and headers are for the operator to set";
	if ((url || strcmp(n->key, "every") == 0) && n->kind != CONF_SCALAR)
		return "takes one value";
	if (url && !all_web(n))
		return "has to be http:// or https:// without user and password";
	if (strcmp(n->key, "url") == 0 || strcmp(n->key, "every") == 0)
		return NULL;
	if (option_find(daemon, n->key) != NULL)
		return "is for the operator to set";
	if (o == NULL && !p->removed)
		return "is no option of the plugin";
	return NULL;
}

static int
keys_check(const struct plugin *p, const struct cr_option *daemon, const char *name,
    const struct node *tree, struct buf *why)
{
	const char *wrong;
	int known;

	for (const struct node *n = tree->child; n != NULL; n = n->next) {
		if ((wrong = key_wrong(p, daemon, n)) == NULL)
			continue;
		known = strlen(n->key) <= KEY_SHOWN && n->key[strspn(n->key, ALNUM "_")] == '\0';
		buf_fmt(why, "default source %s: %s: %s", name, known ? n->key : "a key", wrong);
		return -1;
	}
	return 0;
}

int
brought_parse(const struct plugin *p, size_t nth, const struct cr_option *daemon, struct node **tree,
    struct buf *why)
{
	const char *name = p->defaults[nth].name, *text = p->defaults[nth].options;
	struct mistakes mistakes;

	*tree = NULL;
	if (name == NULL || !name_fits(name)) {
		buf_fmt(why, "default source %zu: its name has to be of at most %d letters a to z, "
		    "digits, . _ - and spaces, and is not courant", nth + 1, SETUP_NAME_MAX);
		return -1;
	}
	mistakes_init(&mistakes);
	text = text != NULL ? text : "";
	*tree = conf_parse("its options", text, strlen(text), &mistakes);
	if (*tree == NULL)
		buf_fmt(why, "default source %s: %.*s", name,
		    (int)strcspn(mistakes.text.data, "\n"), mistakes.text.data);
	mistakes_free(&mistakes);
	if (*tree == NULL)
		return -1;
	if (keys_check(p, daemon, name, *tree, why) == 0)
		return 0;
	conf_free(*tree);
	*tree = NULL;
	return -1;
}

/* Whether {name} stands in one of the plugin's URLs before its path: "https://{host}/list". */
static int
in_authority(const char *urls, const char *name)
{
	char *braces = xasprintf("{%s}", name);
	const char *at = urls, *begin;
	int found = 0;

	while (!found && (at = strstr(at, braces)) != NULL) {
		for (begin = at; begin > urls && begin[-1] != ' ';)
			begin--;
		begin = strncasecmp(begin, "https://", 8) == 0 ? begin + 8 :
		    strncasecmp(begin, "http://", 7) == 0 ? begin + 7 : begin;
		found = at < begin || memchr(begin, '/', (size_t)(at - begin)) == NULL;
		at++;
	}
	free(braces);
	return found;
}

const char *
brought_leads(const struct plugin *p, const struct node *tree)
{
	const struct cr_option *o;

	for (const struct node *n = tree->child; n != NULL; n = n->next) {
		o = option_find(p->options, n->key);
		if (strcmp(n->key, "url") == 0 || (o != NULL && (o->type == CR_URL ||
		    o->type == CR_SECRET || (p->url != NULL && in_authority(p->url, n->key)))))
			return n->key;
	}
	return NULL;
}
