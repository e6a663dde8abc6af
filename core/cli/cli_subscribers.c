/* courant subscribers: who subscribes to a route, and an operator's orders about them; courant bounce: a
 * mail that came back. */
#include "cli_subscribers.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_show.h"
#include "cli_usage.h"
#include "cli_user.h"
#include "base/buf.h"
#include "base/csv.h"
#include "base/date.h"
#include "base/dsn.h"
#include "base/json.h"

#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define IMPORT_PAGE	100		/* rows of one question: they fit into its frame, */
#define ROW_TEXT_MAX	400		/* with so many bytes each, however JSON writes them */
#define FILE_MAX	(512u << 20)	/* bytes of an import */
#define MAIL_MAX	(4u << 20)	/* bytes of a mail that are read; the report comes early */

/* Columns of an export, in the order in which an import is sent. */
static const char *const columns[] = { "address", "state", "asked", "confirmed", "ended", "leave" };
#define COLUMNS		(sizeof(columns) / sizeof(columns[0]))

/* Reads at most max bytes. -1 with errno. */
static int
read_all(int fd, struct buf *b, size_t max)
{
	char *room;
	ssize_t n;

	while (b->len < max) {
		if ((room = buf_room(b, 65536)) == NULL) {
			errno = EFBIG;
			return -1;
		}
		if ((n = read(fd, room, 65536)) <= 0)
			return n == 0 ? 0 : -1;
		b->len += (size_t)n;
	}
	return 0;
}

/* ---- List, export ---- */

/* Calls each() for all rows of the route; 1: the daemon refused. */
static int
each_row(json_t *question, void (*each)(void *, const json_t *), void *arg)
{
	json_t *answer, *row, *after;
	size_t i;

	json_object_set_new(question, "do", json_string("list"));
	do {
		if ((answer = cli_ask_about("subscribers", question)) == NULL)
			return 1;
		json_array_foreach(json_object_get(answer, "subscribers"), i, row)
			each(arg, row);
		after = json_incref(json_object_get(answer, "after"));
		json_decref(answer);
		if (after != NULL)
			json_object_set_new(question, "after", after);
	} while (after != NULL);
	return 0;
}

static void
list_row(void *arg, const json_t *row)
{
	struct buf asked, confirmed, ended;

	buf_init(&asked, 256);
	buf_init(&confirmed, 256);
	buf_init(&ended, 256);
	show_time(&asked, json_get_text(row, "asked"));
	show_time(&confirmed, json_get_text(row, "confirmed"));
	show_time(&ended, json_get_text(row, "ended"));
	show_table_row(arg, (const char *[]){ json_get_text(row, "address"), json_get_text(row, "state"),
	    asked.len > 0 ? asked.data : "", confirmed.len > 0 ? confirmed.data : "",
	    ended.len > 0 ? ended.data : "" });
	buf_free(&asked);
	buf_free(&confirmed);
	buf_free(&ended);
}

static void
collect_row(void *arg, const json_t *row)
{
	json_array_append_new(arg, json_deep_copy(row));
}

static int
list_json(json_t *question)
{
	json_t *all = json_array();
	int rc = each_row(question, collect_row, all);

	if (rc == 0)
		(void)print_json(all, JSON_INDENT(2));
	json_decref(all);
	return rc;
}

static int
list(json_t *question)
{
	static const struct show_column shown[] = {
		{ "ADDRESS", 0, 16 }, { "STATE", 0, 0 }, { "ASKED", 0, 0 }, { "CONFIRMED", 0, 0 },
		{ "ENDED", 0, 0 },
	};
	struct show_table *t;
	int rc;

	show_open();
	t = show_table_new(shown, 5);
	rc = each_row(question, list_row, t);
	show_table_end(t);
	return rc;
}

static void
export_row(void *arg, const json_t *row)
{
	struct buf b;

	(void)arg;
	buf_init(&b, 4096);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (i > 0)
			buf_char(&b, ',');
		csv_put(&b, json_get_text(row, columns[i]));
	}
	print("%s\n", b.data);
	buf_free(&b);
}

static int
export_all(json_t *question)
{
	print("address,state,asked,confirmed,ended,leave\n");
	return each_row(question, export_row, NULL);
}

/* ---- Import ---- */

struct import {
	const char	*file;
	json_t		*question, *rows, *sums;
	size_t		 line[IMPORT_PAGE];	/* of the rows */
	size_t		 column[COLUMNS];	/* place of each in the file; CSV_FIELDS: it has none */
	int		 rc;
};

static void
import_add(struct import *m, const json_t *answer)
{
	const char *name;
	json_t *value;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)answer, name, value)
		if (json_is_integer(value))
			json_object_set_new(m->sums, name, json_integer(json_integer_value(value) +
			    json_get_number(m->sums, name)));
	json_array_foreach(json_object_get(answer, "bad"), i, value) {
		print_error("courant: %s:%zu: skipped: %s\n", m->file,
		    m->line[json_integer_value(json_array_get(value, 0)) % IMPORT_PAGE],
		    json_string_value(json_array_get(value, 1)));
		m->rc = 1;
	}
}

/* Sends the rows that were read. -1: the daemon refused. */
static int
import_send(struct import *m)
{
	json_t *answer;

	if (json_array_size(m->rows) == 0)
		return 0;
	json_object_set(m->question, "rows", m->rows);
	answer = cli_ask_about("subscribers", m->question);
	json_array_clear(m->rows);
	if (answer == NULL)
		return -1;
	import_add(m, answer);
	json_decref(answer);
	return 0;
}

/* Whether the field is the name of a column, which other programs call by other ones. */
static int
is_column(const char *field, size_t column)
{
	static const char *const addresses[] = { "email", "e-mail", "email address" };

	for (size_t i = 0; column == 0 && i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (strcasecmp(field, addresses[i]) == 0)
			return 1;
	return strcasecmp(field, columns[column]) == 0;
}

/* Whether the row names columns; else they are in our order, or addresses alone. */
static int
import_head(struct import *m, const struct csv *c)
{
	int named = 0;

	for (size_t k = 0; k < COLUMNS; k++) {
		m->column[k] = CSV_FIELDS;
		for (size_t i = 0; i < c->n; i++)
			if (is_column(csv_field(c, i), k))
				m->column[k] = i;
		named |= k == 0 && m->column[k] != CSV_FIELDS;
	}
	for (size_t k = 0; !named && k < COLUMNS; k++)
		m->column[k] = k;
	return named;
}

static int64_t
import_time(const struct csv *c, size_t column)
{
	int64_t ms = 0;

	(void)date_parse(csv_field(c, column), &ms);
	return ms;
}

/* Adds a row to those to be sent. -1: it is too long, or no UTF-8. */
static int
import_row(struct import *m, const struct csv *c)
{
	const char *address = csv_field(c, m->column[0]), *state = csv_field(c, m->column[1]);
	const char *leave = csv_field(c, m->column[5]);
	size_t len;
	json_t *row;

	address += strspn(address, " \t");
	for (len = strlen(address); len > 0 && (address[len - 1] == ' ' || address[len - 1] == '\t');)
		len--;
	if (len + strlen(state) + strlen(leave) > ROW_TEXT_MAX)
		return -1;
	row = json_pack("[s#,s,I,I,I,s]", address, (int)len, state,
	    (json_int_t)import_time(c, m->column[2]), (json_int_t)import_time(c, m->column[3]),
	    (json_int_t)import_time(c, m->column[4]), leave);
	if (row == NULL)
		return -1;
	m->line[json_array_size(m->rows)] = c->line;
	json_array_append_new(m->rows, row);
	return 0;
}

static int
import_rows(struct import *m, struct csv *c)
{
	int first = 1;

	while (csv_next(c)) {
		if (first && import_head(m, c)) {
			first = 0;
			continue;
		}
		first = 0;
		if (c->text.over || import_row(m, c) == -1) {
			print_error("courant: %s:%zu: skipped: it is no UTF-8, or too long\n", m->file,
			    c->line);
			m->rc = 1;
		}
		if (json_array_size(m->rows) == IMPORT_PAGE && import_send(m) == -1)
			return -1;
	}
	return import_send(m);
}

static void
import_tell(const json_t *sums)
{
	static const struct { const char *name, *text; } words[] = {
		{ "added", "added" }, { "asked", "will be asked to confirm" },
		{ "lowered", "left, bounced or blocked by the file" },
		{ "same", "as they were" }, { "kept", "not raised: they left, bounced or are blocked" },
		{ "forgotten", "not brought back: they were forgotten" },
		{ "key", "refused: their leave key is another reader's" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (json_get_number(sums, words[i].name) > 0)
			print("%lld %s\n", json_get_number(sums, words[i].name), words[i].text);
}

static int
import(json_t *question, const char *path, int json)
{
	struct import m = { .file = path, .question = question, .rows = json_array(),
		.sums = json_object() };
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : cli_file(path);
	struct buf b;
	struct csv c;

	buf_init(&b, FILE_MAX);
	if (fd == -1 || read_all(fd, &b, FILE_MAX) == -1) {
		print_error("courant: %s: %s%s\n", path, strerror(errno), cli_user_as());
		m.rc = 1;
	} else {
		csv_begin(&c, b.data != NULL ? b.data : "", b.len);
		m.rc |= import_rows(&m, &c) == -1;
		csv_free(&c);
		if (json)
			(void)print_json(m.sums, 0);
		else
			import_tell(m.sums);
	}
	buf_free(&b);
	json_decref(m.rows);
	json_decref(m.sums);
	return m.rc;
}

/* ---- One ---- */

static void
show(const json_t *o)
{
	const json_t *letters = json_object_get(o, "letters"), *l;
	size_t i;

	print("%s: %s\n", json_get_text(o, "address"), json_get_text(o, "state"));
	if (json_get_text(o, "asked")[0] != '\0')
		print("    asked %s, from %s\n", json_get_text(o, "asked"), json_get_text(o, "asked_from"));
	if (json_get_text(o, "confirmed")[0] != '\0')
		print("    confirmed %s, from %s\n", json_get_text(o, "confirmed"),
		    json_get_text(o, "confirmed_from"));
	if (json_get_text(o, "ended")[0] != '\0')
		print("    ended %s\n", json_get_text(o, "ended"));
	if (json_get_number(o, "soft") > 0)
		print("    %lld mails came back\n", json_get_number(o, "soft"));
	print("    leave key %s\n", json_get_text(o, "leave"));
	if (json_get_text(o, "confirm")[0] != '\0')
		print("    confirm token %s, until %s\n", json_get_text(o, "confirm"),
		    json_get_text(o, "confirm_until"));
	json_array_foreach(letters, i, l)
		print("    letter of %s: %s, %s\n", json_get_text(l, "made"), json_get_text(l, "kind"),
		    json_get_text(l, "state"));
}

static void
tell(const json_t *o, const char *address)
{
	static const struct { const char *did, *text; } words[] = {
		{ "added", "subscribed" }, { "asked", "will be asked to confirm" },
		{ "removed", "gets no more mail" }, { "forgotten", "forgotten" },
		{ "nothing", "as it was" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].did, json_get_text(o, "did")) == 0)
			print("%s: %s\n", address, words[i].text);
}

static int
one(json_t *question, const char *act, const char *address, int json)
{
	json_t *answer;

	json_object_set_new(question, "do", json_string(act));
	if (json_object_set_new(question, "address", json_string(address)) == -1)
		cli_misused("the address is no UTF-8");
	if ((answer = cli_ask_about("subscribers", question)) == NULL)
		return 1;
	if (json)
		(void)print_json(answer, 0);
	else if (strcmp(act, "show") == 0)
		show(answer);
	else
		tell(answer, address);
	json_decref(answer);
	return 0;
}

static int
run(json_t *question, int argc, char **words, int json)
{
	const char *act = words[1];

	json_object_set_new(question, "route", json_string(words[0]));
	if (strcmp(act, "list") == 0 && argc == 2)
		return json ? list_json(question) : list(question);
	if (strcmp(act, "export") == 0 && argc == 2)
		return json ? list_json(question) : export_all(question);
	if (argc == 3 && strcmp(act, "import") == 0) {
		json_object_set_new(question, "do", json_string("import"));
		return import(question, words[2], json);
	}
	if (argc != 3 || (strcmp(act, "show") != 0 && strcmp(act, "add") != 0 &&
	    strcmp(act, "remove") != 0 && strcmp(act, "forget") != 0))
		cli_misused("list, export, import FILE, or one of show, add, remove, forget and an "
		    "ADDRESS is wanted");
	return one(question, act, words[2], json);
}

int
cli_subscribers(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "json", no_argument, NULL, 'j' },
		{ "confirmed", no_argument, NULL, 'C' }, { NULL, 0, NULL, 0 } };
	json_t *question = json_object();
	int opt, json = 0, confirmed = 0, rc;

	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":h", longs)) != -1)
		if (opt == 'j')
			json = 1;
		else
			confirmed = 1;
	if (argc - optind < 1)
		cli_misused("a route has to be named");
	if (argc - optind < 2)
		cli_misused("what about the subscribers? list, show, add, remove, forget, import or export");
	if (confirmed && strcmp(argv[optind + 1], "add") != 0 && strcmp(argv[optind + 1], "import") != 0)
		cli_misused("--confirmed is for add and import");
	if (confirmed)
		json_object_set_new(question, "confirmed", json_true());
	rc = run(question, argc - optind, argv + optind, json);
	json_decref(question);
	return rc;
}

/* ---- Bounces ---- */

/* What became of the readers that the recipient stands for, as an array; NULL: the daemon refused. The
 * key, if there is one, is of the mail's one recipient. */
static json_t *
bounce_ask(const struct dsn *d, const struct dsn_recipient *to)
{
	const char *const addresses[] = { to->address, to->original };
	json_t *question = json_object(), *answer = NULL, *rows = NULL;

	json_set_text(question, "key", d->key);
	json_set_text(question, "status", to->status);
	for (size_t i = 0; i < 2 && (i == 0 || addresses[i][0] != '\0'); i++) {
		if (json_object_set_new(question, "address", json_string(addresses[i])) == -1)
			continue;		/* no UTF-8: no address of ours */
		json_decref(answer);
		if ((answer = cli_ask_about("bounce", question)) == NULL)
			break;
		rows = json_object_get(answer, "subscribers");
		if (json_array_size(rows) > 0)
			break;
	}
	json_decref(question);
	rows = answer != NULL ? json_incref(rows) : NULL;
	json_decref(answer);
	return rows;
}

static void
bounce_tell(const struct dsn_recipient *to, const json_t *rows)
{
	const json_t *row;
	size_t i;

	if (!to->failed)
		print("%s: %s: it has not failed; nothing is done\n", to->address, to->status);
	else if (json_array_size(rows) == 0)
		print("%s: %s: no subscriber\n", to->address, to->status);
	json_array_foreach(rows, i, row) {
		print("%s: %s: %s of %s is %s", to->address, to->status, json_get_text(row, "address"),
		    json_get_text(row, "route"), json_get_text(row, "state"));
		if (json_get_number(row, "soft") > 0 && strcmp(json_get_text(row, "state"), "bounced") != 0)
			print(", %lld mails came back", json_get_number(row, "soft"));
		print("\n");
	}
}

static int
bounce_each(const struct dsn *d, json_t *all)
{
	json_t *rows, *o;

	for (size_t i = 0; i < d->n; i++) {
		rows = d->to[i].failed ? bounce_ask(d, &d->to[i]) : json_array();
		if (rows == NULL)
			return 1;
		if (all == NULL)
			bounce_tell(&d->to[i], rows);
		else {
			o = json_object();
			json_object_set_new(o, "recipient", json_text(d->to[i].address));
			json_set_text(o, "status", d->to[i].status);
			json_object_set(o, "subscribers", rows);
			json_array_append_new(all, o);
		}
		json_decref(rows);
	}
	return 0;
}

/* The reader wrote to `mail: leave`. */
static int
leave(const struct dsn *d, int json)
{
	json_t *question = json_object(), *answer;

	json_set_text(question, "leave", d->leave);
	answer = cli_ask_about("bounce", question);
	json_decref(question);
	if (answer != NULL && !json)
		print("the reader whose key is %s gets no more\n", d->leave);
	json_decref(answer);
	return answer == NULL;
}

int
cli_bounce(int argc, char **argv)
{
	int json = 0, rc = 0;
	json_t *all;
	struct dsn d;
	struct buf b;

	if (cli_words(argc, argv, &json) != 0)
		cli_misused("the mail is read from standard input");
	buf_init(&b, MAIL_MAX + 65536);
	if (read_all(STDIN_FILENO, &b, MAIL_MAX) == -1)
		cli_misused("standard input: %s", strerror(errno));
	all = json ? json_array() : NULL;
	if (dsn_read(&d, b.data != NULL ? b.data : "", b.len) == 0)
		rc = bounce_each(&d, all);
	else if (d.leave[0] != '\0')
		rc = leave(&d, json);
	else if (!json)
		print("this is neither a delivery status notification nor a wish to leave; nothing is done\n");
	if (json && rc == 0)
		(void)print_json(all, 0);
	json_decref(all);
	buf_free(&b);
	return rc;
}
