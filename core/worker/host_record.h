/* The setters and getters of records, and the open records: made by a plugin, not yet emitted. */
#ifndef CORE_HOST_RECORD_H
#define CORE_HOST_RECORD_H
struct cr;
struct cr_record;

/* The functions set*(), add_*(), get*(), json() and feed_of(). */
void	host_set_table(struct cr *);
/* An empty record, owned by the host and open until host_record_drop(). NULL: HOST_OPEN are
 * open. */
struct cr_record *host_record_take(void);
int	host_record_open(const struct cr_record *);	/* its index in host.open[] plus 1; 0: not
							 * open */
void	host_record_drop(struct cr_record *);		/* a record that is not open is fine */
#endif
