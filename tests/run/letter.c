/* What sink_mail makes of a batch, for tests that read mail as mail programs do. Reads one JSON object a line:
 *
 *	{"options": "images=yes\n", "kind": "edition", "title": ..., "name": ..., "archive": ..., "text": ...,
 *	 "self": ..., "sealed": ms, "from": ms, "to": ms, "left_out": n, "sender": ..., "list_id": ...,
 *	 "sections": [["Title", n, left_out], ...], "recipients": [[address, id, leave, leave_mail], ...],
 *	 "records": [{"id": ..., "title": ..., "link": ..., "authors": [...], "counters": {...}, ...}, ...]}
 *
 * and writes {"done": n, "error": ..., "log": ..., "mails": [{"to": ..., "message": ...}, ...]} for each. */
#include <courant/fakehost.h>

#include <jansson.h>
#include <stdio.h>

static const char *
str(const json_t *o, const char *name, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : otherwise;
}

static int64_t
num(const json_t *o, const char *name, int64_t otherwise)
{
	const json_t *n = json_object_get(o, name);

	return json_is_integer(n) ? json_integer_value(n) : otherwise;
}

static struct cr_record *
record_of(struct cr_fake *f, json_t *o)
{
	static const struct { const char *name; int field; } texts[] = {
		{ "id", CR_ID }, { "source", CR_SOURCE }, { "link", CR_LINK }, { "title", CR_TITLE },
		{ "summary", CR_SUMMARY }, { "content", CR_CONTENT }, { "language", CR_LANGUAGE },
		{ "image", CR_IMAGE }, { "comments", CR_COMMENTS }, { "rights", CR_RIGHTS },
	};
	struct cr_record *r = cr_fake_record(f, str(o, "guid", NULL));
	const json_t *a = json_object_get(o, "authors");
	const char *name;
	json_t *v;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (str(o, texts[i].name, NULL) != NULL)
			cr_fake_set(r, texts[i].field, str(o, texts[i].name, NULL));
	for (size_t i = 0; i < json_array_size(a); i++)
		cr_fake_set(r, CR_AUTHOR, json_string_value(json_array_get(a, i)));
	json_object_foreach(json_object_get(o, "counters"), name, v)
		cr_fake_set_counter(r, name, json_integer_value(v));
	cr_fake_set_time(r, CR_PUBLISHED, num(o, "published", CR_NO_TIME));
	cr_fake_set_time(r, CR_SEEN, num(o, "seen", INT64_C(1741939200000)));
	return r;
}

static void
batch_set(struct cr_fake *f, const json_t *o)
{
	const json_t *list = json_object_get(o, "sections"), *e;
	size_t i;

	f->route = str(o, "route", "morning");
	f->title = str(o, "title", "Papers");
	f->name = str(o, "name", "2025-03-14");
	f->archive = str(o, "archive", "");
	f->sender = str(o, "sender", "Papers <papers@example.org>");
	f->list_id = str(o, "list_id", "morning.papers.example.org");
	f->sealed = num(o, "sealed", INT64_C(1741939200000));
	f->from = num(o, "from", CR_NO_TIME);
	f->to = num(o, "to", CR_NO_TIME);
	f->left_out = num(o, "left_out", 0);
	for (i = 0; (e = json_array_get(list, i)) != NULL; i++)
		cr_fake_section(f, json_string_value(json_array_get(e, 0)),
		    (size_t)json_integer_value(json_array_get(e, 1)),
		    json_integer_value(json_array_get(e, 2)));
	list = json_object_get(o, "recipients");
	for (i = 0; (e = json_array_get(list, i)) != NULL; i++)
		cr_fake_recipient(f, json_string_value(json_array_get(e, 0)),
		    json_string_value(json_array_get(e, 1)), json_string_value(json_array_get(e, 2)),
		    json_string_value(json_array_get(e, 3)));
}

static size_t
deliver(struct cr_fake *f, const json_t *o)
{
	const char *kind = str(o, "kind", "edition");
	const json_t *list = json_object_get(o, "records");
	size_t n = json_array_size(list), i;
	struct cr_record **records = calloc(n + 1, sizeof(struct cr_record *));

	if (records == NULL)
		abort();
	for (i = 0; i < n; i++)
		records[i] = record_of(f, json_array_get(list, i));
	if (strcmp(kind, "letter") == 0)
		n = cr_fake_letter(f, f->title, str(o, "text", ""), str(o, "self", "")) == 0;
	else if (strcmp(kind, "records") == 0)
		n = cr_fake_deliver(f, records, n);
	else
		n = cr_fake_edition(f, records, n);
	free(records);
	return n;
}

static void
answer(const struct cr_fake *f, size_t done)
{
	json_t *o = json_object(), *mails = json_array();

	for (size_t i = 0; i < f->nmails; i++)
		json_array_append_new(mails, json_pack("{s:s, s:s}", "to", f->mails[i].to, "message",
		    f->mails[i].message));
	json_object_set_new(o, "done", json_integer((json_int_t)done));
	json_object_set_new(o, "error", f->error != NULL ? json_string(f->error) : json_null());
	json_object_set_new(o, "log", json_string(f->log.data));
	json_object_set_new(o, "mails", mails);
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}

int
main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		json_t *o = json_loads(line, JSON_ALLOW_NUL, NULL);
		struct cr_fake *f = cr_fake_new(&cr_plugin_v1, str(o, "options", ""));

		batch_set(f, o);
		answer(f, deliver(f, o));
		cr_fake_free(f);
		json_decref(o);
	}
	free(line);
	return 0;
}
