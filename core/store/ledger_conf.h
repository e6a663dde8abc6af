/* Applies a configuration to the ledger: adds, changes and retires routes, sinks and their
 * cursors. */
#ifndef CORE_LEDGER_CONF_H
#define CORE_LEDGER_CONF_H
#include <stddef.h>
#include <stdint.h>

struct buf;
struct ledger;
struct wire;

/* Applies a configuration's routes in the open transaction. w: MSG_STORE_CONF, read up to the end
 * of its sources; ids: of these sources. Appends to out: u32 m, m * u32 id of a route. 0, or -1:
 * malformed. */
int	ledger_take(struct ledger *, struct wire *w, const uint32_t *ids, size_t n, struct buf *out);
#endif
