/* Sanitising of style attributes: which declarations are allowed. */
#include "css.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CSS_NAME	32		/* bytes of the longest property, with its NUL */
#define CSS_VALUE	256		/* bytes of a value */
#define CSS_DIGITS	4		/* of a number: larger ones move content off the page */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Sorted. Without properties that place content over other content (position, z-index, transform),
 * load a resource (background-image, content) or run code (behavior, -moz-binding). */
static const char css_properties[][CSS_NAME] = {
	"azimuth", "background", "background-color", "border", "border-bottom",
	"border-bottom-color", "border-bottom-style", "border-bottom-width", "border-collapse",
	"border-color", "border-left", "border-left-color", "border-left-style",
	"border-left-width", "border-radius", "border-right", "border-right-color",
	"border-right-style", "border-right-width", "border-spacing", "border-style", "border-top",
	"border-top-color", "border-top-style", "border-top-width", "border-width", "caption-side",
	"clear", "color", "column-count", "column-gap", "cursor", "direction", "display",
	"elevation", "empty-cells", "float", "font", "font-family", "font-size", "font-style",
	"font-variant", "font-weight", "height", "letter-spacing", "line-height", "list-style",
	"list-style-position", "list-style-type", "margin", "margin-bottom", "margin-left",
	"margin-right", "margin-top", "max-height", "max-width", "min-height", "min-width",
	"orphans", "overflow", "padding", "padding-bottom", "padding-left", "padding-right",
	"padding-top", "page-break-after", "page-break-before", "page-break-inside", "pause",
	"pause-after", "pause-before", "pitch", "pitch-range", "quotes", "richness", "speak",
	"speak-header", "speak-numeral", "speak-punctuation", "speech-rate", "stress",
	"table-layout", "text-align", "text-decoration", "text-indent", "text-transform",
	"unicode-bidi", "vertical-align", "voice-family", "volume", "white-space", "widows",
	"width",
	"word-break", "word-spacing", "word-wrap",
};

/* Functions that are allowed in a value. */
static const char *const css_functions[] = { "rgb", "rgba", "hsl", "hsla" };

static int
css_letter(int c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_';
}

static int
css_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
css_order(const void *key, const void *entry)
{
	return strcmp(key, entry);
}

/* The table's property with that name; NULL: not allowed. */
static const char *
css_property(const char *s, size_t n)
{
	char name[CSS_NAME];

	if (n == 0 || n >= CSS_NAME)
		return NULL;
	for (size_t i = 0; i < n; i++)
		name[i] = (char)text_lower(s[i]);
	name[n] = '\0';
	return bsearch(name, css_properties, COUNT(css_properties), CSS_NAME, css_order);
}

/* The length of the quoted string at s; 0: it has no end, or is not the name of a font. */
static size_t
css_string(const char *s, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (s[i] == s[0])
			return i + 1;
		if (!css_letter(s[i]) && !css_digit(s[i]) && s[i] != ' ' && (s[i] & 0x80) == 0)
			break;
	}
	return 0;
}

/* The length of the word at s; 0: not allowed. */
static size_t
css_word(const char *s, size_t n)
{
	static const char *const bad[] = { "expression", "javascript", "vbscript", "url" };
	size_t len = 0;

	while (len < n && (css_letter(s[len]) || css_digit(s[len])))
		len++;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (len >= strlen(bad[i]) && strncasecmp(s, bad[i], strlen(bad[i])) == 0)
			return 0;
	if (len == n || s[len] != '(')
		return len;
	for (size_t i = 0; i < COUNT(css_functions); i++)
		if (text_is(s, len, css_functions[i]))
			return len + 1;
	return 0;
}

/* The length of the number at s with its unit; 0: too large. */
static size_t
css_number(const char *s, size_t n)
{
	size_t len = 0, digits = 0;

	for (; len < n && css_digit(s[len]); len++)
		digits++;
	if (digits > CSS_DIGITS)
		return 0;
	while (len < n && (css_digit(s[len]) || s[len] == '.'))
		len++;
	while (len < n && (css_letter(s[len]) || s[len] == '%'))
		len++;
	return len;
}

/* The length of the colour "#abc" at s. */
static size_t
css_colour(const char *s, size_t n)
{
	size_t len = 1;

	while (len < n && (css_digit(s[len]) || ((s[len] | 0x20) >= 'a' && (s[len] | 0x20) <= 'f')))
		len++;
	return len <= 9 ? len : 0;
}

/* Whether the value consists of words, numbers, colours and font names only. */
static int
css_fits(const char *s, size_t n)
{
	size_t used;

	if (n == 0 || n > CSS_VALUE)
		return 0;
	for (; n > 0; s += used, n -= used) {
		if (*s == '"' || *s == '\'')
			used = css_string(s, n);
		else if (css_digit(*s) || (*s == '.' && n > 1 && css_digit(s[1])))
			used = css_number(s, n);
		else if (*s == '-' && n > 1 && (css_digit(s[1]) || s[1] == '.'))
			used = 1;
		else if (css_letter(*s))
			used = css_word(s, n);
		else if (*s == '#')
			used = css_colour(s, n);
		else
			used = strchr(" ,+/!)%.", *s) != NULL && *s != '\0';
		if (used == 0)
			return 0;
	}
	return 1;
}

static void
css_declaration(struct buf *b, const char *s, size_t n, int *first)
{
	const char *colon = memchr(s, ':', n), *name;
	const char *end = s + n;

	if (colon == NULL)
		return;
	while (s < colon && text_space(*s))
		s++;
	for (name = colon; name > s && text_space(name[-1]); name--)
		;
	if ((name = css_property(s, (size_t)(name - s))) == NULL)
		return;
	for (s = colon + 1; s < end && text_space(*s); s++)
		;
	while (end > s && text_space(end[-1]))
		end--;
	if (!css_fits(s, (size_t)(end - s)))
		return;
	if (!*first)
		buf_char(b, ' ');
	*first = 0;
	buf_str(b, name);
	buf_str(b, ": ");
	for (; s < end; s++)
		buf_char(b, *s == '"' ? '\'' : *s);
	buf_char(b, ';');
}

void
css_sanitise(struct buf *b, const char *s, size_t n)
{
	const char *semicolon, *end = s + (n < CSS_MAX ? n : CSS_MAX);
	int first = 1;

	for (; s < end; s = semicolon + 1) {
		if ((semicolon = memchr(s, ';', (size_t)(end - s))) == NULL)
			semicolon = end;
		css_declaration(b, s, (size_t)(semicolon - s), &first);
	}
}

int
css_sanitised(const char *s, size_t n)
{
	const char *end = s + n, *colon, *semicolon, *name;

	for (; s < end; s = semicolon + 2) {
		if ((colon = memchr(s, ':', (size_t)(end - s))) == NULL ||
		    (name = css_property(s, (size_t)(colon - s))) == NULL ||
		    memcmp(name, s, (size_t)(colon - s)) != 0 || end - colon < 2 || colon[1] != ' ' ||
		    (semicolon = memchr(colon, ';', (size_t)(end - colon))) == NULL)
			return 0;
		s = colon + 2;
		if (!css_fits(s, (size_t)(semicolon - s)) || *s == ' ' || semicolon[-1] == ' ' ||
		    memchr(s, '"', (size_t)(semicolon - s)) != NULL)
			return 0;
		if (semicolon + 1 == end)
			return 1;
		if (semicolon[1] != ' ')
			return 0;
	}
	return 0;
}
