/* All that `courant` prints. */
#include "cli_print.h"
#include "base/shown.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	shown_vprint(stdout, fmt, ap);
	va_end(ap);
}

void
print_verror(const char *fmt, va_list ap)
{
	shown_vprint(stderr, fmt, ap);
}

void
print_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_verror(fmt, ap);
	va_end(ap);
}

void
print_lines(const char *text, int error)
{
	shown_lines(error ? stderr : stdout, text);
}

void
print_json_text(const char *json)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 4);
	shown_json(&b, json, strlen(json));
	if (b.len == 0 || b.data[b.len - 1] != '\n')
		buf_char(&b, '\n');
	(void)fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

int
print_json(const json_t *o, size_t flags)
{
	char *text = json_dumps(o, flags);

	if (text == NULL)
		return -1;
	print_json_text(text);
	free(text);
	return 0;
}

void
print_flush(void)
{
	if (fflush(stdout) == 0)
		return;
	print_error("courant: standard output: %s\n", strerror(errno));
	exit(1);
}
