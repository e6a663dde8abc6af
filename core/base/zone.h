/* Time zones by name, as the machine's tzdata has them. For one thread: TZ is set for the moment of a
 * look-up. */
#ifndef CORE_ZONE_H
#define CORE_ZONE_H
#include <stdint.h>

#define ZONE_MAX	64		/* bytes of a name, with its NUL */
#define ZONE_FOLDER	"/usr/share/zoneinfo"

/* 0; -1: there is no such zone here, or the name is none ("Europe/Paris", "UTC"). libc would take it
 * for UTC without a word. */
int	zone_check(const char *name);
/* The machine's zone: of TZ, /etc/localtime or /etc/timezone; "UTC" if they name none. */
void	zone_machine(char name[ZONE_MAX]);
/* The name's local time at t, less t: s. Both since 1970. A name that zone_check() refuses: 0. */
int64_t	zone_offset(const char *name, int64_t t);

/* The names of all zones, for zone_names_free(); an empty list without tzdata. */
char	**zone_names(void);
void	zone_names_free(char **);
#endif
