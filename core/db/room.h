/* Writes of the database that find no room on the disk: they wait until there is. No transaction
 * fails for want of room, so that nothing is lost and the process goes on when there is room
 * again. */
#ifndef CORE_ROOM_H
#define CORE_ROOM_H

/* To be called before db_open(), once in a process. told is called with 1 when a write begins to
 * wait, and with 0 when it is written; it may not use the database. */
void	room_init(void (*told)(int waits, void *arg), void *arg);
#endif
