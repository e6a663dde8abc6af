/* Where requests end, whatever pieces they come in: each is cut in two at each place, and comes byte
 * by byte, first on a connection and behind another request. */
#include "serve/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POST	"POST /x/a HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED	POST "Transfer-Encoding: chunked\r\n\r\n"
#define GET	"GET / HTTP/1.1\r\n"
#define GOOD	GET "Host: a\r\n\r\n"
#define END	"0\r\n\r\n"
#define S(text)	{ text, sizeof(text) - 1, NULL }
#define READ(text, as)	{ text, sizeof(text) - 1, as }

static const struct form {
	const char	*text;
	size_t		 len;
	const char	*read;		/* as evhttp reads it; NULL: the same */
} bad[] = {
	S(POST "Transfer-Encoding : chunked\r\n\r\n4\r\nwxyz\r\n" END),
	S(POST "Transfer-Encoding\t: chunked\r\n\r\n" END),
	S(POST "Content-Length : 4\r\n\r\nwxyz"), S(GET "Host : a\r\n\r\n"),
	S(POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" END),
	S(POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" END),
	S(POST "Content-Length: 4\r\nContent-Length: 4\r\n\r\nwxyz"),
	S(POST "Content-Length: 4, 4\r\n\r\nwxyz"), S(POST "Content-Length: +4\r\n\r\nwxyz"),
	S(POST "Content-Length: -4\r\n\r\nwxyz"), S(POST "Content-Length: 0x4\r\n\r\nwxyz"),
	S(POST "Content-Length: 1 0\r\n\r\nwxyz"), S(POST "Content-Length:\r\n\r\nwxyz"),
	S(POST "Content-Length: 1844674407370955162\r\n\r\nwxyz"),
	S(POST "Transfer-Encoding: gzip\r\n\r\n" END),
	S(POST "Transfer-Encoding: gzip, chunked\r\n\r\n" END),
	S(POST "Transfer-Encoding: chunked, chunked\r\n\r\n" END),
	S(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" END),
	S(POST "Transfer-Encoding:\x0b" "chunked\r\n\r\n" END),
	S(POST "Transfer-Encoding:\r\n chunked\r\n\r\n" END),
	S("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" END),
	S(GET "Host: a\r\nContent-Length: 4\r\n\r\nwxyz"),
	S(GET "Host: a\r\nContent-Length: 00\r\n\r\n"),
	S(GET "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n" END),
	S(CHUNKED " 4\r\nwxyz\r\n" END), S(CHUNKED "4 \r\nwxyz\r\n" END),
	S(CHUNKED "0x4\r\nwxyz\r\n" END), S(CHUNKED "+4\r\nwxyz\r\n" END),
	S(CHUNKED "-4\r\nwxyz\r\n" END), S(CHUNKED "4,4\r\nwxyz\r\n" END),
	S(CHUNKED ";a\r\nwxyz\r\n" END), S(CHUNKED "\r\n4\r\nwxyz\r\n" END),
	S(CHUNKED "1000000000000004\r\nwxyz\r\n" END), S(CHUNKED "3\r\nwxyz\r\n" END),
	S(CHUNKED "6\r\nwxyz\r\n" END), S(CHUNKED "4\r\nwxyz" END),
	S(CHUNKED "4\nwxyz\r\n" END), S(CHUNKED "4\r\nwxyz\n" END),
	S(CHUNKED "4;a\nb\r\nwxyz\r\n" END), S(CHUNKED "4;a\rb\r\nwxyz\r\n" END),
	S(CHUNKED "4;a\0\r\nwxyz\r\n" END), S(CHUNKED "0\r\nContent-Length: 9\r\n\r\n"),
	S(CHUNKED "0\r\nHost: b\r\n\r\n"), S(CHUNKED "0\r\nX : b\r\n\r\n"),
	S(GET "X: 1\r\n\r\n"), S(GET "Host: a\r\nHost: a\r\n\r\n"),
	S("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"), S(GET "Host: a b\r\n\r\n"),
	S(GET "Host: a/b\r\n\r\n"), S(GET "Host: u@a\r\n\r\n"), S(GET "Host: a\x01\r\n\r\n"),
	S("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
	S("GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n"),
	S("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"), S(GET "Host: a\r\nX: 1\r\n 2\r\n\r\n"),
	S(GET " X: 1\r\nHost: a\r\n\r\n"), S(GET "Host: a\r\n: 1\r\n\r\n"),
	S(GET "Host: a\r\nX\r\n\r\n"), S(GET "Host: a\r\nX: a\0b\r\n\r\n"),
	S(GET "Host: a\r\nX\0: b\r\n\r\n"), S("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"),
	S(GET "Host: a\r\nX: a\rb\r\n\r\n"), S(GET "Host: a\r\nX: a\nY: b\r\n\r\n"),
	S("GET / HTTP/1.1\nHost: a\r\n\r\n"), S(GET "Host: a\r\n\n"),
	S("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), S("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
	S("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), S("GET /\r\nHost: a\r\n\r\n"),
	S("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), S("GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
	S(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), S("\r\n" GOOD),
};
static const struct form good[] = {
	S(GOOD), S("GET / HTTP/1.0\r\n\r\n"), S(GET "Host:\r\n\r\n"),
	S(GET "Host: [::1]:80\r\nX:\r\nY: \xc3\xa4\r\n\r\n"),
	S("GET http://A/b HTTP/1.1\r\nHost: a\r\n\r\n"), S(GET "Host: a\r\nContent-Length: 0\r\n\r\n"),
	S(POST "Content-Length: 4\r\n\r\n\r\n\r\n"), S(POST "\r\n"),
	READ(POST "Content-Length:\t \t0004 \t\r\n\r\nwxyz",
	    POST "Content-Length:   0004 \t\r\n\r\nwxyz"),
	READ(CHUNKED "4;ext\r\nwxyz\r\n" END, CHUNKED "4    \r\nwxyz\r\n" END),
	READ(CHUNKED "2 ; a = \"b c\"\r\nwx\r\n0;last\r\nX: 1\r\n\r\n",
	    CHUNKED "2            \r\nwx\r\n0     \r\nX: 1\r\n\r\n"),
	S(CHUNKED "8\r\n0\r\n\r\nGET\r\n" END), S(CHUNKED "0A\r\n0123456789\r\n00\r\n\r\n"),
};
#define EACH(f, forms)	(const struct form *f = forms; f < forms + sizeof(forms) / sizeof(forms[0]); f++)

/* Reads a form in two parts; in parts of one byte: cut is its length. */
static void
read_cut(struct framing *f, const struct form *form, size_t cut, char *bytes)
{
	memcpy(bytes, form->text, form->len);
	if (cut < form->len) {
		framing_read(f, bytes, cut);
		framing_read(f, bytes + cut, form->len - cut);
	} else
		for (size_t i = 0; i < form->len; i++)
			framing_read(f, bytes + i, 1);
}

static void
test_what_two_readers_may_see_differently_is_wrong(void **state)
{
	char bytes[512], first[] = GOOD;

	(void)state;
	for EACH(form, bad)
		for (size_t cut = 0; cut <= form->len; cut++) {
			struct framing one = { 0 }, two = { 0 };

			read_cut(&one, form, cut, bytes);
			framing_read(&two, first, sizeof(first) - 1);
			read_cut(&two, form, cut, bytes);
			if (one.wrong == NULL || one.requests != 0 || two.wrong == NULL ||
			    two.requests != 1)
				fail_msg("%s, cut at %zu, is no error", form->text, cut);
			framing_read(&one, first, sizeof(first) - 1);
			assert_int_equal(one.requests, 0);
		}
}

static void
test_what_is_as_it_should_be_ends_where_it_ends(void **state)
{
	char bytes[512], first[] = GOOD;

	(void)state;
	for EACH(form, good)
		for (size_t cut = 0; cut <= form->len; cut++) {
			struct framing f = { 0 };

			read_cut(&f, form, cut, bytes);
			if (f.wrong != NULL || f.requests != 1)
				fail_msg("%s, cut at %zu: %s", form->text, cut, f.wrong);
			assert_memory_equal(bytes, form->read != NULL ? form->read : form->text,
			    form->len);
			framing_read(&f, first, sizeof(first) - 1);
			assert_int_equal(f.requests, 2);
		}
}

/* No word, line or extension makes it keep more than it has room for. */
static void
test_endless_parts_are_bounded(void **state)
{
	static const char *const begun[] = { "", "GET /", "GET http://", "GET / HTTP/", GET,
		GET "Host: ", GET "X: ", POST "Content-Length: ", POST "Transfer-Encoding: ",
		CHUNKED, CHUNKED "4;", CHUNKED "4 " };
	char text[64], a[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++)
		for (const char *c = "a0 ;"; *c != '\0'; c++) {
			struct framing f = { 0 };

			strcpy(a, begun[i]);
			framing_read(&f, a, strlen(a));
			for (int n = 0; n < 100000; n++) {
				memset(text, *c, sizeof(text));
				framing_read(&f, text, sizeof(text));
			}
			assert_true(f.requests == 0 && f.len <= FRAMING_TEXT + 1);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_two_readers_may_see_differently_is_wrong),
		cmocka_unit_test(test_what_is_as_it_should_be_ends_where_it_ends),
		cmocka_unit_test(test_endless_parts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
