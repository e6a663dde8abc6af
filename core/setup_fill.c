/* Templates of URLs, headers and options: {each}, {OPTION}, and secrets with their stand-ins. */
#include "mem.h"
#include "setup_reader.h"
#include "veil.h"

#include <stdlib.h>
#include <string.h>

#define FILL_NAME_MAX	128		/* bytes between { and } */
#define FILL_MAX	(1u << 20)	/* bytes of one value or text */
#define KEPT_MARK	'\001'		/* before and behind the name of a secret in what is kept */

/* How a value is put: as it is; for the place of one in a URL; for what may be a URL's part. */
enum put { PUT_AS_IS, PUT_VALUE, PUT_PART, PUT_LINE };

/* Escapes for a URL. A part keeps what has a meaning there (it may be a host, a path, a query); of
 * a value, only what never has one stays. */
static void
put_url(struct buf *b, const char *s, enum put how)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	static const char digits[] = "0123456789ABCDEF";
	const char *kept = how == PUT_VALUE ? "/:,@" : "/:,@?&=+%#;!$'()*[]";

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

static void
put(struct buf *b, const char *s, enum put how)
{
	if (how == PUT_AS_IS)
		buf_str(b, s);
	else if (how != PUT_LINE)
		put_url(b, s, how);
	else
		for (; *s != '\0'; s++)		/* a header ends at its line */
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

static const char *
secret_of(const struct instance *in, const char *name)
{
	for (size_t i = 0; i < in->nsecrets; i++)
		if (strcmp(in->secrets[i].name, name) == 0)
			return in->secrets[i].value;
	return NULL;
}

/* An option's value: of a list, its values with commas between them; else its default, or "". */
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

/* Puts what {name} stands for. 0: nothing; it is left as written. */
static int
fill_name(struct buf *b, const char *name, const struct source *src, enum put how, int secrets)
{
	const struct cr_option *o = option_find(plugin_options(src->instance), name);
	const char *secret;
	struct buf text;

	if (src->each != NULL && strcmp(name, "each") == 0) {
		put(b, src->each, how == PUT_VALUE ? PUT_PART : how);
		return 1;
	}
	if (o == NULL)
		return 0;
	secret = secret_of(src->instance, name);
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
		put(b, text.data, how == PUT_VALUE && o->type == CR_URL ? PUT_PART : how);
	buf_free(&text);
	return 1;
}

static void
fill(struct buf *b, const char *template, const struct source *src, enum put how, int secrets)
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
	fill(b, template, src, PUT_VALUE, secrets);
}

/* ---- What the setup offers ---- */

static void
options_put(const struct instance *in, const char *each, int secrets, struct buf *b)
{
	const struct option_value *v;
	const char *secret;

	for (size_t i = 0; i < in->options.n; i++) {
		v = &in->options.v[i];
		secret = secrets ? secret_of(in, v->name) : NULL;
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

/* Whether one of the options in a header's line has no value: then it is not sent. */
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

/* The entries NAME=VALUE, or `NAME: VALUE`, of the list option that the line {OPTION} is. 0: it is
 * no such line. */
static int
fill_list(struct buf *b, const char *line, const struct source *src)
{
	const struct options *all = &src->instance->options;
	const struct cr_option *o;
	size_t len = strlen(line), at, i;
	struct buf entry;
	char *name;

	if (len < 3 || line[0] != '{' || strchr(line, '}') != line + len - 1)
		return 0;
	name = xstrndup(line + 1, len - 2);
	o = option_find(plugin_options(src->instance), name);
	free(name);
	for (i = 0; o != NULL && o->type == CR_LIST && i < all->n; i++) {
		if (strcmp(all->v[i].name, o->name) != 0)
			continue;
		buf_init(&entry, FILL_MAX);
		fill_each(&entry, all->v[i].value, src->each);
		if (entry.data != NULL && (at = strcspn(entry.data, "=:")) < entry.len && at > 0) {
			entry.data[at] = '\0';
			put(b, entry.data, PUT_LINE);
			buf_str(b, ": ");
			put(b, entry.data + at + 1 + strspn(entry.data + at + 1, " "), PUT_LINE);
			buf_char(b, '\n');
		}
		buf_free(&entry);
	}
	return o != NULL && o->type == CR_LIST;
}

static void
fill_headers(struct buf *b, const char *lines, const struct source *src)
{
	size_t len;
	char *line;

	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		line = xstrndup(lines, len);
		if (!fill_list(b, line, src) && !lacks_value(line, src)) {
			fill(b, line, src, PUT_LINE, 1);
			buf_char(b, '\n');
		}
		free(line);
	}
}

/* In the source's own URL, {secret:NAME} can only be ours: what was configured has no such braces
 * left, and {each} has its braces escaped. */
void
setup_source_request(const struct source *src, struct buf *url, struct buf *headers)
{
	const struct instance *in = src->instance;
	const char *at = src->url, *end;
	size_t i, len;

	while (*at != '\0') {
		for (i = 0; i < in->nsecrets; i++) {
			len = strlen(in->secrets[i].name);
			end = strncmp(at, "{secret:", 8) == 0 ? at + 8 + len : NULL;
			if (end != NULL && strncmp(at + 8, in->secrets[i].name, len) == 0 &&
			    *end == '}')
				break;
		}
		if (i == in->nsecrets) {
			buf_char(url, *at++);
			continue;
		}
		put_url(url, in->secrets[i].value, PUT_VALUE);
		at = strchr(at, '}') + 1;
	}
	if (in->plugin != NULL && in->plugin->headers != NULL)
		fill_headers(headers, in->plugin->headers, src);
}

void
setup_reveal(const struct instance *in, const char *text, struct buf *b)
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
		put(b, in->secrets[i].value, PUT_LINE);
		text += strlen(options_get(&in->options, in->secrets[i].name));
	}
}

/* The name between two marks at text, into name[]; its end, or NULL: there is none. */
static const char *
kept_name(const char *text, char name[FILL_NAME_MAX + 1])
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
setup_unkeep(const struct instance *in, const char *text, int url, struct buf *b)
{
	char name[FILL_NAME_MAX + 1];
	const char *end, *secret;
	int n = 0;

	while (*text != '\0') {
		if (*text != KEPT_MARK) {
			buf_char(b, *text++);
			continue;
		}
		end = kept_name(text, name);
		secret = end != NULL ? secret_of(in, name) : NULL;
		if (secret == NULL)
			return -1;
		put(b, secret, url ? PUT_VALUE : PUT_LINE);
		text = end;
		n++;
	}
	return n;
}

void
setup_show(const char *text, struct buf *b)
{
	char name[FILL_NAME_MAX + 1];
	const char *end;

	while (*text != '\0') {
		end = kept_name(text, name);
		if (end != NULL)
			buf_fmt(b, "{secret:%s}", name);
		else
			buf_char(b, *text);
		text = end != NULL ? end : text + 1;
	}
}

/* What to look for in a text: each secret, and what is put in its place. */
static void
words(const struct instance *in, int kept, struct buf *b)
{
	const struct option_value *s;

	for (s = in->secrets; s < in->secrets + in->nsecrets; s++) {
		buf_add(b, s->value, strlen(s->value) + 1);
		if (kept)
			buf_fmt(b, "%c%s%c", KEPT_MARK, s->name, KEPT_MARK);
		else
			buf_str(b, options_get(&in->options, s->name));
		buf_char(b, '\0');
	}
}

static void
veil_over(const struct instance *in, int kept, const char *text, size_t len, struct buf *b)
{
	struct veil *veil;
	struct buf list;

	buf_init(&list, FILL_MAX);
	words(in, kept, &list);
	veil = veil_new((struct bytes){ list.data, list.len });
	veil_put(veil, text, len, b);
	veil_free(veil);
	if (list.data != NULL)
		explicit_bzero(list.data, list.len);
	buf_free(&list);
}

void
setup_conceal(const struct instance *in, const char *text, size_t len, struct buf *b)
{
	veil_over(in, 0, text, len, b);
}

void
setup_keep(const struct instance *in, const char *text, struct buf *b)
{
	veil_over(in, 1, text, strlen(text), b);
}

void
setup_veil(const struct instance *in, struct buf *b)
{
	words(in, 0, b);
}
