/* Embedded players: finds the web page that shows the same as a player's URL. */
#ifndef CORE_PLAYER_H
#define CORE_PLAYER_H
#include "base/url.h"

/* Writes the page for a player's URL (http or https, absolute) to out[URL_MAX + 1]; for an unknown
 * player the URL itself. */
void	player_page(char *out, const char *url);
#endif
