/* Secrets in text that came from outside, found however they are written there, and replaced. */
#include "veil.h"
#include "log.h"
#include "mem.h"
#include "result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct word {
	const char	*text, *instead;
	size_t		 len;
};
struct veil {
	struct word	 word[VEIL_WORDS];
	size_t		 n;
	char		 begins[256];	/* by a byte with which a secret may begin, however written */
};

/* Signs that XML and HTML write by name or number. */
static const struct { char sign; const char *name; } names[] = {
	{ '&', "&amp;" }, { '&', "&#38;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
	{ '"', "&#34;" }, { '\'', "&#39;" }, { '\'', "&apos;" }, { '\'', "&#x27;" },
	{ '/', "&#x2F;" }, { '+', "&#43;" }, { '=', "&#61;" },
};

static void
word_add(struct veil *v, const char *text, size_t len, const char *instead)
{
	if (len < VEIL_MIN || v->n == VEIL_WORDS)
		return;
	v->word[v->n++] = (struct word){ text, instead, len };
	v->begins[(unsigned char)*text] = v->begins['%'] = v->begins['\\'] = v->begins['&'] = 1;
}

struct veil *
veil_new(struct bytes words)
{
	const char *s = words.data, *end = s + words.len, *instead;
	struct veil *v = xcalloc(1, sizeof(*v));
	size_t len;

	for (; words.len > 0 && s < end; s = instead + strlen(instead) + 1) {
		instead = s + strlen(s) + 1;
		for (; *s != '\0'; s += len + (s[len] == '\n')) {
			len = strcspn(s, "\n");
			word_add(v, s, len, instead);
		}
	}
	if (v->n > 0)
		return v;
	free(v);
	return NULL;
}

void
veil_free(struct veil *v)
{
	free(v);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The two hexadecimal digits at s; -1: there are none. */
static int
hex(const char *s)
{
	return digit(s[0]) < 0 || digit(s[1]) < 0 ? -1 : digit(s[0]) * 16 + digit(s[1]);
}

/* The length of the sign c at s, written with more than itself; 0: it is not. */
static size_t
escaped(const char *s, size_t len, unsigned char c)
{
	if (*s == '%')
		return len >= 3 && hex(s + 1) == c ? 3 : 0;
	if (*s == '\\' && len >= 2 && (unsigned char)s[1] == c && strchr("/\"\\", c) != NULL)
		return 2;
	if (*s == '\\')
		return len >= 6 && memcmp(s, "\\u00", 4) == 0 && hex(s + 4) == c ? 6 : 0;
	for (size_t i = 0; *s == '&' && i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].sign == (char)c && len >= strlen(names[i].name) &&
		    strncasecmp(s, names[i].name, strlen(names[i].name)) == 0)
			return strlen(names[i].name);
	return 0;
}

/* The length of a secret that stands at s, as it is or in any writing; 0: it does not. */
static size_t
stands(const struct word *w, const char *s, size_t len)
{
	size_t at = 0, i, n;

	if (len >= w->len && memcmp(s, w->text, w->len) == 0)
		return w->len;
	for (i = 0; i < w->len; i++, at += n) {
		if (at == len)
			return 0;
		n = escaped(s + at, len - at, (unsigned char)w->text[i]);
		if (n == 0 && s[at] == w->text[i])
			n = 1;
		if (n == 0)
			return 0;
	}
	return at;
}

size_t
veil_find(const struct veil *v, const char *text, size_t len, size_t *at, const char **instead)
{
	size_t i, k, n;

	for (i = 0; v != NULL && i < len; i++) {
		if (!v->begins[(unsigned char)text[i]])
			continue;
		for (k = 0; k < v->n; k++)
			if ((n = stands(&v->word[k], text + i, len - i)) > 0) {
				*at = i;
				*instead = v->word[k].instead;
				return n;
			}
	}
	return 0;
}

size_t
veil_put(const struct veil *v, const char *text, size_t len, struct buf *b)
{
	const char *instead;
	size_t found, at, n;

	for (found = 0; (n = veil_find(v, text, len, &at, &instead)) > 0; found++) {
		buf_add(b, text, at);
		buf_str(b, instead);
		text += at + n;
		len -= at + n;
	}
	buf_add(b, text, len);
	return found;
}

int
veil_file(const struct veil *v, int *fd, uint64_t *len, uint64_t max)
{
	const char *text, *instead;
	size_t size, at;
	struct buf b;
	int rc = 0;

	text = v != NULL ? result_map(*fd, (size_t)*len + 1, &size) : NULL;
	if (v != NULL && text == NULL)
		fatal("a document cannot be mapped: %s", strerror(errno));
	if (text == NULL)
		return 0;
	if (veil_find(v, text, (size_t)*len, &at, &instead) > 0) {
		buf_init(&b, (size_t)max + 1);
		veil_put(v, text, (size_t)*len, &b);
		buf_char(&b, '\0');
		close(*fd);
		*fd = result_fd(b.data, b.len);
		if (*fd == -1 || result_seal(*fd) == -1)
			fatal("no memory for a document: %s", strerror(errno));
		*len = b.len - 1;
		rc = b.over ? -1 : 0;
		buf_free(&b);
	}
	result_unmap(text, size);
	return rc;
}
