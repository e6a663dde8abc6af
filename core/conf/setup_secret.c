/* Secrets in texts: filled in, and replaced by stand-ins, marks or asterisks. */
#include "setup_secret.h"
#include "setup_template.h"
#include "base/login.h"
#include "base/mem.h"
#include "base/redact.h"

#include <stdlib.h>
#include <string.h>

#define HIDDEN		"***"		/* for secrets that never have to be filled in again */
#define KEPT_MARK	'\001'		/* before and behind a secret's name in stored text */

/* ---- Filling in ---- */

void
secret_fill(const struct instance *in, const char *text, struct buf *b)
{
	const char *stand_in;
	size_t i;

	while (*text != '\0') {
		for (i = 0; *text == '{' && i < in->nsecrets; i++) {
			stand_in = options_get(&in->options, in->secrets[i].name);
			if (stand_in != NULL && strncmp(text, stand_in, strlen(stand_in)) == 0)
				break;
		}
		if (*text != '{' || i == in->nsecrets) {
			buf_char(b, *text++);
			continue;
		}
		fill_put(b, in->secrets[i].value, FILL_LINE);
		text += strlen(options_get(&in->options, in->secrets[i].name));
	}
}

/* Copies the name between two marks at text. Returns what follows; NULL: there is no mark. */
static const char *
marked_name(const char *text, char name[FILL_NAME_MAX + 1])
{
	const char *end = *text == KEPT_MARK ? strchr(text + 1, KEPT_MARK) : NULL;
	size_t len = end != NULL ? (size_t)(end - text) - 1 : 0;

	if (len == 0 || len > FILL_NAME_MAX)
		return NULL;
	memcpy(name, text + 1, len);
	name[len] = '\0';
	return end + 1;
}

int
secret_unmark(const struct instance *in, const char *text, int url, struct buf *b)
{
	char name[FILL_NAME_MAX + 1];
	const char *end, *secret;
	int n = 0;

	while (*text != '\0') {
		if (*text != KEPT_MARK) {
			buf_char(b, *text++);
			continue;
		}
		end = marked_name(text, name);
		secret = end != NULL ? instance_secret(in, name) : NULL;
		if (secret == NULL)
			return -1;
		fill_put(b, secret, url ? FILL_VALUE : FILL_LINE);
		text = end;
		n++;
	}
	return n;
}

void
secret_shown(const char *text, struct buf *b)
{
	char name[FILL_NAME_MAX + 1];
	const char *end;

	while (*text != '\0') {
		end = marked_name(text, name);
		if (end != NULL)
			buf_fmt(b, "{secret:%s}", name);
		else
			buf_char(b, *text);
		text = end != NULL ? end : text + 1;
	}
}

/* ---- Redaction ---- */

/* Adds a secret and its replacement to the words of redact_new(). */
static void
word(struct buf *b, const char *text, size_t len, const char *instead)
{
	buf_add(b, text, len);
	buf_char(b, '\0');
	buf_add(b, instead, strlen(instead) + 1);
}

/* Adds a login in its form in the Authorization header. */
static void
header_word(const char *login, size_t len, struct buf *b)
{
	struct buf header;
	const char *value;

	buf_init(&header, FILL_MAX);
	login_header(&header, login, len);
	value = header.data != NULL ? strrchr(header.data, ' ') + 1 : "";
	word(b, value, strcspn(value, "\n"), HIDDEN);
	buf_forget(&header);
}

/* Adds a login in three forms: as in a URL, as in a header, and its password alone, or without one
 * its user. */
static void
login_words(const char *login, struct buf *b)
{
	const char *password = strchr(login, ':');

	buf_str(b, login);
	word(b, "@", 1, "");
	header_word(login, strlen(login), b);
	password = password != NULL && password[1] != '\0' ? password + 1 : login;
	word(b, password, strlen(password), HIDDEN);
}

/* Whether a header's name suggests a credential: values of other headers may be words of any text.
 * */
static int
header_secret(const char *name, size_t len)
{
	static const char *const parts[] = { "auth", "cookie", "key", "pass", "secret", "session",
		"token" };
	char *low = xstrndup(name, len);
	int is = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		is |= strcasestr(low, parts[i]) != NULL;
	free(low);
	return is;
}

/* Adds the values of configured headers that are credentials. */
static void
pairs_words(const char *lines, struct buf *b)
{
	size_t len, at;

	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		at = strcspn(lines, "=:\n");
		if (at >= len || !header_secret(lines, at))
			continue;
		at += 1 + strspn(lines + at + 1, " ");
		word(b, lines + at, strcspn(lines + at, "\r\n"), HIDDEN);
	}
}

/* Appends the secrets and their replacements, SECRET\0INSTEAD\0...; kept: marks, else stand-ins. */
static void
words(const struct instance *in, int kept, struct buf *b)
{
	const struct option_value *s;
	struct buf login;

	for (size_t i = 0; i < in->nlogins; i++)
		login_words(in->logins[i].value, b);
	buf_init(&login, FILL_MAX);
	if (fill_login(in, NULL, &login) && instance_secret(in, "auth_password") != NULL)
		header_word(login.data, login.len, b);
	buf_forget(&login);
	for (s = in->secrets; s < in->secrets + in->nsecrets; s++) {
		if (fill_is_pairs(option_find(plugin_options(in), s->name))) {
			pairs_words(s->value, b);
			continue;
		}
		buf_add(b, s->value, strlen(s->value) + 1);
		if (kept)
			buf_fmt(b, "%c%s%c", KEPT_MARK, s->name, KEPT_MARK);
		else
			buf_str(b, options_get(&in->options, s->name));
		buf_char(b, '\0');
	}
}

static void
redact_over(const struct instance *in, int kept, const char *text, size_t len, struct buf *b)
{
	struct redact *redact;
	struct buf list;

	buf_init(&list, FILL_MAX);
	words(in, kept, &list);
	redact = redact_new((struct bytes){ list.data, list.len });
	redact_put(redact, text, len, b);
	redact_free(redact);
	if (list.data != NULL)
		explicit_bzero(list.data, list.len);
	buf_free(&list);
}

void
secret_hide(const struct instance *in, const char *text, size_t len, struct buf *b)
{
	redact_over(in, 0, text, len, b);
}

void
secret_mark(const struct instance *in, const char *text, struct buf *b)
{
	redact_over(in, 1, text, strlen(text), b);
}

void
secret_redact(const struct instance *in, struct buf *b)
{
	words(in, 0, b);
}
