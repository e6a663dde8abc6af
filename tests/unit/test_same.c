/* Near-duplicates: serial words, keys that never change, and the rule's guards one by one. */
#include "base/text.h"
#include "record/same.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define WALK	"The river walk between the two mills was closed on account of falling branches, the "	\
		"town clerk said, and walkers should take the lane behind the tannery until foresters "	\
		"have looked at every tree along the water."
#define MILLS	" Both mills stay open. Their owners had asked for a bridge since the old one burnt down."

struct two {
	struct cr_record	*record[2];
	struct near_text	*text[2];
	char			 why[SAME_WHY];
};

static int
setup(void **state)
{
	struct two *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	for (int i = 0; i < 2; i++) {
		t->record[i] = record_new();
		t->text[i] = near_new();
	}
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct two *t = *state;

	for (int i = 0; i < 2; i++) {
		near_free(t->text[i]);
		record_free(t->record[i]);
	}
	free(t);
	return 0;
}

static void
put(struct two *t, int i, const char *title, const char *summary)
{
	record_clear(t->record[i]);
	record_set(t->record[i], CR_TITLE, title, strlen(title));
	record_set(t->record[i], CR_SUMMARY, summary, strlen(summary));
	near_read(t->text[i], t->record[i]);
}

/* Both orders give one answer, and one reason. */
static int
is_same(struct two *t, const char *title, const char *body, const char *title2, const char *body2,
    int one_source)
{
	char other[SAME_WHY];
	int yes, again;

	put(t, 0, title, body);
	put(t, 1, title2, body2);
	yes = same_story(t->text[0], t->text[1], one_source, t->why);
	put(t, 0, title, body);
	put(t, 1, title2, body2);
	again = same_story(t->text[1], t->text[0], one_source, other);
	assert_int_equal(yes, again);
	assert_string_equal(t->why, other);
	return yes;
}

static void
serial(struct serial *s, const char *title)
{
	struct buf b;

	buf_init(&b, 4096);
	text_title_key(&b, title, strlen(title));
	serial_read(s, b.data, b.len);
	buf_free(&b);
}

/* Titles of one part of a series, and of different ones. */
static const struct {
	const char	*a, *b;
	int		 equal;
} serials[] = {
	{ "A walk, part 2", "A walk, part two", 1 }, { "A walk, part II", "A walk: Part 2", 1 },
	{ "A walk, part 02", "A walk, part 2", 1 }, { "Second walk", "2nd walk", 1 },
	{ "1,000 walks", "1000 walks", 1 }, { "1.000.000 Spaziergänge", "1000000 walks", 1 },
	{ "27 November 2026", "November 27, 2026", 1 }, { "Lunes: paseo", "Monday's walk: monday", 1 },
	{ "Why I walk", "Why we walk", 1 }, { "Walk in a park", "Walk in the park", 1 },
	{ "GPT-4 walks", "GPT4 walks", 1 }, { "Zweiter Band", "Band 2", 1 },
	{ "A walk, part I", "A walk, part II", 0 }, { "A walk", "A walk II", 0 },
	{ "Walk v1.2", "Walk v1.3", 0 }, { "Walk 1.2.3", "Walk 1.3.2", 0 },
	{ "Won 2-1", "Won 1-2", 0 }, { "Part A", "Part B", 0 }, { "Vitamin C", "Vitamin D", 0 },
	{ "Volume V", "Volume X", 0 }, { "Monday's walk: monday", "Monday's walk: tuesday", 0 },
	{ "Report for April", "Report for May", 0 }, { "Compte de février", "Compte de août", 0 },
	{ "Spring walks", "Autumn walks", 0 }, { "Morning walk", "Evening walk", 0 },
	{ "Teil drei", "Teil vier", 0 }, { "Parte tre", "Parte quattro", 0 },
	{ "Capítulo dos", "Capítulo tres", 0 }, { "Walks no. 20260101123456789012",
	  "Walks no. 20260101123456789013", 0 }, { "1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9",
	  "1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 9 8", 0 },
};

static void
serial_words_tell_the_parts_of_a_series_apart(void **state)
{
	struct serial a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(serials); i++) {
		serial(&a, serials[i].a);
		serial(&b, serials[i].b);
		if (serial_equal(&a, &b) != serials[i].equal || serial_equal(&b, &a) != serials[i].equal)
			fail_msg("%s / %s", serials[i].a, serials[i].b);
	}
}

/* The table is searched by halves: a word out of its order would not be found. */
static void
number_words_of_seven_languages_are_known(void **state)
{
	static const char words[] = "one first eins erste première primero primo eerste two deux dos due "
	    "dois twee three drei trois tres tre três drie cinq cinque fünf vijf sixième sechs zes "
	    "siebte sept huit ottavo oito acht neuf neun dix zehn dez tien elf onze zwölf douze dodici "
	    "twaalf treize vierzehn quinze seize achtzehn vingt veinte venti vinte dreißig quarenta "
	    "cent mille monday montag lundi lunes lunedì maandag miércoles freitag sábado domenica "
	    "january jänner février märz avril mayo juin julio août settembre outubro décembre "
	    "frühling hiver inverno herbst abends afternoon annual yearly weekly daily noite";
	size_t n;

	(void)state;
	for (const char *s = words; *s != '\0'; s += n + (s[n] == ' ')) {
		n = strcspn(s, " ");
		if (!serial_word(s, n))
			fail_msg("%.*s", (int)n, s);
	}
	assert_false(serial_word("walk", 4));
	assert_false(serial_word("", 0));
}

static void
words_of_columns_and_series_are_no_title_of_its_own(void **state)
{
	static const char *const titles[] = {
		"A brief review of the latest comments on sports", "Open thread: what are you reading tonight?",
		"Tomorrow, today and yesterday in pictures", "Top stories, updates and an update to catch up",
		"Your newsletter for Monday, part 7", "This week in the world: letters to the editor",
		"Die Links der Woche zum", "Le digest de la", "Weekend quiz: headlines of the year",
	};
	struct two *t = *state;

	put(t, 0, "Die Links zum Steg", "");
	assert_int_equal(t->text[0]->own, 1);
	for (size_t i = 0; i < COUNT(titles); i++) {
		put(t, 0, titles[i], "");
		if (t->text[0]->own != (strstr(titles[i], "Woche") != NULL))
			fail_msg("%s: %zu", titles[i], t->text[0]->own);
	}
}

static void
keys_are_the_same_for_ever(void **state)
{
	static const int64_t want[NEAR_KEYS] = {
		-INT64_C(2598766937692989481),
		INT64_C(779416433234176876),
		-INT64_C(8796313709983808714),
		INT64_C(1291586082841813624),
		-INT64_C(1256399649872935287),
		INT64_C(1220452226004861790),
		-INT64_C(3034754357065960649),
	};
	struct two *t = *state;
	int64_t key[NEAR_KEYS];

	put(t, 0, "River walk closed until Friday, clerk says", "<p>" WALK "</p>");
	assert_int_equal(near_keys(t->text[0], key), NEAR_KEYS);
	for (int i = 0; i < NEAR_KEYS; i++)
		if (key[i] != want[i])
			fail_msg("key %d: %lld", i, (long long)key[i]);
}

static void
keys_need_words_enough(void **state)
{
	struct two *t = *state;
	int64_t key[NEAR_KEYS];

	put(t, 0, "", "");
	assert_int_equal(near_keys(t->text[0], key), 0);
	put(t, 0, "Two words", "");
	assert_int_equal(near_keys(t->text[0], key), 0);
	put(t, 0, "Of three words", "one two three four five six seven");
	assert_int_equal(near_keys(t->text[0], key), 2);
	put(t, 0, "", "one two three four five six seven eight nine");
	assert_int_equal(near_keys(t->text[0], key), 1);
	put(t, 0, "", "one two three four five six seven eight nine ten");
	assert_int_equal(near_keys(t->text[0], key), 5);
	/* Signs of Han are words. */
	put(t, 0, "\xe6\xb2\xb3\xe8\xbe\xb9\xe6\xad\xa5", "");
	assert_int_equal(near_keys(t->text[0], key), 2);
}

static void
a_text_of_any_length_is_read_up_to_its_maximum(void **state)
{
	struct two *t = *state;
	char *body = malloc(200001);
	int64_t key[NEAR_KEYS];

	assert_non_null(body);
	for (size_t i = 0; i < 200000; i += 5)
		snprintf(body + i, 6, "%04zu ", i / 5 % 10000);
	put(t, 0, "A walk", body);
	assert_int_equal(near_keys(t->text[0], key), 5);
	assert_int_equal(t->text[0]->body_words, NEAR_BODY);
	assert_int_equal(t->text[0]->shingles.n, NEAR_BODY - 2);
	/* One word that has no end; a title of many. */
	memset(body, 'x', 200000);
	put(t, 0, "A walk", body);
	near_keys(t->text[0], key);
	assert_int_equal(t->text[0]->body_words, 1);
	for (size_t i = 0; i < 16000; i += 5)
		snprintf(body + i, 6, "%04zu ", i / 5);
	put(t, 0, body, body);
	near_keys(t->text[0], key);
	assert_int_equal(t->text[0]->words, NEAR_TITLE);
	assert_int_equal(same_story(t->text[0], t->text[0], 0, t->why), 1);
	free(body);
}

/* What the rule says of two sources' records. */
static const struct {
	const char	*title, *body, *title2, *body2, *why;
	int		 same;
} rules[] = {
	{ "River walk between mills closed, clerk says", "", "River Walk between mills CLOSED: clerk says",
	  "", "equal titles of 7 words", 1 },
	{ "River walk closed", "", "River walk closed", "", "equal titles that say too little", 0 },
	{ "River walk closed", WALK, "River walk closed", "<p>" WALK "</p>", "overlap by 1.00", 1 },
	{ "River walk closed", WALK, "River walk closed", WALK MILLS, "overlap by 1.00", 1 },
	{ "River walk between mills closed, clerk says", WALK,
	  "River walk between mills closed, clerk says", "Nobody had expected seventeen hungry goats in "
	  "a parliament, though several ministers keep donkeys and feed them with printed speeches.",
	  "about different things", 0 },
	{ "Letters to the editor this week", WALK, "Letters to the editor this week",
	  "Nobody had expected so many hungry goats.", "say too little", 0 },
	{ "Letters to the editor this week", "", "Letters to the editor this week", "", "say too little",
	  0 },
	{ "Update: River walk closed", WALK, "River walk closed for now", WALK, "alike by 0.67 only", 0 },
	{ "Clerk: river walk is closed", WALK, "River walk is closed", WALK MILLS, "alike by 0.89", 1 },
	{ "Clerk: river walk is closed", "", "River walk is closed", "", "bodies overlap by 0.00", 0 },
	{ "River walk between the mills is closed", WALK, "Mills, river | River walk between the mills is "
	  "closed | Courier of the county and its towns", WALK, "one title in the other", 1 },
	{ "River walk between the mills is clo\xe2\x80\xa6", WALK, "River walk between the mills is closed "
	  "until further notice for walkers", WALK, "one title in the other", 1 },
	{ "River walk between mills clo\xe2\x80\xa6", "", "River walk between mills clo", "",
	  "equal titles of 5 words", 1 },
	{ "River walk is closed, part 1", WALK, "River walk is closed, part 2", WALK, "in a number", 0 },
	{ "", WALK, "", WALK, "no title", 0 },
	{ "River walk is closed", WALK, "", WALK, "no title", 0 },
	{ "\xd0\x9c\xd0\xbe\xd1\x81\xd1\x82 \xd1\x87\xd0\xb5\xd1\x80\xd0\xb5\xd0\xb7 \xd1\x80\xd0\xb5\xd0"
	  "\xba\xd1\x83 \xd1\x81\xd0\xbd\xd0\xbe\xd0\xb2\xd0\xb0 \xd0\xb7\xd0\xb0\xd0\xba\xd1\x80\xd1\x8b"
	  "\xd1\x82", "", "\xd0\x9c\xd0\x9e\xd0\xa1\xd0\xa2 \xd1\x87\xd0\xb5\xd1\x80\xd0\xb5\xd0\xb7 \xd1"
	  "\x80\xd0\xb5\xd0\xba\xd1\x83 \xd1\x81\xd0\xbd\xd0\xbe\xd0\xb2\xd0\xb0 \xd0\xb7\xd0\xb0\xd0\xba"
	  "\xd1\x80\xd1\x8b\xd1\x82", "", "equal titles of 5 words", 1 },
};

static void
the_rule_says_what_is_one_story_and_why(void **state)
{
	struct two *t = *state;

	for (size_t i = 0; i < COUNT(rules); i++)
		if (is_same(t, rules[i].title, rules[i].body, rules[i].title2, rules[i].body2, 0) !=
		    rules[i].same || strstr(t->why, rules[i].why) == NULL)
			fail_msg("%s / %s: %s", rules[i].title, rules[i].title2, t->why);
}

static void
one_source_says_the_same_twice_only_with_equal_title_and_text(void **state)
{
	struct two *t = *state;
	static const char title[] = "River walk between mills closed, clerk says";

	assert_false(is_same(t, title, "", title, "", 1));
	assert_false(is_same(t, title, WALK, "Update: River walk between mills closed, clerk says",
	    WALK, 1));
	assert_true(is_same(t, title, WALK, title, WALK MILLS, 1));
	assert_false(is_same(t, title, WALK, title, "Nobody had expected seventeen hungry goats here, and "
	    "nobody fed them either.", 1));
}

#define FORM(place)	"The parish council of " place " met in the chapel. Present were the clerk, the "	\
			"members and the vicar. The minutes were read and signed. It was resolved that "	\
			"the matter of the drains be taken up again in " place " after the harvest."

static void
a_form_filled_in_for_two_places_is_two_stories(void **state)
{
	struct two *t = *state;

	assert_false(is_same(t, "Council minutes for the parish of Northwick", FORM("Northwick"),
	    "Council minutes for the parish of Southmere", FORM("Southmere"), 0));
	assert_non_null(strstr(t->why, "of different things"));
	assert_true(is_same(t, "Council minutes for the parish of Northwick", FORM("Northwick"),
	    "Council minutes for parish Northwick", FORM("Northwick"), 0));
}

#define NOTICE	"This article is for subscribers only. Log in or begin your trial to read the whole text, "	\
		"the puzzles and all editions on all of your devices. You can end the trial at any time. "	\
		"Your support keeps reporting alive in the county, for which we are grateful to you all, and "	\
		"so are our families, our printers and those who carry the paper to your door every day."

static void
one_notice_under_two_titles_is_two_stories(void **state)
{
	struct two *t = *state;

	assert_false(is_same(t, "Goats eat the speeches of two ministers", NOTICE,
	    "River walk between the mills is closed", NOTICE, 0));
	assert_false(is_same(t, "Goats eat the speeches of two ministers", NOTICE,
	    "Goats eat the donkeys of two ministers", NOTICE, 0));
}

static void
a_new_title_over_the_same_long_text_is_the_same_story(void **state)
{
	struct two *t = *state;

	assert_true(is_same(t, "Clerk closes river walk", WALK MILLS, "Branches: foresters look at trees",
	    WALK MILLS, 0));
	assert_non_null(strstr(t->why, "other titles"));
	/* A title's own word that the other text has not: another story told in the same form. */
	assert_false(is_same(t, "Clerk closes river walk in Northwick", WALK MILLS " Northwick waits.",
	    "Foresters look at trees, clerk says", WALK MILLS " All wait.", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serial_words_tell_the_parts_of_a_series_apart),
		cmocka_unit_test(number_words_of_seven_languages_are_known),
		cmocka_unit_test(words_of_columns_and_series_are_no_title_of_its_own),
		cmocka_unit_test(keys_are_the_same_for_ever),
		cmocka_unit_test(keys_need_words_enough),
		cmocka_unit_test(a_text_of_any_length_is_read_up_to_its_maximum),
		cmocka_unit_test(the_rule_says_what_is_one_story_and_why),
		cmocka_unit_test(one_source_says_the_same_twice_only_with_equal_title_and_text),
		cmocka_unit_test(a_form_filled_in_for_two_places_is_two_stories),
		cmocka_unit_test(one_notice_under_two_titles_is_two_stories),
		cmocka_unit_test(a_new_title_over_the_same_long_text_is_the_same_story),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
