/* The kind of a link by its address, or by the words that announce it: code, data, a project's page, a
 * video, a demo. */
#ifndef CORE_LINK_KIND_H
#define CORE_LINK_KIND_H
#include <stddef.h>

enum link_kind { LINK_NONE, LINK_CODE, LINK_DATA, LINK_PROJECT, LINK_VIDEO, LINK_DEMO, LINK_KINDS };

/* By host and path of an absolute http or https URL. *known: whether the host is one of the table; the
 * words around a link then say nothing more of the link. */
enum link_kind	link_kind(const char *url, int *known);
/* Whether an address without "https://" is a link all the same: "github.com/a/b", "a.github.io". */
int		link_bare(const char *address, size_t len);
#define LINK_BEFORE	96		/* bytes before a URL that are looked at */
/* By the text that stands before a URL, of the same sentence: "Our code is available at ". */
enum link_kind	link_kind_before(const char *text, size_t len);
/* By the whole text of a link: "Project page", "[code]". */
enum link_kind	link_kind_named(const char *text, size_t len);
#endif
