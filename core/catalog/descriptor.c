/* A plugin's descriptor: its checks, and its description as sent between processes. */
#include "descriptor.h"
#include "auth.h"
#include "plugin.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_SANE	4096		/* bytes of a descriptor; a larger size member is garbage */
#define TABLE_MAX	(64u << 10)	/* bytes of an options struct */
#define ALL_WANTS	(CR_HTTP | CR_NETWORK | CR_FILES | CR_EXEC | CR_SECRETS | CR_MAIL)
#define ALL_TAKES	(CR_BATCH_RECORDS | CR_BATCH_LIST | CR_BATCH_EDITION | CR_BATCH_LETTER | \
	CR_BATCH_ARCHIVE)

/* ---- Checks ---- */

/* Whether text is NULL, or UTF-8 of at most max bytes that can be shown to people; lines: line ends
 * are allowed. */
static int
text_fits(const char *text, size_t max, int lines)
{
	size_t n, at = 0, len, bad;
	uint32_t c;

	n = text != NULL ? strnlen(text, max + 1) : 0;
	for (; at < n; at += len) {
		len = text_get_char(&c, &bad, text + at, n - at);
		if (len == 0 || (shown_steers(c) && !(lines && c == '\n')))
			return 0;
	}
	return n <= max;
}

/* The callbacks as enum plugin_does. */
static uint32_t
does(const struct cr_plugin *p)
{
	return (p->parse != NULL ? DOES_PARSE : 0u) | (p->stream != NULL ? DOES_STREAM : 0u) |
	    (p->filter != NULL ? DOES_FILTER : 0u) | (p->deliver != NULL ? DOES_DELIVER : 0u) |
	    (p->check != NULL ? DOES_CHECK : 0u) | (p->plan != NULL ? DOES_PLAN : 0u) |
	    (p->request != NULL ? DOES_REQUEST : 0u);
}

/* "source", "filter", "sink"; "" unless the callbacks are those of exactly one kind. */
static const char *
kind_of(uint32_t what)
{
	switch (what & (DOES_PARSE | DOES_STREAM | DOES_FILTER | DOES_DELIVER)) {
	case DOES_PARSE:
	case DOES_STREAM:
		return "source";
	case DOES_FILTER:
		return "filter";
	case DOES_DELIVER:
		return "sink";
	default:
		return "";
	}
}

static int
check_callbacks(const struct cr_plugin *p, struct buf *why)
{
	uint32_t what = does(p);

	if (kind_of(what)[0] == '\0')
		buf_str(why, "has to have exactly one of parse, stream, filter, deliver");
	else if ((p->wants & ~ALL_WANTS) != 0)
		buf_fmt(why, "wants 0x%x, which this Courant does not know: a newer one is needed",
		    (unsigned)(p->wants & ~ALL_WANTS));
	else if ((p->wants & CR_MAIL) != 0 && ((p->wants & (CR_HTTP | CR_NETWORK | CR_EXEC)) != 0 || p->deliver == NULL))
		buf_str(why, "`wants` CR_MAIL, which is for deliver, and not beside CR_HTTP, CR_NETWORK or CR_EXEC");
	else if ((p->takes & ~ALL_TAKES) != 0 || (p->takes != 0 && p->deliver == NULL))
		buf_str(why, "`takes` is for deliver, and of enum cr_kind");
	else if ((p->url != NULL || p->headers != NULL) && p->parse == NULL)
		buf_str(why, "has a url or headers, but no parse");
	else if (p->plan != NULL && p->parse == NULL)
		buf_str(why, "has plan, but no parse");
	else
		return 0;
	return -1;
}

static int
check_texts(const struct cr_plugin *p, struct buf *why)
{
	if (p->name == NULL || !plugin_is_name(p->name))
		buf_str(why, "its name has to be a to z, then at most 31 of a to z, 0 to 9 and _");
	else if (!text_fits(p->version, ABOUT_LINE_MAX, 0) ||
	    !text_fits(p->help, ABOUT_LINE_MAX, 0))
		buf_str(why, "its version and help have to be lines of UTF-8 without controls, at "
		    "most 1000 bytes");
	else if (!text_fits(p->url, ABOUT_TEXT_MAX, 0) ||
	    !text_fits(p->headers, ABOUT_TEXT_MAX, 1))
		buf_str(why, "its url and headers have to be UTF-8 without controls, at most 8192 bytes");
	else
		return 0;
	return -1;
}

static int
check_defaults(const struct cr_plugin *p, struct buf *why)
{
	const struct cr_default *d = p->defaults;
	size_t n;

	if (d == NULL)
		return 0;
	for (n = 0; d->name != NULL && n < ABOUT_DEFAULTS; d++, n++)
		if (!text_fits(d->name, ABOUT_LINE_MAX, 0) ||
		    !text_fits(d->options, ABOUT_TEXT_MAX, 1)) {
			buf_fmt(why, "default source %zu is no text in UTF-8 without controls", n + 1);
			return -1;
		}
	if (n < ABOUT_DEFAULTS)
		return 0;
	buf_fmt(why, "has %d default sources or more, or none that ends the list", ABOUT_DEFAULTS);
	return -1;
}

static int
check_options(const struct cr_plugin *p, struct buf *why)
{
	const struct cr_option *o;
	size_t n;

	if (p->options == NULL)
		return 0;
	for (n = 0, o = p->options; o->name != NULL && n <= OPTION_MAX; o++, n++)
		if (!text_fits(o->name, ABOUT_LINE_MAX, 0) ||
		    !text_fits(o->help, ABOUT_LINE_MAX, 0) ||
		    !text_fits(o->range, ABOUT_TEXT_MAX, 0) ||
		    !text_fits(o->value, ABOUT_TEXT_MAX, 1)) {
			buf_fmt(why, "option %zu has a text that is too long, or no UTF-8 without "
			    "controls", n + 1);
			return -1;
		}
	if (n > OPTION_MAX || p->options_size > TABLE_MAX) {
		buf_fmt(why, "its options table has more than %d entries (no CR_END?) or fills more "
		    "than %u bytes", OPTION_MAX, TABLE_MAX);
		return -1;
	}
	return option_table(p->options, p->options_size, why);
}

int
descriptor_take(struct cr_plugin *p, const struct cr_plugin *found, struct buf *why)
{
	size_t least = offsetof(struct cr_plugin, request) + sizeof(found->request);

	*p = (struct cr_plugin){ .size = 0 };
	if (found->size < least || found->size > SIZE_SANE) {
		buf_fmt(why, "its descriptor claims a size of %zu bytes, version 1.0 has %zu: begin it "
		    "with CR_PLUGIN and build it anew", found->size, least);
		return -1;
	}
	memcpy(p, found, found->size < sizeof(*p) ? found->size : sizeof(*p));
	if (p->needs > CR_MINOR || p->needs < 0) {
		buf_fmt(why, "needs version 1.%d of the plugin contract, this Courant has 1.%d: "
		    "a newer Courant is needed", p->needs, CR_MINOR);
		return -1;
	}
	if (check_texts(p, why) == -1 || check_callbacks(p, why) == -1 ||
	    check_options(p, why) == -1 || check_defaults(p, why) == -1)
		return -1;
	auth_add(p);
	return 0;
}

/* ---- The description ---- */

static void
put_options(struct buf *b, const struct cr_option *o)
{
	const struct cr_option *at;
	uint32_t n = 0;

	for (at = o; at != NULL && at->name != NULL; at++)
		n++;
	wire_put_u32(b, n);
	for (at = o; at != NULL && at->name != NULL; at++) {
		wire_put_str(b, at->name);
		wire_put_u32(b, (uint32_t)at->type);
		wire_put_str(b, at->value);
		wire_put_str(b, at->range);
		wire_put_str(b, at->help);
	}
}

void
descriptor_write(struct buf *b, const struct cr_plugin *p)
{
	const struct cr_default *d;
	uint32_t n = 0;

	wire_put_str(b, p->name);
	wire_put_str(b, p->version);
	wire_put_str(b, p->help);
	wire_put_str(b, p->url);
	wire_put_str(b, p->headers);
	wire_put_u32(b, does(p));
	wire_put_u32(b, (uint32_t)p->minor);
	wire_put_u32(b, (uint32_t)p->needs);
	wire_put_u32(b, (uint32_t)p->wants);
	wire_put_u32(b, (uint32_t)p->takes);
	put_options(b, p->options);
	for (d = p->defaults; d != NULL && d->name != NULL; d++)
		n++;
	wire_put_u32(b, n);
	for (d = p->defaults; d != NULL && d->name != NULL; d++) {
		wire_put_str(b, d->name);
		wire_put_str(b, d->options);
	}
}

/* Reads a text of the description, owned by the caller; NULL stays NULL unless the text is
 * required. The plugin in the worker may have written it: it is checked like any foreign input. */
static char *
get_text(struct wire *w, size_t max, int lines, const char *none)
{
	const char *s = wire_str(w);

	if (!text_fits(s, max, lines))
		w->bad = 1;
	if (w->bad)
		return NULL;
	return s != NULL ? xstrdup(s) : none != NULL ? xstrdup(none) : NULL;
}

static void
get_option(struct wire *w, struct cr_option *o)
{
	o->name = get_text(w, ABOUT_LINE_MAX, 0, "");
	o->type = (int)wire_u32(w);
	o->value = get_text(w, ABOUT_TEXT_MAX, 1, NULL);
	o->range = get_text(w, ABOUT_TEXT_MAX, 0, NULL);
	o->help = get_text(w, ABOUT_LINE_MAX, 0, "");
	if (o->name == NULL || option_type_name(o->type) == NULL)
		w->bad = 1;
}

static void
get_options(struct wire *w, struct plugin *p)
{
	uint32_t n = wire_u32(w), i;

	if (n > OPTION_MAX)
		w->bad = 1;
	if (w->bad)
		n = 0;
	p->options = xcalloc(n + 1, sizeof(*p->options));
	p->noptions = n;
	for (i = 0; i < n && !w->bad; i++)
		get_option(w, &p->options[i]);
}

static void
get_defaults(struct wire *w, struct plugin *p)
{
	uint32_t n = wire_u32(w), i;

	if (n > ABOUT_DEFAULTS)
		w->bad = 1;
	if (w->bad || n == 0)
		return;
	p->defaults = xcalloc(n, sizeof(*p->defaults));
	p->ndefaults = n;
	for (i = 0; i < n && !w->bad; i++) {
		p->defaults[i].name = get_text(w, ABOUT_LINE_MAX, 0, "");
		p->defaults[i].options = get_text(w, ABOUT_TEXT_MAX, 1, "");
	}
}

int
descriptor_read(struct wire *w, struct plugin *p)
{
	char *name = get_text(w, ABOUT_LINE_MAX, 0, "");

	if (name == NULL || !plugin_is_name(name)) {
		free(name);
		plugin_refuse(p, "its description has no proper name");
		return -1;
	}
	free(p->name);
	p->name = name;
	free(p->version);
	p->version = get_text(w, ABOUT_LINE_MAX, 0, "");
	free(p->help);
	p->help = get_text(w, ABOUT_LINE_MAX, 0, "");
	free(p->url);
	p->url = get_text(w, ABOUT_TEXT_MAX, 0, NULL);
	free(p->headers);
	p->headers = get_text(w, ABOUT_TEXT_MAX, 1, NULL);
	p->does = wire_u32(w);
	p->minor = (int)wire_u32(w);
	p->needs = (int)wire_u32(w);
	p->wants = (int)wire_u32(w);
	p->takes = (int)wire_u32(w);
	get_options(w, p);
	get_defaults(w, p);
	if (wire_end(w) == -1) {
		plugin_refuse(p, "its description is malformed");
		return -1;
	}
	if (kind_of(p->does)[0] == '\0' || (p->wants & ~ALL_WANTS) != 0 ||
	    (p->takes & ~ALL_TAKES) != 0 || p->needs > CR_MINOR || p->needs < 0) {
		plugin_refuse(p, "its description says what no plugin can be");
		return -1;
	}
	free(p->kind);
	p->kind = xstrdup(kind_of(p->does));
	return 0;
}
