/* What libxml2 alone takes for the same bytes: SAX2 push with empty handlers.
 *
 *	bench-sax2 ROUNDS FILE...	prints "BYTES SECONDS" of CPU time for all rounds */
#include <libxml/parser.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK	65536			/* bytes of a push */

static void
start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nns,
    const xmlChar **ns, int nattrs, int ndefaulted, const xmlChar **attrs)
{
	(void)arg, (void)name, (void)prefix, (void)uri, (void)nns, (void)ns, (void)nattrs;
	(void)ndefaulted, (void)attrs;
}

static void
end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	(void)arg, (void)name, (void)prefix, (void)uri;
}

static void
text(void *arg, const xmlChar *p, int len)
{
	(void)arg, (void)p, (void)len;
}

/* Not the variadic error handler: libxml2 takes a structured one when it is set. */
static void
error(void *arg, xmlErrorPtr e)
{
	(void)arg, (void)e;
}

static void
parse(const char *data, size_t len)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC, .startElementNs = start,
		.endElementNs = end, .characters = text, .cdataBlock = text,
		.ignorableWhitespace = text, .serror = error };
	xmlParserCtxtPtr ctxt = xmlCreatePushParserCtxt(&sax, NULL, NULL, 0, NULL);

	if (ctxt == NULL)
		exit(1);
	xmlCtxtUseOptions(ctxt, XML_PARSE_NONET | XML_PARSE_HUGE);
	for (size_t at = 0; at < len; at += CHUNK) {
		size_t n = len - at < CHUNK ? len - at : CHUNK;

		xmlParseChunk(ctxt, data + at, (int)n, at + n == len);
	}
	xmlFreeParserCtxt(ctxt);
}

static double
cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static char *
load(const char *file, size_t *len)
{
	int fd = open(file, O_RDONLY);
	struct stat st;
	char *data;

	if (fd == -1 || fstat(fd, &st) == -1 || (data = malloc((size_t)st.st_size + 1)) == NULL ||
	    read(fd, data, (size_t)st.st_size) != st.st_size) {
		perror(file);
		exit(1);
	}
	close(fd);
	*len = (size_t)st.st_size;
	return data;
}

int
main(int argc, char **argv)
{
	long rounds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	double seconds = 0, begun, bytes = 0;

	for (int i = 2; i < argc; i++) {
		size_t len;
		char *data = load(argv[i], &len);

		parse(data, len);
		begun = cpu();
		for (long k = 0; k < rounds; k++)
			parse(data, len);
		seconds += cpu() - begun;
		bytes += (double)len * (double)rounds;
		free(data);
	}
	printf("%.0f %.6f\n", bytes, seconds);
	return 0;
}
