/* Who a visitor is behind proxies: only what those that are believed wrote counts. */
#include "base/mem.h"
#include "serve/proxies.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
the_last_who_is_no_proxy_is_the_visitor(void **state)
{
	static const struct { const char *peer, *headers, *visitor; } cases[] = {
		{ "192.0.2.7", "x-forwarded-for: 198.51.100.1\n", "192.0.2.7" },
		{ "10.0.0.1", "", "10.0.0.1" },
		{ "10.0.0.1", "host: x\n", "10.0.0.1" },
		{ "10.0.0.1", "x-forwarded-for: 198.51.100.1\n", "198.51.100.1" },
		{ "10.0.0.1", "x-forwarded-for: 1.1.1.1, 198.51.100.1\n", "198.51.100.1" },
		{ "10.0.0.1", "x-forwarded-for: 1.1.1.1,198.51.100.1 , 10.0.0.2\n", "198.51.100.1" },
		{ "10.0.0.1", "x-forwarded-for: 198.51.100.1\nx-forwarded-for: 10.0.0.2\n",
		    "198.51.100.1" },
		{ "10.0.0.1", "x-forwarded-for: 10.0.0.2\n", "10.0.0.2" },
		{ "10.0.0.1", "x-forwarded-for: 198.51.100.1, unknown\n", "10.0.0.1" },
		{ "10.0.0.1", "x-forwarded-for: 198.51.100.1, bad, 10.0.0.2\n", "10.0.0.2" },
		{ "10.0.0.1", "x-forwarded-for: ,\n", "10.0.0.1" },
		{ "10.0.0.1", "x-forwarded-for: \n", "10.0.0.1" },
		{ "2001:db8::1", "x-forwarded-for: 2001:DB8::5\n", "2001:DB8::5" },
		{ "2001:db8:0::1", "x-forwarded-for: ::ffff:10.0.0.1\n", "::ffff:10.0.0.1" },
		{ "-", "x-forwarded-for: 198.51.100.1\n", "-" },
	};
	struct proxies *p = proxies_new("10.0.0.1 nonsense 10.0.0.2 2001:db8::1");
	char visitor[PROXY_ADDRESS];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		proxies_visitor(p, cases[i].peer, cases[i].headers, visitor);
		assert_string_equal(visitor, cases[i].visitor);
	}
	proxies_free(p);
}

static void
without_proxies_nobody_is_believed(void **state)
{
	struct proxies *p = proxies_new(NULL);
	char visitor[PROXY_ADDRESS];

	(void)state;
	proxies_visitor(p, "127.0.0.1", "x-forwarded-for: 198.51.100.1\n", visitor);
	assert_string_equal(visitor, "127.0.0.1");
	proxies_free(p);
	proxies_free(NULL);
}

static void
a_connection_of_one_is_known_by_its_address(void **state)
{
	struct proxies *p = proxies_new("10.0.0.1 2001:db8::1");
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr other = { .sa_family = AF_UNIX };

	(void)state;
	inet_pton(AF_INET, "10.0.0.1", &four.sin_addr);
	assert_true(proxies_have(p, (struct sockaddr *)&four));
	inet_pton(AF_INET, "10.0.0.2", &four.sin_addr);
	assert_false(proxies_have(p, (struct sockaddr *)&four));
	inet_pton(AF_INET6, "2001:db8::1", &six.sin6_addr);
	assert_true(proxies_have(p, (struct sockaddr *)&six));
	inet_pton(AF_INET6, "::ffff:10.0.0.1", &six.sin6_addr);
	assert_true(proxies_have(p, (struct sockaddr *)&six));
	assert_false(proxies_have(p, &other));
	proxies_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_who_is_no_proxy_is_the_visitor),
		cmocka_unit_test(without_proxies_nobody_is_believed),
		cmocka_unit_test(a_connection_of_one_is_known_by_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
