/* What the sanitiser takes by itself: the HTML texts of a file (u32 length, bytes), so many rounds.
 *
 *	bench-html ROUNDS FILE		prints "BYTES SECONDS" of CPU time for all rounds */
#include "base/mem.h"
#include "worker/html.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_MAX	(64u << 20)

static double
seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static size_t
sanitise_all(struct buf *out, const char *all, size_t size)
{
	size_t at = 0, bytes = 0;
	uint32_t len;

	while (at + sizeof(len) <= size) {
		memcpy(&len, all + at, sizeof(len));
		at += sizeof(len);
		if (len > size - at)
			break;
		buf_clear(out);
		html_sanitise(out, all + at, len, "https://example.org/", 0);
		bytes += len;
		at += len;
	}
	return bytes;
}

int
main(int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[2], "rb") : NULL;
	static char all[FILE_MAX];
	struct buf out;
	size_t size, bytes = 0;
	double begun;

	if (in == NULL)
		return 1;
	size = fread(all, 1, sizeof(all), in);
	buf_init(&out, FILE_MAX);
	begun = seconds();
	for (long i = strtol(argv[1], NULL, 10); i > 0; i--)
		bytes += sanitise_all(&out, all, size);
	printf("%zu %.6f\n", bytes, seconds() - begun);
	buf_free(&out);
	fclose(in);
	return 0;
}
