/* record() and emit(): a plugin's new records, and their writing into the results. */
#ifndef CORE_HOST_EMIT_H
#define CORE_HOST_EMIT_H
struct cr;

void	host_emit_table(struct cr *);
#endif
