/* TeX from anywhere: what is written is valid UTF-8, the HTML has no tags but sup, sub and code, each closed, and
 * text without dollars, braces and backslashes is not changed. */
#include "base/buf.h"
#include "base/tex.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MAX	64

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(int holds)
{
	if (!holds)
		abort();
}

static void
check_html(const char *s)
{
	static const char *const tags[] = { "sup>", "sub>", "code>" };
	size_t open[OPEN_MAX], n = 0, i;
	int close;

	for (; (s = strchr(s, '<')) != NULL;) {
		close = s[1] == '/';
		s += 1 + close;
		for (i = 0; i < 3 && strncmp(s, tags[i], strlen(tags[i])) != 0; i++)
			;
		need(i < 3);
		if (close)
			need(n > 0 && open[--n] == i);
		else {
			need(n < OPEN_MAX);
			open[n++] = i;
		}
	}
	need(n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in, text, html;

	buf_init(&in, 4 * size + 64);
	buf_init(&text, 64 * size + 64);
	buf_init(&html, 64 * size + 64);
	buf_str(&in, "");
	buf_str(&text, "");
	buf_str(&html, "");
	text_utf8(&in, (const char *)data, size);
	tex_text(&text, in.data, in.len);
	tex_html(&html, in.data, in.len);
	need(!text.over && text_valid(text.data, text.len) == text.len);
	need(!html.over && text_valid(html.data, html.len) == html.len);
	if (strpbrk(in.data, "$\\{") == NULL)
		need(text.len == in.len && memcmp(text.data, in.data, in.len) == 0);
	check_html(html.data);
	buf_free(&in);
	buf_free(&text);
	buf_free(&html);
	return 0;
}
