/* The fetch role with many jobs: how many requests it makes at once and how far apart, and what
 * becomes of those under way under a new configuration and without core. */
#include "fetch_case.h"

/* Those under way end under the old one, those that wait begin under the new one. */
static void
a_new_configuration_comes_while_requests_are_under_way(void **state)
{
	const struct fetch_start other = { .agent = "another", .at_once = 2, .total = 16,
		.private_ok = 1 };
	struct fetch_job job = { .source = "s", .timeout = 10000 };
	json_t *requests;
	struct got g;
	int named = 0;

	(void)state;
	set("{\"/f\":{\"body\":\"x\",\"delay\":200}}");
	job.url = at("127.0.0.1", "/f");
	for (int i = 0; i < 4; i++)
		ask(&job);
	while (told("/_/state", "most_busy") < 2)
		;
	configure(&other, NULL);
	for (int i = 0; i < 4; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		got_free(&g);
	}
	requests = seen();
	for (size_t i = 0; i < json_array_size(requests); i++)
		named += strcmp(sent(requests, i, "User-Agent") != NULL ?
		    sent(requests, i, "User-Agent") : "", "another") == 0;
	assert_int_equal(named, 2);
	json_decref(requests);
}

static void
a_host_has_two_connections_and_the_others_do_not_wait(void **state)
{
	struct fetch_job job = { .source = "s", .timeout = 10000 };
	uint32_t other = 0;
	struct got g;
	int place = -1;

	(void)state;
	set("{\"/f\":{\"body\":\"x\",\"delay\":100}}");
	for (int i = 0; i < 10; i++) {
		job.url = at("one.localhost", "/f");
		ask(&job);
	}
	job.url = at("two.localhost", "/f");
	other = ask(&job);
	for (int i = 0; i < 11; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		if (g.id == other)
			place = i;
		got_free(&g);
	}
	assert_in_range(place, 0, 2);
	assert_int_equal(told("/_/state", "most_busy"), 3);
}

static void
the_total_is_kept(void **state)
{
	const struct fetch_start start = { .agent = "a", .at_once = 4, .total = 3, .private_ok = 1 };
	struct fetch_job job = { .source = "s", .timeout = 10000 };
	char host[32];
	struct got g;

	(void)state;
	assert_int_equal(restart(&start, NULL), 0);
	set("{\"/f\":{\"body\":\"x\",\"delay\":50}}");
	for (int i = 0; i < 12; i++) {
		snprintf(host, sizeof(host), "h%d.localhost", i);
		job.url = at(host, "/f");
		ask(&job);
	}
	for (int i = 0; i < 12; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		got_free(&g);
	}
	assert_int_equal(told("/_/state", "most_busy"), 3);
}

static void
requests_to_a_host_keep_their_spacing(void **state)
{
	const struct fetch_start start = { .agent = "a", .spacing = 10, .private_ok = 1 };
	const struct fetch_host slow = { .host = "slow.localhost", .at_once = 1, .spacing = 200 };
	struct fetch_job job = { .source = "s", .timeout = 10000 };
	int64_t last = 0, time;
	struct got g;
	json_t *r;

	(void)state;
	assert_int_equal(restart(&start, &slow), 0);
	set("{\"/f\":{\"body\":\"x\"},\"/r\":{\"redirect\":\"/f\"}}");
	job.url = at("SLOW.localhost", "/f");
	ask(&job);
	ask(&job);
	job.url = at("slow.localhost", "/r");
	ask(&job);
	for (int i = 0; i < 3; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		got_free(&g);
	}
	r = seen();
	assert_int_equal(json_array_size(r), 4);
	for (size_t i = 0; i < 4; i++) {	/* a loaded machine may take one late: half is enough */
		time = json_integer_value(json_object_get(json_array_get(r, i), "time"));
		assert_true(time - last >= 100);
		last = time;
	}
	json_decref(r);
}

static void
many_jobs_wait_in_little_memory(void **state)
{
	struct fetch_job job = { .source = "group/entry", .timeout = 60000 };
	const int n = 10000;
	char host[32], name[64], line[256];
	long rss = 0;
	struct got g;
	FILE *f;

	(void)state;
	set("{\"/f\":{\"body\":\"x\"},\"/wait\":{\"body\":\"x\",\"delay\":1500}}");
	for (int i = 0; i < n; i++) {
		snprintf(host, sizeof(host), "h%d.localhost", i % 100);
		job.url = at(host, i < 300 ? "/wait" : "/f");
		ask(&job);
	}
	snprintf(name, sizeof(name), "/proc/%d/status", (int)role_pid);
	f = fopen(name, "r");
	while (fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "RssAnon: %ld", &rss);
	fclose(f);
	print_message("%d jobs: %ld kB\n", n, rss);
	for (int i = 0; i < n; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		got_free(&g);
	}
}

static void
core_may_vanish(void **state)
{
	const struct fetch_start start = { .agent = "a", .private_ok = 1 };
	const struct fetch_job job = { .source = "s", .url = at("127.0.0.1", "/f") };
	int status;

	(void)state;
	set("{\"/f\":{\"stall\":-1}}");
	ask(&job);
	ask(&job);
	ask(&job);
	while (told("/_/hits", "/f") < 2)
		usleep(1000);
	chan_free(role);
	waitpid(role_pid, &status, 0);
	role_start(&start, NULL);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_configuration_comes_while_requests_are_under_way),
		T(a_host_has_two_connections_and_the_others_do_not_wait),
		T(the_total_is_kept),
		T(requests_to_a_host_keep_their_spacing),
		T(many_jobs_wait_in_little_memory),
		T(core_may_vanish),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, origin_start, origin_stop);
}
