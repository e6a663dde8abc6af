/* What `courant editions` asks store. */
#ifndef CORE_EDITION_SHOW_H
#define CORE_EDITION_SHOW_H

struct buf;
struct ledger;

/* arg: JSON: what (list, one, next, seal, without); route; text: the name of an edition for `one`, a record's id,
 * guid or link for `without`; and, from core, the name, zone and due times (ms; from: of the edition before) of the
 * edition that is meant: that of now for `seal`, else the next one. 0: out has JSON; 1: lines that say why not. */
int	editions(struct ledger *, const char *arg, struct buf *out);
#endif
