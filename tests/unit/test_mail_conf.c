/* `mail:`: what it means, and what is said of one that cannot work; addresses; the form of a message. */
#include "setup_case.h"
#include "base/mailbox.h"
#include "base/rfc5322.h"
#include "conf/request.h"
#include "conf/setup_mail.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define LOCAL		"mail: { server: 'smtp://localhost', from: a@b.example"

static void
mail_is_read(void **state)
{
	struct setup *s;

	(void)state;
	put("key", "pass word\n");
	s = good("serve: { listen: 127.0.0.1:0, base: https://Papers.example.org/x }\n"
	    "mail:\n"
	    "  server: smtp://Mail.B\xc3\xbc" "cher.example\n"
	    "  user: papers\n"
	    "  password_file: key\n"
	    "  from: \"\\\"Papers, daily\\\" <papers@b\xc3\xbc" "cher.example>\"\n"
	    "  leave: leave@example.org\n"
	    "  at_once: 3\n"
	    "  rate: 600/h\n"
	    "  per_connection: 50\n");
	assert_string_equal(s->mail.server, "smtp://mail.xn--bcher-kva.example:587");
	assert_string_equal(s->mail.user, "papers");
	assert_string_equal(s->mail.password, "pass word");
	assert_int_equal(s->mail.token, 0);
	assert_int_equal(s->mail.plain, 0);
	assert_string_equal(s->mail.from, "papers@xn--bcher-kva.example");
	assert_string_equal(s->mail.from_name, "Papers, daily");
	assert_string_equal(s->mail.hello, "papers.example.org");
	assert_string_equal(s->mail.bounces, s->mail.from);
	assert_string_equal(s->mail.leave, "leave@example.org");
	assert_int_equal(s->mail.at_once, 3);
	assert_int_equal(s->mail.rate, 600);
	assert_int_equal(s->mail.rate_ms, 3600000);
	assert_int_equal(s->mail.per_connection, 50);
	assert_int_equal(s->mail.inline_secret, 0);
	setup_free(s);
	s = good("mail: { server: 'smtps://mx.example:4650', from: a@b.example, user: u, token: t, "
	    "hello: H.example, bounces: back@b.example }\n");
	assert_string_equal(s->mail.server, "smtps://mx.example:4650");
	assert_int_equal(s->mail.token, 1);
	assert_int_equal(s->mail.inline_secret, 1);
	assert_string_equal(s->mail.hello, "h.example");
	assert_string_equal(s->mail.bounces, "back@b.example");
	assert_int_equal(s->mail.at_once, 2);
	assert_int_equal(s->mail.rate, 0);
	setup_free(s);
	s = good("# none\n");
	assert_null(s->mail.server);
	setup_free(s);
}

static void
loopback_may_be_plain(void **state)
{
	static const struct { const char *server, *url; int plain; } servers[] = {
		{ "'smtp://127.0.0.1'", "smtp://127.0.0.1:25", 1 },
		{ "'smtp://localhost:2525'", "smtp://localhost:2525", 1 },
		{ "'smtp://[::1]:26'", "smtp://[::1]:26", 1 },
		{ "'smtps://localhost'", "smtps://localhost:465", 0 },
		{ "'smtp://localhost', starttls: yes", "smtp://localhost:25", 0 },
		{ "'smtp://localhost', starttls: no", "smtp://localhost:25", 1 },
		{ "'smtp://10.0.0.1'", "smtp://10.0.0.1:587", 0 },
		{ "'smtp://127.0.0.1.example'", "smtp://127.0.0.1.example:587", 0 },
	};
	char text[256];
	struct setup *s;

	(void)state;
	for (size_t i = 0; i < COUNT(servers); i++) {
		snprintf(text, sizeof(text), "mail: { server: %s, from: a@b.example }\n",
		    servers[i].server);
		s = good(text);
		assert_string_equal(s->mail.server, servers[i].url);
		assert_int_equal(s->mail.plain, servers[i].plain);
		setup_free(s);
	}
}

static void
mistakes_in_mail_are_all_said(void **state)
{
	(void)state;
	bad("mail:\n"
	    "  server: mail.example.org\n"
	    "  password: x\n"
	    "  from: Papers\n"
	    "  bounces: no\n"
	    "  hello: a b\n"
	    "  rate: 600 an hour\n"
	    "  at_once: 33\n"
	    "  per_connection: 0\n"
	    "  form: x\n",
	    "c.yaml:2: mail: server: \"mail.example.org\" is not smtp://HOST:PORT or "
	    "smtps://HOST:PORT\n"
	    "c.yaml:3: mail: password: is for a user: say `user` as well\n"
	    "c.yaml:4: mail: from: \"Papers\" is no mail address: an address has one @\n"
	    "c.yaml:5: mail: bounces: \"no\" is no mail address: an address has one @\n"
	    "c.yaml:6: mail: hello: \"a b\" is no host name, as papers.example.org is one\n"
	    "c.yaml:7: mail: rate: \"600 an hour\" is not N/s, N/min, N/h or N/d, as 600/h is\n"
	    "c.yaml:8: mail: at_once: \"33\" is out of range; say 1..32\n"
	    "c.yaml:9: mail: per_connection: \"0\" is out of range; say 1..100000\n"
	    "c.yaml:10: mail: unknown key `form`, did you mean `from`?\n");
}

static void
each_mistake_in_mail_is_said(void **state)
{
	static const struct { const char *text, *said; } cases[] = {
		{ "mail: { from: a@b.example }\n",
		  "there is no server; say mail: { server: smtp://HOST:PORT }" },
		{ "mail: { server: 'smtp://localhost' }\n",
		  "from: has to be given, as in `from: Papers <papers@example.org>`" },
		{ "mail: { server: 'smtp://', from: a@b.example }\n",
		  "server: \"smtp://\" names no host, as in smtp://mail.example.org:587" },
		{ "mail: { server: 'smtp://u:p@mx.example', from: a@b.example }\n",
		  "server: \"...\" has a user in it: say `user` and `password_file` instead" },
		{ "mail: { server: 'smtp://mx.example/x', from: a@b.example }\n",
		  "server: \"smtp://mx.example/x\" ends with the host and the port; what to say in "
		  "EHLO is `hello`" },
		{ "mail: { server: 'smtp://mx.example', starttls: no, from: a@b.example }\n",
		  "starttls: no, but mx.example is another machine: mail goes there encrypted" },
		{ LOCAL ", user: u }\n",
		  "user: has no password: say `password_file` or `token_file`" },
		{ LOCAL ", user: u, password: p, token: t }\n",
		  "has a password and a token: a server takes one of them" },
		{ LOCAL ", rate: 0/h }\n",
		  "rate: \"0/h\" is not N/s, N/min, N/h or N/d, as 600/h is" },
		{ "mail: { server: 'smtp://localhost', from: \"a@b.example\\nBcc: x@y.example\" }\n",
		  "from: is one line, without control characters" },
		{ "mail: { server: 'smtp://localhost', from: 'A <a@b.example> x' }\n",
		  "from: NAME <ADDRESS> ends with >" },
		{ "mail: { server: 'smtp://localhost', from: 'A <>' }\n",
		  "from: \"\" is no mail address: the address is empty" },
		{ "mail: { server: 'smtp://localhost', from: 'jos\xc3\xa9@b.example' }\n",
		  "from: \"jos\xc3\xa9@b.example\" has characters outside ASCII before the @, which "
		  "most servers refuse" },
	};
	char said[512];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(said, sizeof(said), "c.yaml:1: mail: %s\n", cases[i].said);
		bad(cases[i].text, said);
	}
	put("key", "two\nlines\n");
	bad(LOCAL ", user: u, password_file: key }\n",
	    "c.yaml:1: mail: password: is one line of text, of at most 8192 bytes\n");
}

static void
a_change_of_mail_is_seen(void **state)
{
	static const char *const changes[] = {
		", at_once: 3 }", ", rate: 1/s }", ", hello: h.example }",
		", bounces: c@b.example }", ", user: u, password: p }", ", user: u, token: p }",
		", starttls: yes }", ", per_connection: 7 }",
	};
	struct setup *one = good(LOCAL " }\n"), *two = good(LOCAL " }\n"), *other;
	char text[256];

	(void)state;
	assert_true(mail_conf_same(&one->mail, &two->mail));
	for (size_t i = 0; i < COUNT(changes); i++) {
		snprintf(text, sizeof(text), LOCAL "%s\n", changes[i]);
		other = good(text);
		assert_false(mail_conf_same(&one->mail, &other->mail));
		setup_free(other);
	}
	setup_free(one);
	setup_free(two);
}

static void
the_role_gets_its_settings(void **state)
{
	struct setup *s = good(LOCAL ", user: u, token: t, per_connection: 9 }\n");
	struct mail_start start;
	struct wire w;
	struct buf b;

	(void)state;
	buf_init(&b, msg_limit(MSG_MAIL_START));
	request_mail(s, &b);
	wire_init(&w, b.data, b.len);
	wire_get(&w, mail_start, &start);
	assert_int_equal(wire_end(&w), 0);
	assert_string_equal(start.url, "smtp://localhost:25");
	assert_string_equal(start.user, "u");
	assert_string_equal(start.password, "t");
	assert_int_equal(start.token, 1);
	assert_int_equal(start.plain, 1);
	assert_int_equal(start.per_connection, 9);
	buf_forget(&b);
	setup_free(s);
}

/* ---- Addresses ---- */

static void
addresses_are_checked(void **state)
{
	static const char *const fit[] = {
		"a@b.example", "A.b+c@B.example", "jos\xc3\xa9@z\xc3\xbcrich.example", "x@localhost",
		"o'neil@x.example", "a@[192.0.2.1]", "=?x?=@b.example", "a/b=c!#$%&*-^_`{|}~@b.example",
	};
	static const char *const unfit[] = {
		"", "a", "@b.example", "a@", "a@b@c.example", "a b@c.example", "a\n@c.example",
		"a@c.example\r\nRCPT TO:<x@y.example>", "<a@b.example>", "a@b.example>", "a@b .example",
		"a,b@c.example", "a;b@c.example", "\"a\"@c.example", "a\\b@c.example", "a@b%20c.example",
		"a\x01@b.example", "a\x7f@b.example", "a\xff@b.example", "a\xe2\x80\xae@b.example",
		"a\xc2\xa0@b.example", "a@b\t.example", "a@b\xef\xbc\x8fx.example", "a(b)@c.example",
	};
	char why[128], long_one[300];

	(void)state;
	for (size_t i = 0; i < COUNT(fit); i++)
		if (mailbox_check(fit[i], why, sizeof(why)) == -1)
			fail_msg("%s: %s", fit[i], why);
	for (size_t i = 0; i < COUNT(unfit); i++) {
		why[0] = '\0';
		if (mailbox_check(unfit[i], why, sizeof(why)) == 0)
			fail_msg("%s is fit", unfit[i]);
		assert_true(why[0] != '\0');
	}
	memset(long_one, 'a', sizeof(long_one));
	memcpy(long_one + 244, "@b.example", 11);
	assert_int_equal(strlen(long_one), 254);
	assert_int_equal(mailbox_check(long_one, why, sizeof(why)), 0);
	memcpy(long_one + 245, "@b.example", 11);
	assert_int_equal(mailbox_check(long_one, why, sizeof(why)), -1);
}

static void
two_spellings_of_an_address_have_one_key(void **state)
{
	char a[MAILBOX_MAX + 1], b[MAILBOX_MAX + 1];

	(void)state;
	assert_int_equal(mailbox_key(a, "A@B.example"), mailbox_key(b, "a@b.EXAMPLE"));
	assert_string_equal(a, b);
	mailbox_key(a, "Jos\xc3\x89@B\xc3\x9c" "CHER.example");
	assert_string_equal(a, "jos\xc3\xa9@xn--bcher-kva.example");
	mailbox_wire(a, "Jos\xc3\x89@B\xc3\x9c" "CHER.example");
	assert_string_equal(a, "Jos\xc3\x89@xn--bcher-kva.example");
	assert_true(mailbox_wide(a));
	assert_false(mailbox_wide("a@b\xc3\xbc" "cher.example"));
	assert_int_equal(mailbox_wire(a, "none"), 0);
}

/* ---- Messages ---- */

static void
messages_are_checked(void **state)
{
#define LINE(n)	(n), sizeof(n) - 1
	static const struct { const char *text; size_t len; const char *why; } cases[] = {
		{ LINE("A: b\r\n\r\n.\r\n..\r\n\r\n.\r\n"), NULL },
		{ LINE("\r\n"), NULL },
		{ LINE(""), "line 1 of the message is empty" },
		{ LINE("A: b\n"), "line 1 of the message ends with LF alone, without CR" },
		{ LINE("A: b\r\n\n.\n"), "line 2 of the message ends with LF alone, without CR" },
		{ LINE("\n"), "line 1 of the message ends with LF alone, without CR" },
		{ LINE("A: b\r\n\r\r\n"), "line 2 of the message has a CR without LF" },
		{ LINE("A: b\r\nx\ry\r\n"), "line 2 of the message has a CR without LF" },
		{ LINE("A: b\r"), "line 1 of the message has a CR without LF" },
		{ LINE("A: \0\r\n"), "line 1 of the message has a NUL" },
		{ LINE("A: b\r\n\r\n\xc3\xa9\r\n"), "line 3 of the message has a byte outside ASCII" },
		{ LINE("A: b\r\n\r\nc"), "line 3 of the message has no end" },
	};
	char why[128], text[1100];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		why[0] = '\0';
		assert_int_equal(mail_message_check(cases[i].text, cases[i].len, why, sizeof(why)),
		    cases[i].why != NULL ? -1 : 0);
		assert_string_equal(why, cases[i].why != NULL ? cases[i].why : "");
	}
	memset(text, 'a', sizeof(text));
	text[998] = '\r';
	text[999] = '\n';
	assert_int_equal(mail_message_check(text, 1000, why, sizeof(why)), 0);
	text[998] = 'a';
	text[999] = '\r';
	text[1000] = '\n';
	assert_int_equal(mail_message_check(text, 1001, why, sizeof(why)), -1);
	assert_string_equal(why, "line 1 of the message is longer than 998 bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_is_read),
		cmocka_unit_test(loopback_may_be_plain),
		cmocka_unit_test(mistakes_in_mail_are_all_said),
		cmocka_unit_test(each_mistake_in_mail_is_said),
		cmocka_unit_test(a_change_of_mail_is_seen),
		cmocka_unit_test(the_role_gets_its_settings),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(two_spellings_of_an_address_have_one_key),
		cmocka_unit_test(messages_are_checked),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
