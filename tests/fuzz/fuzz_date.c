/* Dates from anywhere: what is read is written, and read again as the same. */
#include "base/date.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[DATE_MAX], *text = malloc(size + 1);
	int64_t ms = 42, back;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (date_parse(text, &ms) == -1) {
		if (ms != 42)
			abort();
	} else if (ms >= INT64_C(-62167219200000) && ms < INT64_C(253402300800000)) {
		if (date_parse(date_rfc3339(out, ms), &back) == -1 || back != ms)
			abort();
		if (date_parse(date_http(out, ms), &back) == -1 || back / 1000 > ms / 1000)
			abort();
	}
	date_rfc3339(out, ms);
	date_http(out, ms);
	free(text);
	return 0;
}
