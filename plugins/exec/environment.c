/* What a command is told: its arguments' and variables' checks, its environment, and the secrets in
 * it, which no complaint may show. */
#include "exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MIN	4		/* bytes of one that is worth hiding */
#define FOLDER_MAX	4096

/* The value of NAME=VALUE; NULL: it is none, such as a name with a space in it. */
static const char *
value_of(const char *variable)
{
	size_t n = strspn(variable, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return n > 0 && variable[n] == '=' && (variable[0] < '0' || variable[0] > '9') ?
	    variable + n + 1 : NULL;
}

/* ---- Secrets: lines of NAME=VALUE ---- */

/* A copy of the line at *at, which is moved behind it; NULL: there is none left. Freed by the
 * caller. Empty lines are left out. */
static char *
secret_next(const char **at)
{
	char *line;
	size_t n;

	if (*at == NULL)
		return NULL;
	*at += strspn(*at, "\r\n");
	n = strcspn(*at, "\r\n");
	if (n == 0)
		return NULL;
	line = strndup(*at, n);
	*at += n;
	return line;
}

static void
secret_free(char *line)
{
	explicit_bzero(line, strlen(line));
	free(line);
}

static void
hide(char *text, const char *value)
{
	size_t n = strlen(value);

	for (text = strstr(text, value); text != NULL; text = strstr(text + n, value))
		memset(text, '*', n);
}

void
secrets_hide(const struct exec_opts *o, char *text)
{
	const char *at = o->secrets, *value;
	char *line;

	while ((line = secret_next(&at)) != NULL) {
		if ((value = value_of(line)) != NULL && strlen(value) >= SECRET_MIN)
			hide(text, value);
		secret_free(line);
	}
}

/* ---- Checks ---- */

static int
wrong_variable(const char *option, const char *text, char why[EXEC_WHY])
{
	snprintf(why, EXEC_WHY, "%s: %s%.60s%s is no NAME=VALUE, with a name of letters, digits and _",
	    option, text != NULL ? "\"" : "", text != NULL ? text : "one line",
	    text != NULL ? "\"" : "");
	return -1;
}

static int
variables_check(const struct exec_opts *o, char why[EXEC_WHY])
{
	const char *const *e = o->environment;
	const char *at = o->secrets;
	size_t n = 0;
	char *line;
	int good = 1;

	for (; e != NULL && *e != NULL; e++, n++)
		if (value_of(*e) == NULL)
			return wrong_variable("environment", *e, why);
	for (; good && (line = secret_next(&at)) != NULL; n++) {
		good = value_of(line) != NULL;
		secret_free(line);
	}
	if (!good)
		return wrong_variable("secrets", NULL, why);
	if (n <= EXEC_VARS)
		return 0;
	snprintf(why, EXEC_WHY, "environment: more than %d variables", EXEC_VARS);
	return -1;
}

int
exec_check(const struct exec_opts *o, char why[EXEC_WHY])
{
	size_t n = 0;

	while (o->command != NULL && o->command[n] != NULL)
		n++;
	if (n == 0 || o->command[0][0] == '\0')
		snprintf(why, EXEC_WHY, "command: is empty; say [PROGRAM, ARGUMENT, ...]");
	else if (n > EXEC_ARGS)
		snprintf(why, EXEC_WHY, "command: more than %d arguments", EXEC_ARGS);
	else if (n == 1 && strchr(o->command[0], ' ') != NULL && access(o->command[0], F_OK) == -1)
		snprintf(why, EXEC_WHY, "command: \"%.60s\" is one word with spaces in it, and no "
		    "shell divides it; say [PROGRAM, ARGUMENT, ...]", o->command[0]);
	else if (o->folder != NULL && o->folder[0] != '\0' && o->folder[0] != '/')
		snprintf(why, EXEC_WHY, "folder: \"%.60s\" does not begin with /", o->folder);
	else
		return variables_check(o, why);
	return -1;
}

/* ---- The environment ---- */

/* Takes the variable, in the place of one of the same name. */
static void
put(char **all, size_t *n, char *variable)
{
	size_t len = variable != NULL ? strcspn(variable, "=") + 1 : 0, i;

	if (variable == NULL)
		return;
	for (i = 0; i < *n && strncmp(all[i], variable, len) != 0; i++)
		;
	if (i < *n)
		secret_free(all[i]);
	else
		++*n;
	all[i] = variable;
}

static void
put_usual(char **all, size_t *n)
{
	static const char *const usual[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8" };
	char folder[FOLDER_MAX], *home = NULL;
	const char *zone = getenv("TZ");

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		put(all, n, strdup(usual[i]));
	if (getcwd(folder, sizeof(folder)) != NULL && asprintf(&home, "HOME=%s", folder) != -1)
		put(all, n, home);
	if (zone != NULL && asprintf(&home, "TZ=%s", zone) != -1)
		put(all, n, home);
}

char **
environment_new(const struct exec_opts *o, const char *const *more)
{
	char **all = calloc(EXEC_VARS + EXEC_MORE + 8, sizeof(char *));
	const char *const *e = o->environment;
	const char *at = o->secrets;
	char *secret;
	size_t n = 0;

	if (all == NULL)
		return NULL;
	put_usual(all, &n);
	for (; e != NULL && *e != NULL; e++)
		put(all, &n, strdup(*e));
	while ((secret = secret_next(&at)) != NULL)
		put(all, &n, secret);
	for (; more != NULL && *more != NULL; more++)
		put(all, &n, strdup(*more));
	return all;
}

void
environment_free(char **all)
{
	for (size_t i = 0; all != NULL && all[i] != NULL; i++)
		secret_free(all[i]);
	free(all);
}
