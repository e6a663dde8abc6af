/* Text that others wrote, made fit to be shown to people. */
#include "shown.h"
#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX	32		/* bytes of a number, printed */

int
shown_steers(uint32_t c)
{
	static const struct { uint32_t first, last; } ranges[] = {
		{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0x61c, 0x61c }, { 0x180e, 0x180e },
		{ 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c <= ranges[i].last)
			return c >= ranges[i].first;
	return 0;
}

size_t
shown_char(char out[SHOWN_CHAR], const char *s, size_t n)
{
	uint32_t c = 0;
	size_t bad, len = text_get_char(&c, &bad, s, n);

	if (len == 0 || (len == 1 && shown_steers(c))) {
		snprintf(out, SHOWN_CHAR, "\\x%02x", (unsigned char)s[0]);
		return 1;
	}
	if (shown_steers(c)) {
		snprintf(out, SHOWN_CHAR, "\\u%04x", (unsigned)(c & 0xffff));
		return len;
	}
	memcpy(out, s, len);
	out[len] = '\0';
	return len;
}

void
shown_add(struct buf *b, const char *s, size_t n, int lines)
{
	char one[SHOWN_CHAR];
	size_t at = 0, plain;

	while (at < n) {
		for (plain = at; plain < n && s[plain] >= ' ' && s[plain] < 0x7f; plain++)
			;
		buf_add(b, s + at, plain - at);
		if ((at = plain) == n)
			break;
		if (lines && (s[at] == '\n' || s[at] == '\t')) {
			buf_char(b, s[at++]);
			continue;
		}
		at += shown_char(one, s + at, n - at);
		buf_str(b, one);
	}
}

void
shown_json(struct buf *b, const char *s, size_t n)
{
	size_t at = 0, from = 0, len, bad;
	uint32_t c = 0;

	while (at < n) {
		if ((s[at] >= ' ' && s[at] < 0x7f) || s[at] == '\n' || s[at] == '\t') {
			at++;
			continue;
		}
		len = text_get_char(&c, &bad, s + at, n - at);
		if (len > 0 && !shown_steers(c)) {
			at += len;
			continue;
		}
		buf_add(b, s + from, at - from);
		buf_fmt(b, "\\u%04x", len > 0 ? (unsigned)c : 0xfffdu);
		at += len > 0 ? len : bad;
		from = at;
	}
	buf_add(b, s + from, n - from);
}

/* ---- printf() ---- */

/* One conversion of a format: %-14s, %.*s, %lld. */
struct spec {
	int		 left;			/* flag - */
	size_t		 width, precision;	/* precision SIZE_MAX: none */
	char		 size[3];		/* "", "l", "ll", "z" */
	char		 type;
};

static size_t
number_of(const char **at, va_list *ap)
{
	size_t n = 0;
	int given;

	if (**at == '*') {
		++*at;
		given = va_arg(*ap, int);
		return given > 0 ? (size_t)given : 0;
	}
	for (; **at >= '0' && **at <= '9'; ++*at)
		n = 10 * n + (size_t)(**at - '0');
	return n;
}

/* Reads the conversion behind a %; returns the text behind it. */
static const char *
spec_read(struct spec *s, const char *at, va_list *ap)
{
	size_t n;

	*s = (struct spec){ .left = *at == '-', .precision = SIZE_MAX };
	at += s->left;
	s->width = number_of(&at, ap);
	if (*at == '.') {
		at++;
		s->precision = number_of(&at, ap);
	}
	n = strspn(at, "lz");
	snprintf(s->size, sizeof(s->size), "%.*s", (int)n, at);
	s->type = at[n];
	return at + n + (at[n] != '\0');
}

static void
add_text(struct buf *b, const struct spec *s, const char *text)
{
	struct buf one;
	size_t pad;

	text = text != NULL ? text : "(null)";
	buf_init(&one, SIZE_MAX / 4);
	shown_add(&one, text, strnlen(text, s->precision), 0);
	pad = s->width > one.len ? s->width - one.len : 0;
	for (size_t i = 0; i < pad && !s->left; i++)
		buf_char(b, ' ');
	buf_add(b, one.data, one.len);
	for (size_t i = 0; i < pad && s->left; i++)
		buf_char(b, ' ');
	buf_free(&one);
}

static void
add_number(struct buf *b, const struct spec *s, va_list *ap)
{
	int is_signed = s->type == 'd' || s->type == 'i';
	struct spec plain = { .left = s->left, .width = s->width, .precision = SIZE_MAX };
	char text[NUMBER_MAX];
	unsigned long long v;

	if (s->size[0] == 'z')
		v = va_arg(*ap, size_t);
	else if (s->size[0] == 'l' && s->size[1] == 'l')
		v = va_arg(*ap, unsigned long long);
	else if (s->size[0] == 'l')
		v = (unsigned long long)va_arg(*ap, long);
	else if (is_signed)
		v = (unsigned long long)va_arg(*ap, int);
	else
		v = va_arg(*ap, unsigned);
	if (is_signed)
		snprintf(text, sizeof(text), "%lld", (long long)v);
	else
		snprintf(text, sizeof(text), s->type == 'u' ? "%llu" : "%llx", v);
	add_text(b, &plain, text);
}

static void
add_format(struct buf *b, const char *fmt, va_list *ap)
{
	char one[2] = "";
	struct spec s;
	size_t n;

	for (;;) {
		n = strcspn(fmt, "%");
		buf_add(b, fmt, n);
		fmt += n;
		if (*fmt == '\0')
			return;
		fmt = spec_read(&s, fmt + 1, ap);
		switch (s.type) {
		case '%':
			buf_char(b, '%');
			break;
		case 's':
			add_text(b, &s, va_arg(*ap, const char *));
			break;
		case 'c':
			one[0] = (char)va_arg(*ap, int);
			add_text(b, &s, one);
			break;
		case 'd': case 'i': case 'u': case 'x':
			add_number(b, &s, ap);
			break;
		default:
			abort();	/* a format that this function does not know */
		}
	}
}

void
shown_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_format(b, fmt, &ap);
	va_end(ap);
}

void
shown_vprint(FILE *to, const char *fmt, va_list given)
{
	struct buf b;
	va_list ap;

	buf_init(&b, SIZE_MAX / 4);
	va_copy(ap, given);		/* a parameter of this type cannot be passed by its address */
	add_format(&b, fmt, &ap);
	va_end(ap);
	(void)fwrite(b.data, 1, b.len, to);
	buf_free(&b);
}

void
shown_print(FILE *to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	shown_vprint(to, fmt, ap);
	va_end(ap);
}

void
shown_lines(FILE *to, const char *text)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 4);
	shown_add(&b, text != NULL ? text : "", text != NULL ? strlen(text) : 0, 1);
	if (b.len > 0)
		(void)fwrite(b.data, 1, b.len, to);
	buf_free(&b);
}
