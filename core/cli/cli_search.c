/* courant search, similar: what the daemon has found. */
#include "cli_search.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_show.h"
#include "cli_usage.h"
#include "base/buf.h"
#include "base/json.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MAX	10000		/* stories of an answer */
#define TEXT_MAX	(200u << 10)	/* bytes of a text, from standard input */

/* Prints what the answer says besides its stories. */
static void
print_step(const json_t *o)
{
	const char *step = json_get_text(o, "step"), *meant = json_get_text(o, "did_you_mean");
	const json_t *indexed = json_object_get(o, "indexed"), *one;
	size_t i;

	json_array_foreach(json_object_get(o, "notes"), i, one)
		show_text("note: ", json_string_value(one));
	if (indexed != NULL)
		print("the index has %lld of %lld rows of the log%s%s\n", json_get_number(indexed, "n"),
		    json_get_number(indexed, "of"), json_get_text(indexed, "why")[0] != '\0' ? ": " : "",
		    json_get_text(indexed, "why"));
	if (meant[0] != '\0')
		print("did you mean: %s\n", meant);
	if (strcmp(step, "any") == 0)
		print("nothing has all of it; these have some of its words:\n");
	else if (json_array_size(json_object_get(o, "stories")) == 0)
		print("nothing is found\n");
}

static void
print_stories(const json_t *o)
{
	const json_t *one;
	char head[32];
	struct buf b;
	size_t i;

	buf_init(&b, 4096);
	json_array_foreach(json_object_get(o, "stories"), i, one) {
		snprintf(head, sizeof(head), "%4zu  ", i + 1);
		show_text(head, json_get_text(one, json_get_text(one, "title")[0] != '\0' ? "title" : "id"));
		if (json_get_text(one, "link")[0] != '\0')
			print("      %s\n", json_get_text(one, "link"));
		buf_clear(&b);
		show_time(&b, json_get_text(one, "seen"));
		print("      %s  %s, %s\n", json_get_text(one, "id"), json_get_text(one, "source"),
		    b.data != NULL ? b.data : "");
	}
	buf_free(&b);
	if (json_is_true(json_object_get(o, "more")))
		print("and more: --limit N shows them\n");
}

/* Asks, which takes the question, or NULL; prints the answer. The exit status: 1 if nothing is found. */
static int
ask(const char *command, json_t *question, int json)
{
	json_t *o;
	size_t n;

	if (question == NULL)
		return 1;
	o = cli_ask_about(command, question);
	json_decref(question);
	if (o == NULL)
		return 1;
	n = json_array_size(json_object_get(o, "stories"));
	if (json) {
		(void)print_json(o, JSON_COMPACT);
	} else {
		show_open();
		print_step(o);
		print_stories(o);
	}
	json_decref(o);
	return n == 0;
}

/* The words of the command line, a space between; freed by the caller. */
static char *
words_join(int argc, char **argv)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 4);
	buf_str(&b, "");
	for (int i = optind; i < argc; i++) {
		if (i > optind)
			buf_char(&b, ' ');
		buf_str(&b, argv[i]);
	}
	return b.data;
}

/* The text on standard input, at most TEXT_MAX bytes; freed by the caller. */
static char *
text_read(void)
{
	struct buf b;
	char *room;
	ssize_t n = 1;

	buf_init(&b, TEXT_MAX);
	buf_str(&b, "");
	while (n > 0 && b.len < TEXT_MAX) {
		const size_t most = TEXT_MAX - b.len < 4096 ? TEXT_MAX - b.len : 4096;

		if ((room = buf_room(&b, most)) == NULL)
			break;
		n = read(STDIN_FILENO, room, most);
		b.len += n > 0 ? (size_t)n : 0;
		b.data[b.len] = '\0';
	}
	return b.data;
}

/* Prints the words that complete the last one, one a line. */
static int
complete(const char *text)
{
	json_t *question = json_pack("{s:s}", "q", text), *o, *one;
	size_t i;

	if (question == NULL) {
		print_error("courant: the word is no UTF-8\n");
		return 1;
	}
	o = cli_ask_about("complete", question);
	json_decref(question);
	if (o == NULL)
		return 1;
	json_array_foreach(json_object_get(o, "words"), i, one)
		print("%s %lld\n", json_get_text(one, "word"), json_get_number(one, "records"));
	json_decref(o);
	return 0;
}

static const struct option longs[] = { CLI_HELP, { "json", no_argument, NULL, 'j' },
	{ "sort", required_argument, NULL, 's' }, { "limit", required_argument, NULL, 'l' },
	{ "complete", no_argument, NULL, 'c' }, { NULL, 0, NULL, 0 } };

struct asked {
	const char	*sort;
	long		 limit;		/* 0: not given */
	int		 json, completes;
};

static void
options(int argc, char **argv, struct asked *to)
{
	char *end;
	int opt;

	*to = (struct asked){ .sort = NULL };
	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":h", longs)) != -1)
		if (opt == 'j')
			to->json = 1;
		else if (opt == 'c')
			to->completes = 1;
		else if (opt == 's') {
			if (strcmp(optarg, "match") != 0 && strcmp(optarg, "new") != 0 &&
			    strcmp(optarg, "heat") != 0)
				cli_misused("--sort: %s is none of match, new, heat", optarg);
			to->sort = optarg;
		} else {
			to->limit = strtol(optarg, &end, 10);
			if (to->limit < 1 || to->limit > LIMIT_MAX || *end != '\0')
				cli_misused("--limit: a number from 1 to %d is wanted", LIMIT_MAX);
		}
}

/* The question with that member; NULL: it is no UTF-8, which is printed. */
static json_t *
question_make(const struct asked *of, const char *name, const char *value)
{
	json_t *o = json_object();

	if (json_object_set_new(o, name, json_string(value)) == -1) {
		print_error("courant: the query is no UTF-8\n");
		json_decref(o);
		return NULL;
	}
	if (of->sort != NULL)
		json_object_set_new(o, "sort", json_string(of->sort));
	if (of->limit > 0)
		json_object_set_new(o, "limit", json_integer(of->limit));
	return o;
}

int
cli_search(int argc, char **argv)
{
	struct asked of;
	char *text;
	int rc;

	options(argc, argv, &of);
	if (optind == argc)
		cli_misused("a query is wanted");
	text = words_join(argc, argv);
	rc = of.completes ? complete(text) : ask("search", question_make(&of, "q", text), of.json);
	free(text);
	return rc;
}

int
cli_similar(int argc, char **argv)
{
	struct asked of;
	char *text;
	int rc;

	options(argc, argv, &of);
	if (argc - optind != 1 || of.completes)
		cli_misused("a record has to be named, by its id or link; - reads a text");
	text = strcmp(argv[optind], "-") == 0 ? text_read() : NULL;
	rc = ask("similar", question_make(&of, text != NULL ? "text" : "id", text != NULL ? text :
	    argv[optind]), of.json);
	free(text);
	return rc;
}
