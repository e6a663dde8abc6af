/* What libmrss takes for the same documents; what it cannot read counts as read.
 *
 *	bench-mrss ROUNDS FILE...	prints "BYTES SECONDS" of CPU time for all rounds */
#include <mrss.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FILE_MAX	(64u << 20)

static size_t
parse(char *text, size_t len)
{
	mrss_t *feed;

	if (mrss_parse_buffer(text, len, &feed) == MRSS_OK)
		mrss_free(feed);
	return len;
}

int
main(int argc, char **argv)
{
	static char text[FILE_MAX];
	double begun, used = 0;
	size_t len, bytes = 0;
	FILE *in;

	for (int i = 2; i < argc; i++) {
		if ((in = fopen(argv[i], "rb")) == NULL)
			return 1;
		len = fread(text, 1, sizeof(text) - 1, in);
		text[len] = '\0';
		fclose(in);
		begun = (double)clock() / CLOCKS_PER_SEC;
		for (long n = strtol(argv[1], NULL, 10); n > 0; n--)
			bytes += parse(text, len);
		used += (double)clock() / CLOCKS_PER_SEC - begun;
	}
	printf("%zu %.6f\n", bytes, used);
	return 0;
}
