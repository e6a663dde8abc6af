/* http(): sends a plugin's requests to core over the worker's channel, and waits for the
 * answers. */
#ifndef CORE_HOST_HTTP_H
#define CORE_HOST_HTTP_H
struct cr;

void	host_http_table(struct cr *);
#endif
