/* The pages that a plugin asks for: what becomes of URLs and headers, of secrets in them, and what is
 * refused with which words. */
#include "base/mem.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/record.h"
#include "record/result.h"
#include "worker/host.h"
#include "worker/host_parse.h"
#include "worker/host_slot.h"
#include "worker/host_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW	INT64_C(1700000000000)
#define OUT	(UINT64_C(64) << 20)
#define STAND	"{secret:key:0123456789abcdef}"

struct opts { const char *key; };
static const struct cr_option options[] = {
	CR_OPTION(struct opts, key, SECRET, "", NULL, "key"),
	CR_END
};
static const char given[] = "key\0" STAND;

static struct cr_request wanted;
static int is_next, answer;		/* next() is asked; what was returned */
static char asked[4096];		/* all that was asked for, or why not */
static const char *said;		/* in a record's title; or NULL */

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r;

	(void)opts, (void)page;
	answer = is_next ? cr->next(cr, wanted.url) : cr->fetch(cr, &wanted);
	if (said != NULL) {
		r = cr->record(cr, said);
		cr->set(r, CR_LINK, said);
		cr->emit(cr, r);
	}
	return 0;
}

static void
read_asked(int out, uint64_t len, const struct parse_done *done)
{
	struct result_request q;
	enum result_kind kind;
	struct wire all, body;
	struct cr_record *r;
	const void *p;
	size_t size;

	snprintf(asked, sizeof(asked), "%s", done->partial != NULL ? done->partial : "");
	assert_int_equal(memfd_seal(out), 0);
	p = memfd_map(out, (size_t)len, &size);
	assert_non_null(p);
	wire_init(&all, p, size);
	while (result_next(&all, &kind, &body) == 1)
		if (kind == RESULT_REQUEST) {
			wire_get(&body, result_request, &q);
			assert_null(result_request_bad(&q));
			snprintf(asked, sizeof(asked), "%s %s %s|%s|%.*s", q.next ? "next" : "fetch",
			    q.method != NULL ? q.method : "-", q.url,
			    q.headers != NULL ? q.headers : "", (int)q.body.len, q.body.data);
		} else if (kind == RESULT_RECORD) {
			r = record_read(body.at, (size_t)(body.end - body.at));
			assert_non_null(r);
			snprintf(asked, sizeof(asked), "%s %s", record_get(r, CR_GUID, 0),
			    record_get(r, CR_LINK, 0));
			record_free(r);
		}
	memfd_unmap(p, size);
}

static void
runs(void)
{
	struct slot slot = { .plugin = { CR_PLUGIN, .name = "t", .options = options,
		.options_size = sizeof(struct opts), .parse = parse } };
	struct parse_job job = { .source = "s", .url = "http://a.example/b/c?k=" STAND, .type = "",
		.charset = "", .headers = "", .tag = "", .when = NOW, .now = NOW, .len = 1,
		.state = { "", 0 }, .options = { given, sizeof(given) } };
	int body = memfd_new("x", 2), out = memfd_new(NULL, 0);
	struct parse_done done;

	memfd_seal(body);
	host.out.max = OUT;
	host_job(NOW);
	host_parse(&slot, &job, body, out, &done);
	assert_int_equal(done.failed, 0);
	read_asked(out, done.out, &done);
	slot_close(&slot);
	close(body);
	close(out);
}

static void
next(const char *url, const char *want)
{
	wanted = (struct cr_request){ .size = sizeof(wanted), .url = url };
	is_next = 1;
	runs();
	assert_string_equal(asked, want);
}

static void
fetch(struct cr_request q, const char *want)
{
	wanted = q;
	wanted.size = sizeof(wanted);
	is_next = 0;
	runs();
	assert_string_equal(asked, want);
}

static void
urls_are_relative_to_the_page(void **state)
{
	(void)state;
	next("?page=2", "next - http://a.example/b/c?page=2||");
	next("/x", "next - http://a.example/x||");
	next("//o.example/x", "next - http://o.example/x||");
	next("d#frag", "next - http://a.example/b/d#frag||");
	next(NULL, "");
	next("ftp://a.example/x", "a request for ftp://a.example/x was refused: it is no URL that can "
	    "be fetched");
	next("javascript:alert(1)", "a request for javascript:alert(1) was refused: it is no URL that "
	    "can be fetched");
	assert_int_equal(answer, -1);
}

static void
stand_ins_are_kept_by_name(void **state)
{
	(void)state;
	next("/x?k=" STAND, "next - http://a.example/x?k=\001key\001||");
	next("/x?k=%7Bsecret%3Akey%3A0123456789abcdef%7D&b={",
	    "next - http://a.example/x?k=\001key\001&b={||");
	fetch((struct cr_request){ .url = "/x", .headers = "A: b\nX: " STAND " " STAND "\n" },
	    "fetch - http://a.example/x|A: b\nX: \001key\001 \001key\001\n|");
}

static void
stand_ins_that_are_none_are_refused(void **state)
{
	static const char why[] = " was refused: control characters, or a stand-in of another run: "
	    "make it of the option anew";
	static const char *const urls[] = { "/x?k={secret:key:0123456789abcdee}", "/{secret:nix}",
		"/%7bsecret:key}" };
	char want[400];

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		snprintf(want, sizeof(want), "a request for %s%s", urls[i], why);
		next(urls[i], want);
	}
	snprintf(want, sizeof(want), "a request for /x%s", why);
	fetch((struct cr_request){ .url = "/x", .headers = "X: \001key\001\n" }, want);
	fetch((struct cr_request){ .url = "/x", .headers = "X: a\r\n" }, want);
	fetch((struct cr_request){ .url = "/x", .body = STAND, .len = strlen(STAND) },
	    "a request for /x was refused: a secret is filled in in url and headers only");
	fetch((struct cr_request){ .url = "/x", .tag = STAND },
	    "a request for /x was refused: a secret is filled in in url and headers only");
}

static void
methods_and_bodies_go_along(void **state)
{
	(void)state;
	fetch((struct cr_request){ .url = "/x", .method = "POST", .body = "a=b", .len = 3 },
	    "fetch POST http://a.example/x||a=b");
	fetch((struct cr_request){ .url = "/x", .body = "a=b", .len = 3 },
	    "fetch - http://a.example/x||a=b");
	fetch((struct cr_request){ .url = "/x", .tag = "\xff" },
	    "a request for /x was refused: its tag is no UTF-8");
}

static void
long_ones_are_refused(void **state)
{
	char *url = xmalloc(RESULT_URL_MAX + 100);

	(void)state;
	memset(url, 'a', RESULT_URL_MAX + 99);
	url[0] = '/';
	url[RESULT_URL_MAX + 99] = '\0';
	wanted = (struct cr_request){ .size = sizeof(wanted), .url = url };
	is_next = 1;
	runs();
	assert_int_equal(answer, -1);
	assert_non_null(strstr(asked, "was refused: "));
	free(url);
}

static void
a_record_is_the_same_in_each_run(void **state)
{
	(void)state;
	said = "http://a.example/?k=" STAND;
	next(NULL, "http://a.example/?k={secret:key:----------------} "
	    "http://a.example/?k={secret:key:----------------}");
	said = NULL;
}

int
main(void)
{
	const struct w_start start = { .memory = UINT64_C(256) << 20, .out = OUT };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_relative_to_the_page),
		cmocka_unit_test(stand_ins_are_kept_by_name),
		cmocka_unit_test(stand_ins_that_are_none_are_refused),
		cmocka_unit_test(methods_and_bodies_go_along),
		cmocka_unit_test(long_ones_are_refused),
		cmocka_unit_test(a_record_is_the_same_in_each_run),
	};

	host_init(&start);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
