/* The messages between processes: names, maxima and the tables of their payloads. */
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
	[MSG_PULL] = { "PULL", 64 },
	[MSG_WORK] = { "WORK", 4 * KB },
	[MSG_JUDGED] = { "JUDGED", 16 * KB },
	[MSG_ACK] = { "ACK", 16 * KB },
	[MSG_SETTLED] = { "SETTLED", 64 },
	[MSG_COUNT] = { "COUNT", 0 },
	[MSG_COUNTS] = { "COUNTS", 4 * MB },
	[MSG_HEAD] = { "HEAD", 8 },
	[MSG_EXPLAIN] = { "EXPLAIN", 16 * KB },
	[MSG_EXPLAINED] = { "EXPLAINED", 64 * KB },
	[MSG_W_START] = { "W_START", 8 * MB },
	[MSG_W_ABOUT] = { "W_ABOUT", 256 * KB },
	[MSG_W_CHECK] = { "W_CHECK", 512 * KB + 8 },
	[MSG_W_CHECKED] = { "W_CHECKED", 2 * KB },
	[MSG_W_PARSE] = { "W_PARSE", 512 * KB },
	[MSG_W_PLAN] = { "W_PLAN", 512 * KB },
	[MSG_W_PARSED] = { "W_PARSED", 64 * KB },
	[MSG_W_FILTER] = { "W_FILTER", 64 * KB },
	[MSG_W_FILTERED] = { "W_FILTERED", 16 * KB },
	[MSG_W_DELIVER] = { "W_DELIVER", 64 * KB },
	[MSG_W_DELIVERED] = { "W_DELIVERED", 16 * KB },
	[MSG_W_PROGRESS] = { "W_PROGRESS", 4 },
	[MSG_W_HTTP] = { "W_HTTP", 128 * KB },
	[MSG_W_ANSWERED] = { "W_ANSWERED", 256 * KB },
	[MSG_W_STREAM] = { "W_STREAM", 1024 * KB },
	[MSG_W_BATCH] = { "W_BATCH", 64 },
	[MSG_W_STORED] = { "W_STORED", 0 },
	[MSG_W_ALIVE] = { "W_ALIVE", 0 },
	[MSG_W_STREAMED] = { "W_STREAMED", 16 * KB },
	[MSG_W_VISIT] = { "W_VISIT", 1152 * KB },
	[MSG_W_VISITED] = { "W_VISITED", 16 * KB },
	[MSG_SERVE_START] = { "SERVE_START", 32 * KB },
	[MSG_VISIT] = { "VISIT", 128 * KB },
	[MSG_VISITED] = { "VISITED", 16 * KB },
	[MSG_ASK] = { "ASK", 16 * KB },
	[MSG_TOLD] = { "TOLD", 64 * KB },
};

const char *
msg_name(unsigned type)
{
	return type < MSG_MAX && types[type].name != NULL ? types[type].name : "unknown";
}

int
msg_known(unsigned type)
{
	return type < MSG_MAX && types[type].name != NULL;
}

size_t
msg_limit(unsigned type)
{
	return type < MSG_MAX ? types[type].limit : 0;
}

#define F(m, t)	WIRE(mark, m, t)
const struct wire_field mark[] = {
	F(checked, I64), F(ok, I64), F(due, I64), F(interval, I64), F(not_before, I64),
	F(failures, U32), F(status, U32), F(state, U32), F(found, U32),
	F(etag, STR), F(modified, STR), F(validated, STR), F(moved, STR), F(error, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(fetch_start, m, t)
const struct wire_field fetch_start[] = {
	F(agent, STR), F(at_once, U32), F(total, U32), F(spacing, I64), F(private_ok, U32),
	F(ca, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(fetch_host, m, t)
const struct wire_field fetch_host[] = {
	F(host, STR), F(at_once, U32), F(spacing, I64), WIRE_END
};
#undef F
#define F(m, t)	WIRE(fetch_job, m, t)
const struct wire_field fetch_job[] = {
	F(source, STR), F(url, STR), F(headers, STR), F(etag, STR), F(modified, STR),
	F(validated, STR), F(method, STR), F(body, BYTES), F(len, U64), F(max, U64), F(timeout, I64),
	F(direct, U32), F(veil, BYTES), WIRE_END
};
#undef F
#define F(m, t)	WIRE(fetch_done, m, t)
const struct wire_field fetch_done[] = {
	F(why, U32), F(status, U32), F(error, STR), F(url, STR), F(moved, STR), F(type, STR),
	F(charset, STR), F(headers, STR), F(etag, STR), F(modified, STR), F(retry_after, I64),
	F(max_age, I64), F(len, U64), F(body, BYTES), F(requests, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(store_source, m, t)
const struct wire_field store_source[] = {
	F(name, STR), F(was, STR), F(url, STR), F(plugin, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(store_route, m, t)
const struct wire_field store_route[] = {
	F(name, STR), F(title, STR), F(all, U32), F(filters, U32), F(rules, BYTES),
	F(once_record, U32), F(updates, U32), F(patience, I64), WIRE_END
};
#undef F
#define F(m, t)	WIRE(store_leg, m, t)
const struct wire_field store_leg[] = {
	F(name, STR), F(takes, U32), F(keep, U32), F(backlog, U32), F(backlog_n, I64), WIRE_END
};
#undef F
#define F(m, t)	WIRE(recall, m, t)
const struct wire_field recall[] = { F(source, U32), F(hash, U64), WIRE_END };
#undef F
#define F(m, t)	WIRE(recalled, m, t)
const struct wire_field recalled[] = {
	F(source, U32), F(kept, U32), F(state, BYTES), F(etag, STR), F(modified, STR),
	F(validated, STR), F(gap, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(owed_page, m, t)
const struct wire_field owed_page[] = {
	F(page, I64), F(url, STR), F(method, STR), F(headers, STR), F(tag, STR), F(body, BYTES),
	F(nth, U32), F(failures, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(commit, m, t)
const struct wire_field commit[] = {
	F(source, U32), F(flags, U32), F(when, I64), F(url, STR), F(page, I64), F(nth, U32),
	F(pages, U32), F(hash, U64), F(gap, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(committed, m, t)
const struct wire_field committed[] = {
	F(source, U32), F(bad, U32), F(seen, U32), F(added, U32), F(revised, U32), F(head, I64),
	F(more, U32), F(kept, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(pull, m, t)
const struct wire_field pull[] = { F(route, U32), F(leg, U32), F(max, U32), F(resume, U32),
	WIRE_END };
#undef F
#define F(m, t)	WIRE(work, m, t)
const struct wire_field work[] = {
	F(route, U32), F(leg, U32), F(kind, U32), F(count, U32), F(first, I64), F(last, I64),
	F(due, I64), F(head, I64), F(id, STR), F(attempt, U32), F(paused, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(judged, m, t)
const struct wire_field judged[] = {
	F(route, U32), F(guilty, U32), F(first, I64), F(last, I64), F(reason, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(ack, m, t)
const struct wire_field ack[] = {
	F(route, U32), F(leg, U32), F(done, U32), F(then, U32), F(first, I64), F(last, I64),
	F(due, I64), F(reason, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(settled, m, t)
const struct wire_field settled[] = { F(route, U32), F(leg, U32), F(bad, U32), WIRE_END };
#undef F
#define F(m, t)	WIRE(counts, m, t)
const struct wire_field counts[] = {
	F(records, U64), F(revisions, U64), F(stories, U64), F(bytes, U64), F(head, I64),
	F(oldest, I64), WIRE_END
};
#undef F
#define F(m, t)	WIRE(route_count, m, t)
const struct wire_field route_count[] = {
	F(route, U32), F(leg, U32), F(filtered, I64), F(delivered, I64), F(kept, U64),
	F(dropped, U64), F(pending, U64), F(dead, U64), F(expired, U64), F(reason, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(w_start, m, t)
const struct wire_field w_start[] = {
	F(mode, U32), F(grants, U32), F(debug, U32), F(memory, U64), F(out, U64), F(cpu, I64),
	F(folder, STR), F(name, STR), F(filter_enter, BYTES), F(filter_seal, BYTES),
	F(calls, BYTES), WIRE_END
};
#undef F
#define F(m, t)	WIRE(parse_job, m, t)
const struct wire_field parse_job[] = {
	F(source, STR), F(url, STR), F(type, STR), F(charset, STR), F(headers, STR), F(tag, STR),
	F(when, I64), F(now, I64), F(len, U64), F(nth, U32), F(hash, U64), F(options, BYTES),
	F(state, BYTES), F(strip, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(parse_done, m, t)
const struct wire_field parse_done[] = {
	F(failed, U32), F(error, STR), F(partial, STR), F(retry, I64), F(records, U32),
	F(refused, U32), F(out, U64), F(ttl, I64), F(skip_hours, U32), F(skip_days, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(batch_job, m, t)
const struct wire_field batch_job[] = {
	F(route, STR), F(id, STR), F(title, STR), F(self, STR), F(kind, U32), F(careful, U32),
	F(count, U32), F(len, U64), F(now, I64), F(attempt, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(batch_done, m, t)
const struct wire_field batch_done[] = {
	F(done, U32), F(failed, U32), F(retry, I64), F(out, U64), F(error, STR), WIRE_END
};
#undef F
#define F(m, t)	WIRE(http_ask, m, t)
const struct wire_field http_ask[] = {
	F(url, STR), F(method, STR), F(headers, STR), F(body, BYTES), F(len, U64), F(timeout, I64),
	WIRE_END
};
#undef F
#define F(m, t)	WIRE(http_answer, m, t)
const struct wire_field http_answer[] = {
	F(status, U32), F(error, STR), F(headers, STR), F(body, BYTES), F(len, U64),
	F(retry_after, I64), WIRE_END
};
#undef F
#define F(m, t)	WIRE(stream_job, m, t)
const struct wire_field stream_job[] = {
	F(source, STR), F(url, STR), F(hash, U64), F(options, BYTES), F(state, BYTES),
	F(strip, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(stream_batch, m, t)
const struct wire_field stream_batch[] = {
	F(records, U32), F(refused, U32), F(out, U64), WIRE_END
};
#undef F
#define F(m, t)	WIRE(visit_ask, m, t)
const struct wire_field visit_ask[] = {
	F(method, STR), F(path, STR), F(query, STR), F(headers, STR), F(peer, STR), F(body, BYTES),
	F(len, U64), WIRE_END
};
#undef F
#define F(m, t)	WIRE(visit_answer, m, t)
const struct wire_field visit_answer[] = {
	F(status, U32), F(type, STR), F(error, STR), F(retry_after, I64), F(len, U64), WIRE_END
};
#undef F
#define F(m, t)	WIRE(visit_job, m, t)
const struct wire_field visit_job[] = {
	F(source, STR), F(url, STR), F(hash, U64), F(now, I64), F(options, BYTES), F(state, BYTES),
	F(strip, U32), WIRE_END
};
#undef F
#define F(m, t)	WIRE(visit_done, m, t)
const struct wire_field visit_done[] = {
	F(status, U32), F(type, STR), F(len, U64), F(failed, U32), F(retry, I64), F(error, STR),
	WIRE_END
};
#undef F
#define F(m, t)	WIRE(serve_start, m, t)
const struct wire_field serve_start[] = {
	F(database, STR), F(out, STR), F(base, STR), F(connections, U32), F(per_address, U32),
	F(proxies, STR), WIRE_END
};
