/* The next edition as HTML. */
#ifndef CORE_CLI_EDITION_HTML_H
#define CORE_CLI_EDITION_HTML_H
#include <jansson.h>

/* Prints the HTML of the mail that the edition would be. o: the daemon's answer, with the batch and what mails of the
 * route are made with. The exit status. */
int	cli_edition_html(const json_t *o);
#endif
