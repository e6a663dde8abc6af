/* Redaction of a document in a memfd. */
#include "redact_file.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/redact.h"
#include "ipc/memfd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int
redact_file(const struct redact *v, int *fd, uint64_t *len, uint64_t max)
{
	const char *text, *instead;
	size_t size, at;
	struct buf b;
	int rc = 0;

	text = v != NULL ? memfd_map(*fd, (size_t)*len + 1, &size) : NULL;
	if (v != NULL && text == NULL)
		fatal("a document cannot be mapped: %s", strerror(errno));
	if (text == NULL)
		return 0;
	if (redact_find(v, text, (size_t)*len, &at, &instead) > 0) {
		buf_init(&b, (size_t)max + 1);
		redact_put(v, text, (size_t)*len, &b);
		buf_char(&b, '\0');
		close(*fd);
		*fd = memfd_new(b.data, b.len);
		if (*fd == -1 || memfd_seal(*fd) == -1)
			fatal("no memory for a document: %s", strerror(errno));
		*len = b.len - 1;
		rc = b.over ? -1 : 0;
		buf_free(&b);
	}
	memfd_unmap(text, size);
	return rc;
}
