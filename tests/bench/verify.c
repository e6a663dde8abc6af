/* What the verifier takes by itself: the serialised records of a file (u32 length, bytes), so many
 * rounds.
 *
 *	bench-verify ROUNDS FILE	prints "RECORDS SECONDS" of CPU time for all rounds */
#include "base/date.h"
#include "record/verify.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_MAX	(256u << 20)

static double
seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* The number of records; -1: one is refused. */
static long
verify_all(const char *all, size_t size, int64_t now)
{
	char why[VERIFY_WHY];
	size_t at = 0;
	uint32_t len;
	long n;

	for (n = 0; at + sizeof(len) <= size; n++) {
		memcpy(&len, all + at, sizeof(len));
		at += sizeof(len);
		if (len > size - at)
			break;
		if (verify_record((struct bytes){ all + at, len }, VERIFY_RECORD, now, why) == -1) {
			fprintf(stderr, "%s\n", why);
			return -1;
		}
		at += len;
	}
	return n;
}

int
main(int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[2], "rb") : NULL;
	static char all[FILE_MAX];
	int64_t now = date_now();
	long records = 0, n;
	double begun;
	size_t size;

	if (in == NULL)
		return 1;
	size = fread(all, 1, sizeof(all), in);
	begun = seconds();
	for (long i = strtol(argv[1], NULL, 10); i > 0; i--) {
		if ((n = verify_all(all, size, now)) == -1)
			return 1;
		records += n;
	}
	printf("%ld %.6f\n", records, seconds() - begun);
	fclose(in);
	return 0;
}
