/* What libmrss reads: a line an entry, "TITLE\tLINK\tTEXT\tENCLOSURE", line ends as spaces. */
#include <mrss.h>
#include <stdio.h>

static void
field(const char *s, int end)
{
	for (; s != NULL && *s != '\0'; s++)
		putchar(*s == '\n' || *s == '\t' ? ' ' : *s);
	putchar(end);
}

int
main(int argc, char **argv)
{
	mrss_t *feed;
	mrss_item_t *item;
	mrss_error_t rc;

	if (argc != 2 || (rc = mrss_parse_file(argv[1], &feed)) != MRSS_OK) {
		fprintf(stderr, "%s\n", argc == 2 ? mrss_strerror(rc) : "usage: FILE");
		return 1;
	}
	for (item = feed->item; item != NULL; item = item->next) {
		field(item->title, '\t');
		field(item->link, '\t');
		field(item->description, '\t');
		field(item->enclosure_url, '\n');
	}
	mrss_free(feed);
	return 0;
}
