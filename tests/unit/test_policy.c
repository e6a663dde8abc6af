/* Whom the fetch role may talk to, what headers say, and packed bodies: all without a network. */
#include "base/headers.h"
#include "fetch/policy.h"
#include "fetch/unpack.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zlib.h>

#include <cmocka.h>

#define NOW	INT64_C(1795254000000)	/* Sat, 21 Nov 2026 09:40:00 GMT */

static const char *
refused(const char *address, int private_ok)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, address, &in4.sin_addr) == 1)
		return policy_address((void *)&in4, private_ok);
	assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	return policy_address((void *)&in6, private_ok);
}

static void
addresses_that_are_no_public_hosts_are_refused(void **state)
{
	static const char *const never[] = {
		"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "ff02::1", "::ffff:224.0.0.1", "::ffff:0.0.0.0",
	};
	static const char *const with_leave[] = {
		"127.0.0.1", "127.255.255.255", "10.0.0.1", "10.255.255.255", "172.16.0.1",
		"172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
		"192.0.2.1", "198.18.0.1", "198.19.255.255", "::1", "fe80::1", "febf::1", "fc00::1",
		"fdff::1", "::ffff:127.0.0.1", "::ffff:10.1.1.1", "::127.0.0.1", "2002:7f00:1::",
		"2002:c0a8:101::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1", "2001:db8::1",
		"::ffff:0:127.0.0.1", "fec0::1",
	};
	static const char *const fine[] = {
		"1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2606:4700:4700::1111", "2a00::1", "::ffff:1.1.1.1", "2002:101:101::1",
		"64:ff9b::101:101", "2001:4860::1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		assert_non_null(refused(never[i], 0));
		assert_non_null(refused(never[i], 1));
	}
	for (i = 0; i < sizeof(with_leave) / sizeof(with_leave[0]); i++) {
		if (refused(with_leave[i], 0) == NULL)
			fail_msg("%s is allowed", with_leave[i]);
		assert_null(refused(with_leave[i], 1));
	}
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (refused(fine[i], 0) != NULL)
			fail_msg("%s is %s", fine[i], refused(fine[i], 0));
}

static void
other_families_are_refused(void **state)
{
	const struct sockaddr sa = { .sa_family = AF_UNIX };

	(void)state;
	assert_non_null(policy_address(&sa, 1));
}

static void
limits_go_by_name_then_domain(void **state)
{
	const struct fetch_start start = { .at_once = 3, .spacing = 5 };
	const struct fetch_host hosts[] = {
		{ "example.org", 1, 100 }, { "Fast.Example.org", 8, 0 }, { "odd.net", 0, -1 },
	};
	struct limits *l = limits_new(&start, hosts, 3);

	(void)state;
	assert_int_equal(limits_find(l, "example.org").at_once, 1);
	assert_int_equal(limits_find(l, "www.example.org").spacing, 100);
	assert_int_equal(limits_find(l, "fast.example.org").at_once, 8);
	assert_int_equal(limits_find(l, "fast.example.org").spacing, 0);
	assert_int_equal(limits_find(l, "an.example.com").at_once, 3);
	assert_int_equal(limits_find(l, "notexample.org").spacing, 5);
	assert_int_equal(limits_find(l, "odd.net").at_once, 3);
	assert_int_equal(limits_find(l, "odd.net").spacing, 5);
	assert_int_equal(limits_find(l, "").at_once, 3);
	limits_free(l);
}

/* Headers of one answer, from its lines. */
static const char *
headers(struct buf *b, const char *text)
{
	const char *end;

	buf_init(b, HEADERS_MAX);
	buf_str(b, "");
	for (; *text != '\0'; text = end + 1) {
		end = strchr(text, '\n');
		headers_add(b, text, (size_t)(end - text) + 1);
	}
	return b->data;
}

static void
headers_are_cleaned(void **state)
{
	struct buf b, v;

	(void)state;
	buf_init(&v, 100);
	assert_string_equal(headers(&b, "ETag:  W/\"a\tb\" \r\nno colon\r\nbad name: x\r\n: y\r\n"
	    "X-Fold: one\r\n  two\r\nEmpty:\r\n"), "etag: W/\"a b\"\nx-fold: one two\nempty: \n");
	assert_string_equal(headers_str(b.data, "etag", &v), "W/\"a b\"");
	assert_string_equal(headers_str(b.data, "empty", &v), "");
	assert_null(headers_str(b.data, "eta", &v));
	buf_free(&b);
	buf_free(&v);
}

static void
types_are_read(void **state)
{
	static const struct { const char *line, *type, *charset; } cases[] = {
		{ "Content-Type: Text/HTML\n", "text/html", "" },
		{ "Content-Type: text/xml; charset=\"ISO-8859-1\"; x=y\n", "text/xml", "iso-8859-1" },
		{ "Content-Type: text/xml;a=b ;  Charset = utf-8\n", "text/xml", "utf-8" },
		{ "Content-Type: text/xml; charset='utf-8'\n", "text/xml", "utf-8" },
		{ "Content-Type: text/xml, text/html\n", "text/xml", "" },
		{ "Content-Type: nonsense\n", "", "" }, { "Content-Type: \n", "", "" },
		{ "Content-Type: ; charset=x\n", "", "x" }, { "X: y\n", "", "" },
	};
	struct buf b, type, charset;

	(void)state;
	buf_init(&type, HEADERS_MAX);
	buf_init(&charset, HEADERS_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		headers_type(headers(&b, cases[i].line), &type, &charset);
		assert_string_equal(type.data, cases[i].type);
		assert_string_equal(charset.data, cases[i].charset);
		buf_free(&b);
	}
	buf_free(&type);
	buf_free(&charset);
}

static void
waits_are_read(void **state)
{
	static const struct { const char *lines; int64_t retry, age; } cases[] = {
		{ "X: y\n", -1, -1 },
		{ "Retry-After: 120\n", 120000, -1 },
		{ "Retry-After: 0\n", 0, -1 },
		{ "Retry-After: -5\n", -1, -1 },
		{ "Retry-After: soon\n", -1, -1 },
		{ "Retry-After: 99999999999999999999999\n", HEADERS_WAIT_MAX, -1 },
		{ "Retry-After: Sat, 21 Nov 2026 10:40:00 GMT\n", 3600000, -1 },
		{ "Retry-After: Sat, 21 Nov 2026 10:40:00 GMT\nDate: Sat, 21 Nov 2026 10:39:00 GMT\n",
		    60000, -1 },
		{ "Retry-After: Sat, 21 Nov 2020 10:40:00 GMT\n", 0, -1 },
		{ "Cache-Control: public, Max-Age=60\n", -1, 60000 },
		{ "Cache-Control: public\nCache-Control: max-age=\"7\"\n", -1, 7000 },
		{ "Cache-Control: s-maxage=9\n", -1, -1 },
		{ "Cache-Control: max-age=60, no-cache\n", -1, 0 },
		{ "Cache-Control: no-store\nExpires: Sat, 21 Nov 2026 10:40:00 GMT\n", -1, 0 },
		{ "Cache-Control: max-age=60\nAge: 20\n", -1, 40000 },
		{ "Cache-Control: max-age=60\nAge: 200\n", -1, 0 },
		{ "Cache-Control: max-age=99999999999999999999\n", -1, HEADERS_WAIT_MAX },
		{ "Cache-Control: max-age=60\nExpires: Sat, 21 Nov 2026 10:40:00 GMT\n", -1, 60000 },
		{ "Expires: Sat, 21 Nov 2026 10:40:00 GMT\n", -1, 3600000 },
		{ "Expires: Sat, 21 Nov 2026 10:40:00 GMT\nDate: Sat, 21 Nov 2026 10:39:00 GMT\n", -1,
		    60000 },
		{ "Expires: 0\n", -1, 0 }, { "Expires: Thu, 01 Jan 1970 00:00:00 GMT\n", -1, 0 },
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		headers(&b, cases[i].lines);
		if (headers_retry_after(b.data, NOW) != cases[i].retry ||
		    headers_max_age(b.data, NOW) != cases[i].age)
			fail_msg("%s: %lld, %lld", cases[i].lines,
			    (long long)headers_retry_after(b.data, NOW),
			    (long long)headers_max_age(b.data, NOW));
		buf_free(&b);
	}
}

/* ---- Packed bodies ---- */

static size_t
pack_bytes(unsigned char *out, size_t room, const void *p, size_t len, int window)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)p;
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t
pack(unsigned char *out, size_t room, const char *text, int window)
{
	return pack_bytes(out, room, text, strlen(text), window);
}

static int
gather(const char *p, size_t len, void *arg)
{
	buf_add(arg, p, len);
	return 0;
}

/* Unpacks in steps of so many bytes: 1 when whole, 0 when cut, -1 when damaged, -2 when it is foreign. */
static int
unpacks(struct buf *b, const char *how, const unsigned char *p, size_t len, size_t step)
{
	struct unpack *u = unpack_new(how, 1, gather, b);
	int rc = 0;
	size_t n;

	buf_clear(b);
	for (; len > 0 && rc == 0; p += n, len -= n) {
		n = len < step ? len : step;
		rc = unpack_more(u, (const char *)p, n);
	}
	rc = rc == 0 ? unpack_end(u) : rc;
	if (rc == 0)
		rc = 1;
	else if (strstr(unpack_error(u), "has no end") != NULL)
		rc = 0;
	else
		rc = strstr(unpack_error(u), "which we did not ask for") != NULL ? -2 : -1;
	unpack_free(u);
	return rc;
}

static void
packed_bodies_come_out_in_any_steps_and_cut_ones_show(void **state)
{
	static const struct { const char *how; int window; } ways[] = {
		{ "gzip", 31 }, { "X-GZIP", 31 }, { "deflate", 15 }, { "Deflate", -15 },
	};
	static const char text[] = "one two three, one two three, and four";
	unsigned char packed[200];
	struct buf b;
	size_t len, step;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		len = pack(packed, sizeof(packed), text, ways[i].window);
		for (step = 1; step <= len; step++) {
			assert_int_equal(unpacks(&b, ways[i].how, packed, len, step), 1);
			assert_string_equal(b.data, text);
			if (step < len)
				assert_int_equal(unpacks(&b, ways[i].how, packed, step, 3), 0);
		}
	}
	buf_free(&b);
}

static void
several_gzip_members_are_one_and_padding_is_none(void **state)
{
	unsigned char packed[200];
	struct buf b;
	size_t len, step;

	(void)state;
	buf_init(&b, 1000);
	len = pack(packed, sizeof(packed), "one ", 31);
	len += pack(packed + len, sizeof(packed) - len, "two", 31);
	for (step = 1; step <= len; step++) {
		assert_int_equal(unpacks(&b, "gzip", packed, len, step), 1);
		assert_string_equal(b.data, "one two");
	}
	memset(packed + len, 0, 8);
	assert_int_equal(unpacks(&b, "gzip", packed, len + 8, len), 1);
	assert_string_equal(b.data, "one two");
	packed[15] ^= 0x55;
	assert_int_equal(unpacks(&b, "gzip", packed, len, 7), -1);
	buf_free(&b);
}

/* A text, packed or not, under any name of a coding. */
static void
the_bytes_decide_how_a_body_is_packed(void **state)
{
	static const char *const names[] = {
		NULL, "", "identity", "none", "UTF-8", "aws-chunked", "gzip", "x-gzip", "gzip, gzip",
		"aws-chunked, gzip", "gzip,identity", "GZIP;q=1", "\"gzip\"", "deflate", "deflate, gzip",
		"br", "zstd", "binary", " , ,", "gzip, br",
	};
	static const char *const texts[] = { "<?xml version='1.0'?><rss/>", "[]", "{}", "x^2, one two",
		"\xef\xbb\xbf<rss/>", "<rss>\xe9t\xe9</rss>", "h\xc3\xa9 ho", "", "hi" };
	unsigned char packed[300], twice[300];
	struct buf b;
	size_t len, more, step;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			const unsigned char *plain = (const unsigned char *)texts[k];

			len = strlen(texts[k]);
			for (step = 1; step <= len; step++) {
				assert_int_equal(unpacks(&b, names[i], plain, len, step), 1);
				assert_string_equal(b.data, texts[k]);
			}
			if (len == 0)
				continue;
			len = pack(packed, sizeof(packed), texts[k], 31);
			more = pack_bytes(twice, sizeof(twice), packed, len, 31);
			for (step = 1; step <= len; step += 3) {
				assert_int_equal(unpacks(&b, names[i], packed, len, step), 1);
				assert_string_equal(b.data, texts[k]);
				assert_int_equal(unpacks(&b, names[i], twice, more, step), 1);
				assert_string_equal(b.data, texts[k]);
			}
		}
	buf_free(&b);
}

static void
deflate_is_known_under_the_names_of_both(void **state)
{
	static const struct { const char *how; int window, rc; } cases[] = {
		{ "deflate", 15, 1 }, { "deflate", -15, 1 }, { "gzip", 15, 1 }, { "x-deflate", 15, 1 },
		{ "aws-chunked, deflate", -15, 1 }, { "gzip", -15, -1 },
	};
	char text[5000];
	unsigned char packed[6000];
	struct buf b;
	size_t len;

	(void)state;
	buf_init(&b, 10000);
	for (size_t i = 0; i < sizeof(text); i++)	/* does not pack well */
		text[i] = (char)('0' + (i * i * i / 7 + i / 3) % 75);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = pack(packed, sizeof(packed), text, cases[i].window);
		assert_true(len > 1100);
		for (size_t step = 1; step < 6000; step = step * 3 + 1) {
			assert_int_equal(unpacks(&b, cases[i].how, packed, len, step), cases[i].rc);
			if (cases[i].rc == 1)
				assert_string_equal(b.data, text);
		}
		for (size_t cut = 1; cut < len; cut += 101)
			assert_true(unpacks(&b, cases[i].how, packed, len - cut, 4096) < 1);
	}
	buf_free(&b);
}

static void
what_is_packed_otherwise_is_said_in_words(void **state)
{
	static const unsigned char zstd[] = { 0x28, 0xb5, 0x2f, 0xfd, 4, 0, 1 };
	static const unsigned char brotli[] = { 0x0b, 2, 0x80, '<', 'r', 's', 's', '/', '>', 3 };
	struct unpack *u;
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(unpacks(&b, "zstd", zstd, sizeof(zstd), 7), -2);
	assert_int_equal(unpacks(&b, NULL, zstd, sizeof(zstd), 1), -2);
	assert_int_equal(unpacks(&b, "gzip", zstd, sizeof(zstd), 2), -2);
	assert_int_equal(unpacks(&b, "br", brotli, sizeof(brotli), 3), -2);
	assert_int_equal(unpacks(&b, "gzip", brotli, sizeof(brotli), 3), -1);
	assert_int_equal(unpacks(&b, NULL, brotli, sizeof(brotli), 3), 1);
	u = unpack_new("br", 1, gather, &b);
	assert_int_equal(unpack_more(u, (const char *)brotli, sizeof(brotli)), 0);
	assert_int_equal(unpack_end(u), -1);
	assert_string_equal(unpack_error(u),
	    "the answer is packed as \"br\", which we did not ask for");
	unpack_free(u);
	buf_free(&b);
}

/* A plugin that fetches a .gz file gets the file. */
static void
a_packed_file_that_is_no_document_stays_packed(void **state)
{
	unsigned char packed[200];
	struct unpack *u;
	struct buf b;
	size_t len;

	(void)state;
	buf_init(&b, 1000);
	len = pack(packed, sizeof(packed), "one", 31);
	u = unpack_new(NULL, 0, gather, &b);
	assert_int_equal(unpack_more(u, (const char *)packed, len), 0);
	assert_int_equal(unpack_end(u), 0);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.data, packed, len);
	unpack_free(u);
	buf_free(&b);
}

static int
count(const char *p, size_t len, void *arg)
{
	(void)p;
	*(size_t *)arg += len;
	return 0;
}

/* 40 MB of empty gzip files, packed: nothing comes out that could be counted as the body's. */
static void
a_packed_body_within_a_packed_body_is_limited(void **state)
{
	const size_t files = 2000000;
	unsigned char one[40], *all, *outer;
	size_t len = pack(one, sizeof(one), "", 31), got = 0;
	struct unpack *u;

	(void)state;
	all = malloc(files * len);
	outer = malloc(4 << 20);
	for (size_t i = 0; i < files; i++)
		memcpy(all + i * len, one, len);
	len = pack_bytes(outer, 4 << 20, all, files * len, 31);
	u = unpack_new("gzip", 1, count, &got);
	assert_int_equal(unpack_more(u, (const char *)outer, len), -1);
	assert_non_null(strstr(unpack_error(u), "packed in too much"));
	assert_int_equal(got, 0);
	unpack_free(u);
	free(all);
	free(outer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_that_are_no_public_hosts_are_refused),
		cmocka_unit_test(other_families_are_refused),
		cmocka_unit_test(limits_go_by_name_then_domain),
		cmocka_unit_test(headers_are_cleaned),
		cmocka_unit_test(types_are_read),
		cmocka_unit_test(waits_are_read),
		cmocka_unit_test(packed_bodies_come_out_in_any_steps_and_cut_ones_show),
		cmocka_unit_test(several_gzip_members_are_one_and_padding_is_none),
		cmocka_unit_test(the_bytes_decide_how_a_body_is_packed),
		cmocka_unit_test(deflate_is_known_under_the_names_of_both),
		cmocka_unit_test(what_is_packed_otherwise_is_said_in_words),
		cmocka_unit_test(a_packed_file_that_is_no_document_stays_packed),
		cmocka_unit_test(a_packed_body_within_a_packed_body_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
