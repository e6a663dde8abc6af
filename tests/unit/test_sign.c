/* Signatures of webhooks: the published vectors, samples of our own, and keys that are none. */
#include "../../plugins/webhook/webhook.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY	"whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"	/* ABC...X */

static void
signs(const char *keys, const char *id, int64_t when, const char *body, const char *want)
{
	char got[SIGN_MAX + 1];
	const char *why;
	struct sign *s = sign_new(keys, &why);

	assert_non_null(s);
	assert_int_equal(sign(s, id, when, body, strlen(body), got), 0);
	assert_string_equal(got, want);
	assert_int_equal(sign(s, id, when, body, strlen(body), got), 0);	/* the key stays */
	assert_string_equal(got, want);
	sign_free(s);
}

/* Made by Python: base64(hmac(key, "ID.TIME.BODY", sha256)). */
static void
test_our_own_samples(void **state)
{
	(void)state;
	signs(KEY, "m1", 1700000000, "{}", "v1,qDEcJkUfK/WjvhA7Fj/3PB1Gzbc/j40om2JLOQiozRc=");
	signs(&KEY[6], "m1", 1700000000, "{}", "v1,qDEcJkUfK/WjvhA7Fj/3PB1Gzbc/j40om2JLOQiozRc=");
	signs("raw:ABCDEFGHIJKLMNOPQRSTUVWX", "m1", 1700000000, "{}", "v1,qDEcJkUfK/WjvhA7Fj/3PB1Gzbc/j40om2JLOQiozRc=");
	signs("raw:k", "m2", 0, "", "v1,rGrKKwOpSuptR65xvM3AH5RweZb+i//WeuVDTmlCB9E=");
	signs(KEY "\nraw:k\n", "m1", 1700000000, "{}", "v1,qDEcJkUfK/WjvhA7Fj/3PB1Gzbc/j40om2JLOQiozRc= v1,2XLbhicr9YJNYRKeaeQBRk4Sm8xfSm+MbB+peVcXkhM=");
	signs(NULL, "m1", 1, "{}", "");
	signs("", "m1", 1, "{}", "");
}

static void
test_what_is_no_key_is_refused(void **state)
{
	static const char *const bad[] = {
		"whsec_", "whsec_!", "short", "whsec_QUJD", KEY "=", "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVld",
		KEY "\n=", "QUJDREVGR0hJSktMTU5PUFFS=1RVVldY",
		"raw:1\nraw:2\nraw:3\nraw:4\nraw:5\nraw:6\nraw:7\nraw:8\nraw:9",
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		assert_null(sign_new(bad[i], &why));
		assert_non_null(why);
	}
}

static const char *
member(const json_t *v, const char *name)
{
	return json_string_value(json_object_get(v, name));
}

static void
test_the_published_vectors(void **state)
{
	static const char *const lists[] = { "vectors", "computed_here" };
	const char *file = getenv("VECTORS");
	json_t *all = json_load_file(file != NULL ? file : "", 0, NULL), *v;
	size_t i, k, n = 0;

	(void)state;
	if (all == NULL) {
		print_message("the vectors beside the tree are missing\n");
		skip();
	}
	for (k = 0; k < 2; k++)
		json_array_foreach(json_object_get(all, lists[k]), i, v) {
			signs(member(v, "secret"), member(v, "id"),
			    json_integer_value(json_object_get(v, "timestamp")), member(v, "body"),
			    member(v, "signature"));
			signs(member(v, "secret") + 6, member(v, "id"),
			    json_integer_value(json_object_get(v, "timestamp")), member(v, "body"),
			    member(v, "signature"));
			n++;
		}
	assert_true(n >= 6);
	json_decref(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_own_samples),
		cmocka_unit_test(test_what_is_no_key_is_refused),
		cmocka_unit_test(test_the_published_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
