/* The table `struct cr`, filled in with the functions of the host's other files. */
#include "host_table.h"
#include "host.h"
#include "host_ask.h"
#include "host_batch.h"
#include "host_done.h"
#include "host_emit.h"
#include "host_http.h"
#include "host_mail.h"
#include "host_parse.h"
#include "host_record.h"
#include "host_search.h"
#include "host_state.h"
#include "host_stream.h"
#include "host_visit.h"
#include "base/buf.h"
#include "ipc/msg.h"
#include "record/record.h"

#include <stddef.h>
#include <stdint.h>

void
host_init(const struct w_start *start)
{
	struct cr *cr = &host.cr;

	cr->size = sizeof(*cr);
	cr->minor = CR_MINOR;
	host_common_table(cr);
	host_set_table(cr);
	host_emit_table(cr);
	host_parse_table(cr);
	host_ask_table(cr);
	host_state_table(cr);
	host_stream_table(cr);
	host_batch_table(cr);
	host_done_table(cr);
	host_http_table(cr);
	host_visit_table(cr);
	host_mail_table(cr);
	host_search_table(cr);
	host.grants = start->grants;
	buf_init(&host.clean, HOST_SCRATCH);
	buf_init(&host.folded, HOST_SCRATCH);
	buf_init(&host.balanced, HOST_SCRATCH);
	buf_init(&host.made, HOST_SCRATCH);
	buf_init(&host.base, HOST_SCRATCH);
	buf_init(&host.converted, start->memory > 0 ? start->memory / 2 : SIZE_MAX / 2);
	buf_init(&host.state, 4 * HOST_STATE);
	buf_init(&host.asked, HOST_ASKED);
	buf_init(&host.trail, HOST_TRAIL);
	buf_init(&host.ahead, 4 * HOST_STATE);
	buf_init(&host.out.b, HOST_FLUSH + RECORD_MAX);
	host.out.fd = -1;
	host.out.max = start->out;
}
