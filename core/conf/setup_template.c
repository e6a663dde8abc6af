/* Fills in templates of URLs, headers and options: {each}, {OPTION}, and secrets. */
#include "setup_template.h"
#include "base/login.h"
#include "base/mem.h"
#include "catalog/auth.h"
#include "catalog/plugin.h"

#include <stdlib.h>
#include <string.h>

/* Percent-escapes for a URL. FILL_PART keeps what has a meaning there (s may be a host, a path, a
 * query); FILL_VALUE only the few characters that are safe in a path and in a query. */
static void
put_url(struct buf *b, const char *s, enum fill_how how)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	static const char digits[] = "0123456789ABCDEF";
	const char *kept = how == FILL_VALUE ? "/:,@" : "/:,@?&=+%#;!$'()*[]";

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL || strchr(kept, *s) != NULL) {
			buf_char(b, *s);
			continue;
		}
		buf_char(b, '%');
		buf_char(b, digits[(unsigned char)*s >> 4]);
		buf_char(b, digits[(unsigned char)*s & 15]);
	}
}

void
fill_put(struct buf *b, const char *s, enum fill_how how)
{
	if (how == FILL_AS_IS)
		buf_str(b, s);
	else if (how != FILL_LINE)
		put_url(b, s, how);
	else
		for (; *s != '\0'; s++)		/* a line end would begin another header */
			buf_char(b, (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
}

void
fill_each(struct buf *b, const char *template, const char *each)
{
	const char *at;

	for (; each != NULL && (at = strstr(template, "{each}")) != NULL; template = at + 6) {
		buf_add(b, template, (size_t)(at - template));
		buf_str(b, each);
	}
	buf_str(b, template);
}

/* Appends an option's value, those of a list with commas between them; without one, its default. */
static void
option_text(struct buf *b, const struct source *src, const struct cr_option *o)
{
	const struct options *all = &src->instance->options;
	const char *p;
	size_t i;
	int given = 0;

	for (i = 0; i < all->n; i++) {
		if (strcmp(all->v[i].name, o->name) != 0)
			continue;
		if (given++)
			buf_char(b, ',');
		fill_each(b, all->v[i].value, src->each);
	}
	for (p = o->value; !given && p != NULL && *p != '\0'; p++)
		buf_char(b, o->type == CR_LIST && *p == '|' ? ',' : *p);
}

/* Appends the value of {name}. 0: name is neither `each` nor an option; nothing is appended. */
static int
fill_name(struct buf *b, const char *name, const struct source *src, enum fill_how how, int secrets)
{
	const struct cr_option *o = option_find(plugin_options(src->instance), name);
	const char *secret;
	struct buf text;

	if (src->each != NULL && strcmp(name, "each") == 0) {
		fill_put(b, src->each, how == FILL_VALUE ? FILL_PART : how);
		return 1;
	}
	if (o == NULL)
		return 0;
	secret = instance_secret(src->instance, name);
	if (secret != NULL && !secrets) {
		buf_fmt(b, "{secret:%s}", name);
		return 1;
	}
	buf_init(&text, FILL_MAX);
	if (secret != NULL)
		buf_str(&text, secret);
	else
		option_text(&text, src, o);
	if (text.data != NULL)
		fill_put(b, text.data, how == FILL_VALUE && o->type == CR_URL ? FILL_PART : how);
	buf_free(&text);
	return 1;
}

static void
fill(struct buf *b, const char *template, const struct source *src, enum fill_how how, int secrets)
{
	char name[FILL_NAME_MAX + 1];
	const char *end;
	size_t len;

	for (; *template != '\0'; template++) {
		end = *template == '{' ? strchr(template, '}') : NULL;
		len = end != NULL ? (size_t)(end - template) - 1 : 0;
		if (len > 0 && len <= FILL_NAME_MAX) {
			memcpy(name, template + 1, len);
			name[len] = '\0';
			if (fill_name(b, name, src, how, secrets)) {
				template = end;
				continue;
			}
		}
		buf_char(b, *template);
	}
}

void
fill_url(struct buf *b, const char *template, const struct source *src, int secrets)
{
	fill(b, template, src, FILL_VALUE, secrets);
}

/* ---- Options ---- */

static void
options_put(const struct instance *in, const char *each, int secrets, struct buf *b)
{
	const struct option_value *v;
	const char *secret;

	for (size_t i = 0; i < in->options.n; i++) {
		v = &in->options.v[i];
		secret = secrets ? instance_secret(in, v->name) : NULL;
		buf_add(b, v->name, strlen(v->name) + 1);
		fill_each(b, secret != NULL ? secret : v->value, each);
		buf_char(b, '\0');
	}
}

void
setup_source_options(const struct source *src, struct buf *b)
{
	options_put(src->instance, src->each, 0, b);
}

void
setup_source_granted(const struct source *src, uint32_t grants, struct buf *b)
{
	options_put(src->instance, src->each, (grants & CR_SECRETS) != 0, b);
}

void
instance_options(const struct instance *in, int secrets, struct buf *b)
{
	options_put(in, NULL, secrets, b);
}

/* ---- Headers ---- */

int
fill_is_pairs(const struct cr_option *o)
{
	return o != NULL && o->type == CR_SECRET && o->range != NULL;
}

int
fill_login(const struct instance *in, const char *each, struct buf *b)
{
	const char *user = options_get(&in->options, "auth_user");
	const char *password = instance_secret(in, "auth_password");

	if (user == NULL && password == NULL)
		return 0;
	fill_each(b, user != NULL ? user : "", each);
	buf_char(b, ':');
	fill_each(b, password != NULL ? password : "", each);
	return 1;
}

/* Whether an option in a header's line has no value: such a header is not sent. */
static int
lacks_value(const char *line, const struct source *src)
{
	const struct cr_option *o;
	const char *end;
	struct buf text;
	char *name;
	int lacks = 0;

	for (; !lacks && (line = strchr(line, '{')) != NULL && (end = strchr(line, '}')) != NULL;
	    line = end) {
		name = xstrndup(line + 1, (size_t)(end - line) - 1);
		o = option_find(plugin_options(src->instance), name);
		buf_init(&text, FILL_MAX);
		if (o != NULL)
			option_text(&text, src, o);
		lacks = o != NULL && text.len == 0;
		buf_free(&text);
		free(name);
	}
	return lacks;
}

/* Appends NAME=VALUE, or `NAME: VALUE`, as a header; other texts are left out. */
static void
fill_pair(struct buf *b, const char *pair, const char *each)
{
	struct buf text;
	size_t at;

	buf_init(&text, FILL_MAX);
	fill_each(&text, pair, each);
	if (text.data != NULL && (at = strcspn(text.data, "=:")) < text.len && at > 0) {
		text.data[at] = '\0';
		fill_put(b, text.data, FILL_LINE);
		buf_str(b, ": ");
		fill_put(b, text.data + at + 1 + strspn(text.data + at + 1, " "), FILL_LINE);
		buf_char(b, '\n');
	}
	buf_forget(&text);
}

static void
fill_pairs(struct buf *b, const char *lines, const char *each)
{
	size_t len;
	char *line;

	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\r\n");
		line = xstrndup(lines, len);
		fill_pair(b, line, each);
		explicit_bzero(line, len);
		free(line);
		len += lines[len] == '\r';
	}
}

/* Appends a header for each entry of the option, if the line is {OPTION} and the option a list or a
 * secret that holds headers. 0: it is no such line. */
static int
fill_list(struct buf *b, const char *line, const struct source *src)
{
	const struct options *all = &src->instance->options;
	const struct cr_option *o;
	const char *secret;
	size_t len = strlen(line);
	char *name;

	if (len < 3 || line[0] != '{' || strchr(line, '}') != line + len - 1)
		return 0;
	name = xstrndup(line + 1, len - 2);
	o = option_find(plugin_options(src->instance), name);
	free(name);
	if (o == NULL || (o->type != CR_LIST && !fill_is_pairs(o)))
		return 0;
	if (o->type != CR_LIST && (secret = instance_secret(src->instance, o->name)) != NULL)
		fill_pairs(b, secret, src->each);
	for (size_t i = 0; o->type == CR_LIST && i < all->n; i++)
		if (strcmp(all->v[i].name, o->name) == 0)
			fill_pair(b, all->v[i].value, src->each);
	return 1;
}

/* Appends the Authorization header of the options auth_user and auth_password, unless b has a
 * header with credentials. */
static void
fill_basic(struct buf *b, const struct source *src)
{
	struct buf login;

	if (login_said(b->data))
		return;
	buf_init(&login, FILL_MAX);
	if (fill_login(src->instance, src->each, &login))
		login_header(b, login.data, login.len);
	buf_forget(&login);
}

static void
fill_headers(struct buf *b, const char *lines, const struct source *src)
{
	size_t len;
	char *line;

	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		line = xstrndup(lines, len);
		if (strcmp(line, AUTH_BASIC) == 0) {
			fill_basic(b, src);
		} else if (!fill_list(b, line, src) && !lacks_value(line, src)) {
			fill(b, line, src, FILL_LINE, 1);
			buf_char(b, '\n');
		}
		free(line);
	}
}

/* In the source's URL, each {secret:NAME} was written by fill_url(): the configured URL has no such
 * braces left, and those in {each} are escaped. */
void
fill_secrets(struct buf *b, const char *text, const struct instance *in, int url)
{
	const char *end;
	size_t i, len;

	while (*text != '\0') {
		for (i = 0; i < in->nsecrets; i++) {
			len = strlen(in->secrets[i].name);
			end = strncmp(text, "{secret:", 8) == 0 ? text + 8 + len : NULL;
			if (end != NULL && strncmp(text + 8, in->secrets[i].name, len) == 0 &&
			    *end == '}')
				break;
		}
		if (i == in->nsecrets) {
			buf_char(b, *text++);
			continue;
		}
		fill_put(b, in->secrets[i].value, url ? FILL_VALUE : FILL_AS_IS);
		text = strchr(text, '}') + 1;
	}
}

void
setup_source_request(const struct source *src, struct buf *url, struct buf *headers)
{
	const struct instance *in = src->instance;
	const char *login;

	fill_secrets(url, src->url, in, 1);
	if (in->plugin != NULL && in->plugin->headers != NULL)
		fill_headers(headers, in->plugin->headers, src);
	login = instance_login(in, src->url);
	if (login != NULL && !login_said(headers->data))
		login_header(headers, login, strlen(login));
}
