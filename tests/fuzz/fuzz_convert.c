/* Bytes in any encoding, named by the first line: UTF-8 comes out, or the name is not known. */
#include "base/buf.h"
#include "base/text.h"
#include "base/utf8.h"
#include "worker/convert.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *body;
	size_t bad = 0, len;
	struct buf b;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if ((body = memchr(text, '\n', size)) != NULL)
		*body++ = '\0';
	else
		body = text + size;
	len = size - (size_t)(body - text);
	buf_init(&b, 16 * size + 64);
	buf_str(&b, "");
	if (convert(&b, text, body, len, &bad) == 0 &&
	    (b.over || text_valid(b.data, b.len) != b.len || bad > len))
		abort();
	buf_free(&b);
	free(text);
	return 0;
}
