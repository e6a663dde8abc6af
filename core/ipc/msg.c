/* The messages between processes: names, maxima and payload tables. */
#include "msg.h"

#define KB	(1u << 10)
#define MB	(1u << 20)

static const struct {
	const char	*name;
	size_t		 limit;
} types[MSG_MAX] = {
	[MSG_READY] = { "READY", 0 },
	[MSG_STOP] = { "STOP", 0 },
	[MSG_FETCH_START] = { "FETCH_START", MB },
	[MSG_FETCH] = { "FETCH", 256 * KB },
	[MSG_FORGET] = { "FORGET", 4 },
	[MSG_FETCHED] = { "FETCHED", 256 * KB },
	[MSG_MAIL_START] = { "MAIL_START", 64 * KB },
	[MSG_MAIL] = { "MAIL", 4 * KB },
	[MSG_MAILED] = { "MAILED", 64 * KB },
	[MSG_MAIL_TRY] = { "MAIL_TRY", 0 },
	[MSG_MAIL_TRIED] = { "MAIL_TRIED", 64 * KB },
	[MSG_STORE_START] = { "STORE_START", 8 * KB },
	[MSG_STORE_CONF] = { "STORE_CONF", 0 },
	[MSG_STORE_KNOWN] = { "STORE_KNOWN", 0 },
	[MSG_RECALL] = { "RECALL", 64 },
	[MSG_RECALLED] = { "RECALLED", 512 * KB },
	[MSG_COMMIT] = { "COMMIT", 64 * KB },
	[MSG_COMMITTED] = { "COMMITTED", 256 * KB },
	[MSG_STATE] = { "STATE", 512 },
	[MSG_STATED] = { "STATED", 512 * KB },
	[MSG_TOUCH] = { "TOUCH", 64 * KB },
	[MSG_PULL] = { "PULL", 512 },
	[MSG_WORK] = { "WORK", 64 * KB },
	[MSG_JUDGED] = { "JUDGED", 16 * KB },
	[MSG_ACK] = { "ACK", 16 * KB },
	[MSG_SEAL] = { "SEAL", 1024 },
	[MSG_SEALED] = { "SEALED", 1024 },
	[MSG_SETTLED] = { "SETTLED", 64 },
	[MSG_OUTCOME] = { "OUTCOME", 8 * KB },
	[MSG_OUTCOME_KEPT] = { "OUTCOME_KEPT", 4 },
	[MSG_COUNT] = { "COUNT", 0 },
	[MSG_COUNTS] = { "COUNTS", 4 * MB },
	[MSG_SILENT] = { "SILENT", 0 },
	[MSG_SILENCES] = { "SILENCES", 4 + SILENCES_MAX * 28 },
	[MSG_HEAD] = { "HEAD", 12 },
	[MSG_ROOM] = { "ROOM", 4 },
	[MSG_QUESTION] = { "QUESTION", 256 * KB },
	[MSG_ANSWER] = { "ANSWER", 64 * KB },
	[MSG_CONSENT] = { "CONSENT", 4 * KB },
	[MSG_CONSENTED] = { "CONSENTED", 4 },
	[MSG_INDEX_START] = { "INDEX_START", 16 * KB },
	[MSG_INDEXED] = { "INDEXED", 1024 },
	[MSG_W_START] = { "W_START", 8 * MB },
	[MSG_W_COPY] = { "W_COPY", 0 },
	[MSG_W_ABOUT] = { "W_ABOUT", 256 * KB },
	[MSG_W_CHECK] = { "W_CHECK", 512 * KB + 8 },
	[MSG_W_CHECKED] = { "W_CHECKED", 2 * KB },
	[MSG_W_PARSE] = { "W_PARSE", 512 * KB },
	[MSG_W_PLAN] = { "W_PLAN", 512 * KB },
	[MSG_W_PARSED] = { "W_PARSED", 64 * KB },
	[MSG_W_FILTER] = { "W_FILTER", 64 * KB },
	[MSG_W_FILTERED] = { "W_FILTERED", 16 * KB },
	[MSG_W_DELIVER] = { "W_DELIVER", 128 * KB },
	[MSG_W_DELIVERED] = { "W_DELIVERED", 16 * KB },
	[MSG_W_PROGRESS] = { "W_PROGRESS", 4 },
	[MSG_W_WAIT] = { "W_WAIT", 8 },
	[MSG_W_HTTP] = { "W_HTTP", 128 * KB },
	[MSG_W_ANSWERED] = { "W_ANSWERED", 256 * KB },
	[MSG_W_MAIL] = { "W_MAIL", 16 },
	[MSG_W_MAILED] = { "W_MAILED", 4 },
	[MSG_W_STREAM] = { "W_STREAM", 1024 * KB },
	[MSG_W_BATCH] = { "W_BATCH", 64 },
	[MSG_W_STORED] = { "W_STORED", 0 },
	[MSG_W_ALIVE] = { "W_ALIVE", 0 },
	[MSG_W_STREAMED] = { "W_STREAMED", 16 * KB },
	[MSG_W_VISIT] = { "W_VISIT", 1152 * KB },
	[MSG_W_VISITED] = { "W_VISITED", 16 * KB },
	[MSG_SERVE_START] = { "SERVE_START", 32 * KB },
	[MSG_SERVE_FILES] = { "SERVE_FILES", 0 },
	[MSG_VISIT] = { "VISIT", 128 * KB },
	[MSG_VISITED] = { "VISITED", 16 * KB },
	[MSG_ASK] = { "ASK", 256 * KB },
	[MSG_TOLD] = { "TOLD", 64 * KB },
};

const char *
msg_name(unsigned type)
{
	return type < MSG_MAX && types[type].name != NULL ? types[type].name : "unknown";
}

int
msg_valid(unsigned type)
{
	return type < MSG_MAX && types[type].name != NULL;
}

size_t
msg_limit(unsigned type)
{
	return type < MSG_MAX ? types[type].limit : 0;
}

WIRE_TABLE(mark, MARK_FIELDS);
WIRE_TABLE(fetch_start, FETCH_START_FIELDS);
WIRE_TABLE(fetch_host, FETCH_HOST_FIELDS);
WIRE_TABLE(fetch_job, FETCH_JOB_FIELDS);
WIRE_TABLE(fetch_done, FETCH_DONE_FIELDS);
WIRE_TABLE(mail_start, MAIL_START_FIELDS);
WIRE_TABLE(mail_job, MAIL_JOB_FIELDS);
WIRE_TABLE(mail_done, MAIL_DONE_FIELDS);
WIRE_TABLE(mail_tried, MAIL_TRIED_FIELDS);
WIRE_TABLE(store_heat, STORE_HEAT_FIELDS);
WIRE_TABLE(store_source, STORE_SOURCE_FIELDS);
WIRE_TABLE(store_route, STORE_ROUTE_FIELDS);
WIRE_TABLE(store_sink, STORE_SINK_FIELDS);
WIRE_TABLE(recall, RECALL_FIELDS);
WIRE_TABLE(recalled, RECALLED_FIELDS);
WIRE_TABLE(owed_page, OWED_PAGE_FIELDS);
WIRE_TABLE(commit, COMMIT_FIELDS);
WIRE_TABLE(committed, COMMITTED_FIELDS);
WIRE_TABLE(state_ask, STATE_ASK_FIELDS);
WIRE_TABLE(stated, STATED_FIELDS);
WIRE_TABLE(pull, PULL_FIELDS);
WIRE_TABLE(work, WORK_FIELDS);
WIRE_TABLE(mail_reader, MAIL_READER_FIELDS);
WIRE_TABLE(judged, JUDGED_FIELDS);
WIRE_TABLE(ack, ACK_FIELDS);
WIRE_TABLE(settled, SETTLED_FIELDS);
WIRE_TABLE(mail_outcome, MAIL_OUTCOME_FIELDS);
WIRE_TABLE(counts, COUNTS_FIELDS);
WIRE_TABLE(silence, SILENCE_FIELDS);
WIRE_TABLE(route_count, ROUTE_COUNT_FIELDS);
WIRE_TABLE(w_start, W_START_FIELDS);
WIRE_TABLE(parse_job, PARSE_JOB_FIELDS);
WIRE_TABLE(parse_done, PARSE_DONE_FIELDS);
WIRE_TABLE(batch_job, BATCH_JOB_FIELDS);
WIRE_TABLE(batch_done, BATCH_DONE_FIELDS);
WIRE_TABLE(http_ask, HTTP_ASK_FIELDS);
WIRE_TABLE(http_answer, HTTP_ANSWER_FIELDS);
WIRE_TABLE(stream_job, STREAM_JOB_FIELDS);
WIRE_TABLE(stream_batch, STREAM_BATCH_FIELDS);
WIRE_TABLE(visit_ask, VISIT_ASK_FIELDS);
WIRE_TABLE(visit_answer, VISIT_ANSWER_FIELDS);
WIRE_TABLE(visit_job, VISIT_JOB_FIELDS);
WIRE_TABLE(visit_done, VISIT_DONE_FIELDS);
WIRE_TABLE(seal_ask, SEAL_ASK_FIELDS);
WIRE_TABLE(seal_told, SEAL_TOLD_FIELDS);
WIRE_TABLE(consent, CONSENT_FIELDS);
WIRE_TABLE(index_start, INDEX_START_FIELDS);
WIRE_TABLE(indexed, INDEXED_FIELDS);
WIRE_TABLE(serve_start, SERVE_START_FIELDS);
