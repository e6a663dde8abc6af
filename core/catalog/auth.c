/* Authentication of a source's requests: options that every plugin with a parse() has besides its
 * own. */
#include "auth.h"
#include "descriptor.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

struct auth {
	const char	*auth_bearer, *auth_header, *auth_key, *auth_user, *auth_password, *headers;
};
static const struct cr_option options[] = {
	CR_OPTION(struct auth, auth_bearer, SECRET, "", NULL, "token, sent as Authorization: Bearer"),
	CR_OPTION(struct auth, auth_header, STRING, "", NULL, "header that takes auth_key"),
	CR_OPTION(struct auth, auth_key, SECRET, "", NULL,
	    "key: for auth_header, or {auth_key} in url"),
	CR_OPTION(struct auth, auth_password, SECRET, "", NULL,
	    "password of auth_user, sent as Authorization: Basic"),
	CR_OPTION(struct auth, auth_user, STRING, "", NULL, "user who has auth_password"),
	CR_OPTION(struct auth, headers, SECRET, "", AUTH_PAIRS,
	    "further headers of each request, a map"),
};
/* The header line of each option, used unless the plugin itself declares an option of that name. */
static const struct { const char *option, *line; } lines[] = {
	{ "auth_bearer", "Authorization: Bearer {auth_bearer}" },
	{ "auth_key", "{auth_header}: {auth_key}" },
	{ "headers", "{headers}" },
	{ "auth_password", AUTH_BASIC },
};

static char *
headers_with(const char *own, const struct cr_option *table)
{
	char *all = xstrdup(own != NULL ? own : ""), *more;
	size_t len;

	for (size_t i = 0; i < COUNT(lines); i++) {
		if (option_find(table, lines[i].option) != NULL)
			continue;
		len = strlen(all);
		more = xasprintf("%s%s%s\n", all, len > 0 && all[len - 1] != '\n' ? "\n" : "",
		    lines[i].line);
		free(all);
		all = more;
	}
	return all;
}

void
auth_add(struct cr_plugin *p)
{
	const size_t align = _Alignof(struct auth);
	size_t begin = (p->options_size + align - 1) / align * align, n = 0, i;
	const struct cr_option *own = p->options;
	struct cr_option *all;
	char *headers;

	while (own != NULL && own[n].name != NULL)
		n++;
	if (p->parse == NULL || n + COUNT(options) > OPTION_MAX)
		return;
	headers = headers_with(p->headers, own);
	all = xcalloc(n + COUNT(options) + 1, sizeof(*all));
	for (i = 0; i < n; i++)
		all[i] = own[i];
	for (i = 0; i < COUNT(options); i++) {
		if (option_find(own, options[i].name) != NULL)
			continue;
		all[n] = options[i];
		all[n++].offset += begin;
	}
	p->options = all;
	p->options_size = begin + sizeof(struct auth);
	p->headers = headers;
}

int
auth_option(const char *name)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (strcmp(name, options[i].name) == 0)
			return 1;
	return strcmp(name, "auth") == 0 || strncmp(name, "auth_", 5) == 0;
}
