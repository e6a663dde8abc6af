/* What sanitised HTML has to look like, judged by a reader of its own that knows no more than that:
 * for the unit test and the fuzz target. */
#ifndef TESTS_STRICT_HTML_H
#define TESTS_STRICT_HTML_H
#include <string.h>

#define STRICT_DEPTH	256
#define STRICT_NAME	24

static const char *const strict_bad_tags[] = {
	"applet", "base", "body", "button", "datalist", "embed", "form", "frame", "frameset", "head",
	"html", "iframe", "input", "keygen", "link", "listing", "marquee", "math", "meta", "noembed",
	"noframes", "noscript", "object", "optgroup", "option", "output", "plaintext", "script",
	"select", "style", "svg", "template", "textarea", "title", "xml", "xmp",
};
static const char *const strict_urls[] = {
	"background", "cite", "dynsrc", "href", "icon", "longdesc", "lowsrc", "poster", "src",
};
static const char *const strict_bad_attrs[] = {
	"action", "code", "codebase", "classid", "data", "formaction", "http-equiv", "id", "manifest",
	"name", "ping", "profile", "srcdoc", "xlink:href", "xmlns",
};
/* With what makes them more than words, as which they do no harm. */
static const char *const strict_bad_styles[] = {
	"url(", "expression(", "script:", "@", "\\", "/*", "behavior:", "binding:", "position:",
};

struct strict {
	const char	*at, *end;
	const char	*why;			/* NULL: all is well so far */
	size_t		 depth;
	char		 open[STRICT_DEPTH][STRICT_NAME];
};

static int
strict_listed(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return 1;
	return 0;
}
#define STRICT_IN(list, name)	strict_listed(list, sizeof(list) / sizeof((list)[0]), name)

static int
strict_sign(struct strict *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return 0;
	s->at++;
	return 1;
}

/* A name of lower-case letters, digits, - and :. */
static void
strict_name(struct strict *s, char name[STRICT_NAME])
{
	size_t n = 0;

	while (s->at < s->end && n < STRICT_NAME - 1 && ((*s->at >= 'a' && *s->at <= 'z') ||
	    (*s->at >= '0' && *s->at <= '9') || *s->at == '-' || *s->at == ':'))
		name[n++] = *s->at++;
	name[n] = '\0';
	if (n == 0)
		s->why = "a name is missing";
}

/* Text up to one of the signs: no control, and each & begins an escape. */
static void
strict_text(struct strict *s, const char *signs)
{
	static const char *const escapes[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	size_t i;

	for (; s->at < s->end && strchr(signs, *s->at) == NULL; s->at++) {
		if (((unsigned char)*s->at < ' ' && strchr("\t\n\r", *s->at) == NULL) ||
		    *s->at == 0x7f)
			s->why = "a control character";
		if (*s->at == '<' || *s->at == '>')
			s->why = "a bare < or >";
		if (*s->at != '&')
			continue;
		for (i = 0; i < 5; i++)
			if ((size_t)(s->end - s->at) >= strlen(escapes[i]) &&
			    memcmp(s->at, escapes[i], strlen(escapes[i])) == 0)
				break;
		if (i == 5)
			s->why = "a bare &";
	}
}

static int
strict_begins(const char *value, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(value, with, strlen(with)) == 0;
}

/* absolute: an address without a scheme is not allowed either. */
static void
strict_value(struct strict *s, const char *name, const char *v, size_t n, int absolute)
{
	size_t plain = 0;

	if (strncmp(name, "on", 2) == 0 || STRICT_IN(strict_bad_attrs, name))
		s->why = "an attribute that may not be";
	for (size_t i = 0; strcmp(name, "style") == 0 &&
	    i < sizeof(strict_bad_styles) / sizeof(strict_bad_styles[0]); i++)
		if (memmem(v, n, strict_bad_styles[i], strlen(strict_bad_styles[i])) != NULL)
			s->why = "a style that may not be";
	if (n == 0 || (!STRICT_IN(strict_urls, name) && strcmp(name, "srcset") != 0))
		return;
	if (strict_begins(v, n, "http://") || strict_begins(v, n, "https://") ||
	    strict_begins(v, n, "mailto:"))
		return;
	while (plain < n && strchr(":/?# ", v[plain]) == NULL)
		plain++;
	if (absolute || (plain < n && v[plain] == ':'))
		s->why = "an address that may not be";
}

static void
strict_tag(struct strict *s, int absolute)
{
	char name[STRICT_NAME], attr[STRICT_NAME];
	int close = strict_sign(s, '/');
	const char *v;

	strict_name(s, name);
	if (STRICT_IN(strict_bad_tags, name))
		s->why = "a tag that may not be";
	while (!close && s->why == NULL && strict_sign(s, ' ')) {
		strict_name(s, attr);
		if (!strict_sign(s, '=') || !strict_sign(s, '"'))
			s->why = "an attribute without a quoted value";
		v = s->at;
		strict_text(s, "\"");
		strict_value(s, attr, v, (size_t)(s->at - v), absolute);
		if (!strict_sign(s, '"'))
			s->why = "a value that does not end";
	}
	if (close) {
		if (s->depth == 0 || strcmp(s->open[--s->depth], name) != 0)
			s->why = "an end tag of nothing";
	} else if (!strict_sign(s, '/')) {
		if (s->depth == STRICT_DEPTH)
			s->why = "too deep";
		else
			memcpy(s->open[s->depth++], name, STRICT_NAME);
	}
	if (!strict_sign(s, '>'))
		s->why = "a tag that does not end";
}

/* Why the fragment is not safe or not well-formed; NULL: it is both. */
static inline const char *
strict_html(const char *text, size_t n, int absolute)
{
	static struct strict s;

	s = (struct strict){ .at = text, .end = text + n };
	while (s.why == NULL && s.at < s.end) {
		strict_text(&s, "<");
		if (s.why == NULL && strict_sign(&s, '<'))
			strict_tag(&s, absolute);
	}
	return s.why != NULL ? s.why : s.depth > 0 ? "a tag that is left open" : NULL;
}
#endif
