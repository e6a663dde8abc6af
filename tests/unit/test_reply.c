/* What replies of mail servers mean: each outcome of an attempt, as the manual has it. */
#include "mail/smtp_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

enum again { NO, USED, ALWAYS };	/* when the role repeats at once, over a fresh connection */

static const struct {
	enum mail_stage	 stage;
	int		 curl;
	const char	*reply;		/* NULL: none came */
	enum mail_class	 class;
	enum again	 again;
} outcomes[] = {
	/* DNS, connect, TLS */
	{ MAIL_AT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, NULL, MAIL_SERVER, NO },
	{ MAIL_AT_CONNECT, CURLE_COULDNT_CONNECT, NULL, MAIL_SERVER, NO },
	{ MAIL_AT_CONNECT, CURLE_OPERATION_TIMEDOUT, NULL, MAIL_SERVER, NO },
	{ MAIL_AT_CONNECT, CURLE_SSL_CONNECT_ERROR, NULL, MAIL_SERVER, NO },
	{ MAIL_AT_TLS, CURLE_SSL_CONNECT_ERROR, "220 go on", MAIL_SERVER, NO },
	{ MAIL_AT_TLS, CURLE_PEER_FAILED_VERIFICATION, "220 go on", MAIL_SERVER, NO },
	{ MAIL_AT_TLS, CURLE_USE_SSL_FAILED, "454 4.7.0 not now", MAIL_SERVER, NO },
	/* Greeting */
	{ MAIL_AT_GREETING, CURLE_WEIRD_SERVER_REPLY, "421 busy", MAIL_SERVER, USED },
	{ MAIL_AT_GREETING, CURLE_WEIRD_SERVER_REPLY, "554 no service for you", MAIL_SENDER, NO },
	/* What we offer and demand */
	{ MAIL_AT_HELLO, CURLE_USE_SSL_FAILED, "250 SIZE", MAIL_CONFIG, NO },
	{ MAIL_AT_TLS, CURLE_USE_SSL_FAILED, "502 no such command", MAIL_CONFIG, NO },
	{ MAIL_AT_HELLO, CURLE_REMOTE_ACCESS_DENIED, "550 bad name", MAIL_SENDER, NO },
	{ MAIL_AT_HELLO, CURLE_REMOTE_ACCESS_DENIED, "451 later", MAIL_SERVER, NO },
	{ MAIL_AT_LOGIN, CURLE_LOGIN_DENIED, "535 5.7.8 wrong", MAIL_CONFIG, NO },
	{ MAIL_AT_LOGIN, CURLE_LOGIN_DENIED, "534 5.7.9 too weak", MAIL_CONFIG, NO },
	{ MAIL_AT_LOGIN, CURLE_LOGIN_DENIED, "538 5.7.11 encrypt", MAIL_CONFIG, NO },
	{ MAIL_AT_LOGIN, CURLE_LOGIN_DENIED, "334 eyJzdGF0dXMiOiI0MDEifQ==", MAIL_CONFIG, NO },
	{ MAIL_AT_LOGIN, CURLE_LOGIN_DENIED, "454 4.7.0 later", MAIL_SERVER, NO },
	/* MAIL */
	{ MAIL_AT_SENDER, CURLE_SEND_ERROR, "451 4.3.0 later", MAIL_SERVER, NO },
	{ MAIL_AT_SENDER, CURLE_SEND_ERROR, "550 5.7.1 who are you", MAIL_SENDER, NO },
	{ MAIL_AT_SENDER, CURLE_SEND_ERROR, "552 5.3.4 too big", MAIL_TOO_LARGE, NO },
	{ MAIL_AT_SENDER, CURLE_SEND_ERROR, "552 too big", MAIL_TOO_LARGE, NO },
	{ MAIL_AT_SENDER, CURLE_SEND_ERROR, "552 5.2.2 sender over quota", MAIL_SENDER, NO },
	/* RCPT, for now */
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "450 4.7.1 greylisted", MAIL_AGAIN, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "451 4.3.0 later", MAIL_AGAIN, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "452 4.2.2 full", MAIL_AGAIN, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "452 4.5.3 too many", MAIL_AGAIN, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "422 4.2.2 quota", MAIL_AGAIN, NO },
	/* RCPT, an address that is none */
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "550 5.1.1 unknown", MAIL_NO_MAILBOX, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "550 5.1.10 null MX", MAIL_NO_MAILBOX, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "551 not here", MAIL_NO_MAILBOX, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "553 bad syntax", MAIL_NO_MAILBOX, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "550 5.1.8 no such domain of yours", MAIL_SENDER, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "550 5.1.7 your address", MAIL_SENDER, NO },
	/* RCPT, other refusals */
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "550 5.2.1 disabled", MAIL_REFUSED, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "552 5.2.2 full", MAIL_REFUSED, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "550 no", MAIL_REFUSED, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "554 no", MAIL_REFUSED, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "552 5.3.4 too big", MAIL_TOO_LARGE, NO },
	/* Policy */
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "550 5.7.1 listed", MAIL_POLICY, NO },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "553 5.7.1 relay", MAIL_POLICY, NO },
	{ MAIL_AT_TEXT, CURLE_WEIRD_SERVER_REPLY, "550 5.7.26 unauthenticated", MAIL_POLICY, NO },
	{ MAIL_AT_TEXT, CURLE_WEIRD_SERVER_REPLY, "550 5.6.0 form", MAIL_POLICY, NO },
	{ MAIL_AT_TEXT, CURLE_WEIRD_SERVER_REPLY, "554 spam", MAIL_POLICY, NO },
	/* DATA */
	{ MAIL_AT_DATA, CURLE_SEND_ERROR, "451 4.3.0 later", MAIL_AGAIN, NO },
	{ MAIL_AT_DATA, CURLE_SEND_ERROR, "503 5.5.1 sequence", MAIL_BAD, NO },
	{ MAIL_AT_DATA, CURLE_SEND_ERROR, "554 5.7.1 policy", MAIL_POLICY, NO },
	/* The dot */
	{ MAIL_AT_TEXT, CURLE_OK, "250 2.0.0 queued", MAIL_ACCEPTED, NO },
	{ MAIL_AT_TEXT, CURLE_OK, "251 odd", MAIL_PERHAPS, NO },
	{ MAIL_AT_RECIPIENT, CURLE_OK, "250 odd", MAIL_SERVER, NO },
	{ MAIL_AT_TEXT, CURLE_WEIRD_SERVER_REPLY, "451 4.3.0 later", MAIL_AGAIN, NO },
	{ MAIL_AT_TEXT, CURLE_WEIRD_SERVER_REPLY, "550 5.1.1 unknown", MAIL_BAD, NO },
	{ MAIL_AT_TEXT, CURLE_WEIRD_SERVER_REPLY, "552 5.3.4 too big", MAIL_TOO_LARGE, NO },
	{ MAIL_AT_TEXT, CURLE_WEIRD_SERVER_REPLY, "552 full", MAIL_BAD, NO },
	/* After 354, and no reply */
	{ MAIL_AT_TEXT, CURLE_RECV_ERROR, NULL, MAIL_PERHAPS, NO },
	{ MAIL_AT_TEXT, CURLE_SEND_ERROR, NULL, MAIL_PERHAPS, NO },
	{ MAIL_AT_TEXT, CURLE_OPERATION_TIMEDOUT, NULL, MAIL_PERHAPS, NO },
	/* Before 354 */
	{ MAIL_AT_SENDER, CURLE_RECV_ERROR, NULL, MAIL_SERVER, ALWAYS },
	{ MAIL_AT_SENDER, CURLE_SEND_ERROR, NULL, MAIL_SERVER, ALWAYS },
	{ MAIL_AT_RECIPIENT, CURLE_RECV_ERROR, NULL, MAIL_SERVER, ALWAYS },
	{ MAIL_AT_RECIPIENT, CURLE_RECV_ERROR, "250 ok", MAIL_SERVER, ALWAYS },
	{ MAIL_AT_DATA, CURLE_RECV_ERROR, NULL, MAIL_SERVER, ALWAYS },
	{ MAIL_AT_GREETING, CURLE_RECV_ERROR, "220 hello", MAIL_SERVER, ALWAYS },
	{ MAIL_AT_DATA, CURLE_OPERATION_TIMEDOUT, NULL, MAIL_SERVER, NO },
	/* 421 on a connection that was there: not counted */
	{ MAIL_AT_SENDER, CURLE_SEND_ERROR, "421 4.4.2 idle", MAIL_SERVER, USED },
	{ MAIL_AT_RECIPIENT, CURLE_SEND_ERROR, "421 4.7.0 enough", MAIL_SERVER, USED },
	{ MAIL_AT_DATA, CURLE_SEND_ERROR, "421 enough", MAIL_SERVER, USED },
	{ MAIL_AT_TEXT, CURLE_WEIRD_SERVER_REPLY, "421 shutting down", MAIL_AGAIN, USED },
};

static void
outcomes_have_their_class(void **state)
{
	const char *text;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(outcomes); i++)
		for (int used = 0; used < 2; used++) {
			struct reply r = { .stage = outcomes[i].stage, .curl = outcomes[i].curl,
				.used = used };
			const enum again again = outcomes[i].again;
			const int expected = again == ALWAYS || (again == USED && used);

			if (outcomes[i].reply != NULL)
				assert_int_equal(reply_line(&r, outcomes[i].reply,
				    strlen(outcomes[i].reply), &text, &len), 1);
			if (reply_class(&r) != outcomes[i].class)
				fail_msg("row %zu, %s: class %d", i, outcomes[i].reply != NULL ?
				    outcomes[i].reply : "no reply", (int)reply_class(&r));
			if (reply_closed(&r) != expected)
				fail_msg("row %zu, %s, used %d: closed %d", i,
				    outcomes[i].reply != NULL ? outcomes[i].reply : "no reply", used,
				    reply_closed(&r));
		}
}

static void
what_ehlo_lacks_ends_the_attempt(void **state)
{
	static const struct { enum mail_lack lacks; enum mail_class class; } cases[] = {
		{ MAIL_LACKS_LOGIN, MAIL_CONFIG }, { MAIL_LACKS_UTF8, MAIL_NO_MAILBOX },
		{ MAIL_LACKS_SIZE, MAIL_TOO_LARGE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct reply r = { .stage = MAIL_AT_HELLO, .curl = CURLE_WRITE_ERROR,
			.code = 250, .lacks = cases[i].lacks, .used = 1 };

		assert_int_equal(reply_class(&r), cases[i].class);
		assert_false(reply_closed(&r));
	}
}

static void
lines_of_replies_are_read(void **state)
{
	static const struct {
		const char *line; int last; unsigned code, enhanced[3]; const char *text;
	} lines[] = {
		{ "250 ok\r\n", 1, 250, { 0 }, "ok" },
		{ "250-SIZE 10\r\n", 0, 250, { 0 }, "SIZE 10" },
		{ "550-5.1.1 unknown\r\n", 0, 550, { 5, 1, 1 }, "unknown" },
		{ "550 5.7.26\r\n", 1, 550, { 5, 7, 26 }, "" },
		{ "250\r\n", 1, 250, { 0 }, "" },
		{ "550 2.1.1 of another class\r\n", 1, 550, { 0 }, "2.1.1 of another class" },
		{ "550 5.1 short\r\n", 1, 550, { 0 }, "5.1 short" },
		{ "550 5.1.1x\r\n", 1, 550, { 0 }, "5.1.1x" },
		{ "550 5.1234.1 long\r\n", 1, 550, { 0 }, "5.1234.1 long" },
		{ "25", 0, 0, { 0 }, "25" },
		{ "abc def\r\n", 0, 0, { 0 }, "abc def" },
		{ "2500 x\r\n", 0, 0, { 0 }, "2500 x" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct reply r = { 0 };
		const char *text;
		size_t len;

		assert_int_equal(reply_line(&r, lines[i].line, strlen(lines[i].line), &text, &len),
		    lines[i].last);
		assert_int_equal(r.code, lines[i].code);
		assert_memory_equal(r.enhanced, lines[i].enhanced, sizeof(r.enhanced));
		assert_int_equal(len, strlen(lines[i].text));
		assert_memory_equal(text, lines[i].text, len);
	}
}

static void
too_many_recipients_mean_fewer_messages(void **state)
{
	struct reply r = { .stage = MAIL_AT_RECIPIENT, .code = 452, .enhanced = { 4, 5, 3 } };

	(void)state;
	assert_true(reply_few(&r));
	r.enhanced[2] = 2;
	assert_false(reply_few(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes_have_their_class),
		cmocka_unit_test(what_ehlo_lacks_ends_the_attempt),
		cmocka_unit_test(lines_of_replies_are_read),
		cmocka_unit_test(too_many_recipients_mean_fewer_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
