/* Mails that came back, tables with commas, and the addresses of both. */
#include "base/csv.h"
#include "base/dsn.h"
#include "base/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY	"abcdefghijklmnopqrstuvwxya"

/* A report about a recipient; its fields are text, behind the fields of the mail. */
static int
report(struct dsn *d, const char *fields, const char *text)
{
	char mail[4096];

	snprintf(mail, sizeof(mail), "%sContent-Type: multipart/report; report-type=x;\n"
	    " boundary=\"b 1\"\n\nbefore\n--b 1\nContent-Type: text/plain\n\nStatus: 5.9.9\n\n--b 1\n"
	    "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n%s\n\n--b 1--\n"
	    "Final-Recipient: rfc822; behind@example.org\nStatus: 5.1.1\n", fields, text);
	return dsn_read(d, mail, strlen(mail));
}

static void
test_recipients_of_a_report(void **state)
{
	struct dsn d;

	(void)state;
	assert_int_equal(report(&d, "", "Final-Recipient: rfc822; a@example.org\r\nAction: failed\r\n"
	    "Status: 5.1.1 (no such user)\r\n\r\nOriginal-Recipient: rfc822;c@example.org\r\n"
	    "Final-Recipient: RFC822;<b@example.org>\r\nAction: delayed\r\nStatus: 4.4.7\r\n"), 0);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.to[0].address, "a@example.org");
	assert_string_equal(d.to[0].status, "5.1.1");
	assert_true(d.to[0].failed);
	assert_string_equal(d.to[1].address, "b@example.org");
	assert_string_equal(d.to[1].original, "c@example.org");
	assert_false(d.to[1].failed);
	assert_string_equal(d.key, "");
}

static void
test_a_status_that_says_nothing_is_made_better_by_the_diagnostic(void **state)
{
	static const struct { const char *status, *diagnostic, *is; } rows[] = {
		{ "5.0.0", "smtp; 550 5.1.1 <a@b> unknown", "5.1.1" },
		{ "5.0.0", "smtp; 550-5.2.2 over quota", "5.2.2" },
		{ "5.0.0", "smtp; 550 no such user", "5.0.0" },
		{ "5.0.0", "smtp; 450 4.1.1 later", "5.0.0" },
		{ "5.0.0", "smtp; see 192.5.1.1", "5.0.0" },
		{ "5.2.2", "smtp; 550 5.1.1 <a@b> unknown", "5.2.2" },
	};
	char text[512];
	struct dsn d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "Final-Recipient: rfc822; a@example.org\nAction: failed\n"
		    "Diagnostic-Code: %s\nStatus: %s\n", rows[i].diagnostic, rows[i].status);
		assert_int_equal(report(&d, "", text), 0);
		assert_string_equal(d.to[0].status, rows[i].is);
	}
}

static void
test_the_key_of_the_envelope(void **state)
{
	static const char *const with[] = { "To: bounces+" KEY "@example.org\n",
		"X: y\nDelivered-To: other@example.org\nx-original-to:\n\t<bounces+a+" KEY "@example.org>\n",
		"To: a+b@example.org, bounces+ABCDEFGHIJKLMNOPQRSTUVWXYA@example.org\n" };
	static const char *const without[] = { "To: bounces@example.org\n", "Cc: bounces+" KEY "@example.org\n",
		"To: bounces+" KEY "a@example.org\n", "To: bounces+" KEY "\n",
		"To: bounces+0123456789012345678901234@example.org\n" };
	const char *one = "Final-Recipient: rfc822; a@example.org\nStatus: 5.1.1\n";
	struct dsn d;

	(void)state;
	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		assert_int_equal(report(&d, with[i], one), 0);
		assert_string_equal(d.key, KEY);
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		assert_int_equal(report(&d, without[i], one), 0);
		assert_string_equal(d.key, "");
	}
}

static void
test_a_wish_to_leave(void **state)
{
	static const struct { const char *subject, *key; } rows[] = {
		{ "leave " KEY, KEY }, { "Re: LEAVE " KEY "  (was: papers)", KEY }, { "leave\n " KEY, KEY },
		{ "I want to leave " KEY "\nX: leave ABCDEFGHIJKLMNOPQRSTUVWXYA", KEY },
		{ "leave " KEY "a", "" }, { "leave", "" }, { "leave abc", "" }, { "l eave " KEY, "" }, { KEY, "" },
	};
	char mail[512];
	struct dsn d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(mail, sizeof(mail), "To: leave@example.org\nSubject: %s\n\nleave aaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		    rows[i].subject);
		assert_int_equal(dsn_read(&d, mail, strlen(mail)), -1);
		assert_string_equal(d.leave, rows[i].key);
	}
}

/* Each sample, cut off at each place: read without harm, and never as of another recipient. */
static void
test_samples_whole_and_cut(void **state)
{
	static const char *const names[] = { "postfix", "exim", "opensmtpd", "exchange" };
	char path[512], mail[8192], *copy;
	struct dsn d;
	size_t n;
	FILE *f;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/tests/mail/%s.eml", getenv("SRCDIR"), names[i]);
		f = fopen(path, "r");
		assert_non_null(f);
		n = fread(mail, 1, sizeof(mail), f);
		fclose(f);
		for (char *p = mail; (p = memmem(p, n - (size_t)(p - mail), "{status}", 8)) != NULL;)
			memcpy(p, "5.1.1   ", 8);
		assert_int_equal(dsn_read(&d, mail, n), 0);
		assert_string_equal(d.to[0].address, "{address}");
		assert_string_equal(d.to[0].status, "5.1.1");
		for (size_t cut = 0; cut < n; cut++) {
			copy = malloc(cut > 0 ? cut : 1);	/* so that a byte behind it is seen */
			assert_non_null(copy);
			memcpy(copy, mail, cut);
			(void)dsn_read(&d, copy, cut);
			assert_true(d.n <= 1);
			free(copy);
		}
	}
}

static void
test_what_is_no_report(void **state)
{
	static const char *const mails[] = { "", "\n", "Subject: x\n\nStatus: 5.1.1\nFinal-Recipient: a@b.example\n",
		"Content-Type: multipart/report\n\n--\nContent-Type: message/delivery-status\n\nStatus: 5.1.1\n",
		"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n" };
	struct dsn d;

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++)
		assert_int_equal(dsn_read(&d, mails[i], strlen(mails[i])), -1);
}

static void
test_tables(void **state)
{
	const char *text = "\xef\xbb\xbf" "address,\"sta\"\"te\",x\r\n\r\n\"a,b\nc\",,\nlast";
	struct csv c;
	struct buf b;

	(void)state;
	csv_begin(&c, text, strlen(text));
	assert_int_equal(csv_next(&c), 1);
	assert_int_equal(c.n, 3);
	assert_string_equal(csv_field(&c, 0), "address");
	assert_string_equal(csv_field(&c, 1), "sta\"te");
	assert_int_equal(c.line, 1);
	assert_int_equal(csv_next(&c), 1);
	assert_int_equal(c.line, 3);
	assert_string_equal(csv_field(&c, 0), "a,b\nc");
	assert_string_equal(csv_field(&c, 2), "");
	assert_string_equal(csv_field(&c, 9), "");
	assert_int_equal(csv_next(&c), 1);
	assert_int_equal(c.line, 5);
	assert_string_equal(csv_field(&c, 0), "last");
	assert_int_equal(csv_next(&c), 0);
	csv_free(&c);
	buf_init(&b, 100);
	csv_put(&b, "a\"b,c");
	csv_put(&b, "plain");
	assert_string_equal(b.data, "\"a\"\"b,c\"plain");
	buf_free(&b);
}

static void
test_addresses(void **state)
{
	static const char *const bad[] = { "", "a", "@b.example", "a@", "a@@b.example", "a b@c.example",
		"a@b.example\n", "<a@b.example>", "a\x7f@b.example", "a@b.example>", "\xff@b.example" };
	char why[128], one[MAILBOX_MAX + 1], two[MAILBOX_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(mailbox_check(bad[i], why, sizeof(why)), -1);
		assert_true(bad[i][0] == '\0' || strstr(why, bad[i]) == NULL || strlen(bad[i]) < 2);
	}
	assert_int_equal(mailbox_check("A.b+c@B\xc3\xbc" "cher.example", why, sizeof(why)), 0);
	mailbox_key(one, "A.b+c@B\xc3\xbc" "cher.example");
	mailbox_key(two, "a.B+C@xn--bcher-kva.EXAMPLE");
	assert_string_equal(one, two);
	assert_string_equal(one, "a.b+c@xn--bcher-kva.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recipients_of_a_report),
		cmocka_unit_test(test_a_status_that_says_nothing_is_made_better_by_the_diagnostic),
		cmocka_unit_test(test_the_key_of_the_envelope),
		cmocka_unit_test(test_a_wish_to_leave),
		cmocka_unit_test(test_samples_whole_and_cut),
		cmocka_unit_test(test_what_is_no_report),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
