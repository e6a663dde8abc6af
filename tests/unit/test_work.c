/* Works by their own ids: every form of an id is the same id, and nothing else is one. */
#include "base/buf.h"
#include "record/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Forms of one work, parted by blanks. */
static const struct {
	const char	*id, *forms;
} works[] = {
	{ "arxiv:2401.09153",
	  "https://arxiv.org/abs/2401.09153 http://arxiv.org/abs/2401.09153v2 "
	  "https://arxiv.org/pdf/2401.09153 https://arxiv.org/pdf/2401.09153v1.pdf "
	  "https://www.arxiv.org/html/2401.09153v1/ https://arxiv.org/html/2401.09153v1#S2 "
	  "https://export.arxiv.org/abs/2401.09153 https://arxiv.org/abs/2401.09153?context=cs.CL "
	  "https://arxiv.org/src/2401.09153v3 https://arxiv.org/e-print/2401.09153 "
	  "https://ar5iv.org/abs/2401.09153 https://ar5iv.labs.arxiv.org/html/2401.09153v2 "
	  "https://www.alphaxiv.org/abs/2401.09153 https://alphaxiv.org/overview/2401.09153v1 "
	  "https://huggingface.co/papers/2401.09153 https://hf.co/papers/2401.09153?ref=rss "
	  "https://doi.org/10.48550/arXiv.2401.09153 https://doi.org/10.48550/ARXIV.2401.09153v2 "
	  "https://dx.doi.org/10.48550%2FarXiv.2401.09153 https://scirate.com/arxiv/2401.09153 "
	  "https://www.google.com/url?q=https%3A%2F%2Farxiv.org%2Fabs%2F2401.09153v2 "
	  "https://arxiv.org/abs/arXiv:2401.09153" },
	{ "arxiv:hep-th/9901001",
	  "https://arxiv.org/abs/hep-th/9901001 https://arxiv.org/abs/hep-th/9901001v3 "
	  "https://arxiv.org/pdf/hep-th/9901001v1.pdf http://xxx.lanl.gov/abs/hep-th/9901001 "
	  "https://doi.org/10.48550/arXiv.hep-th/9901001" },
	{ "arxiv:math/0309136",
	  "https://arxiv.org/abs/math/0309136 https://arxiv.org/abs/math.GT/0309136v2" },
	{ "doi:10.1145/3442188.3445922",
	  "https://doi.org/10.1145/3442188.3445922 http://dx.doi.org/10.1145/3442188.3445922 "
	  "https://dl.acm.org/doi/10.1145/3442188.3445922 "
	  "https://dl.acm.org/doi/abs/10.1145/3442188.3445922 "
	  "https://dl.acm.org/doi/pdf/10.1145/3442188.3445922?download=true "
	  "https://dl.acm.org/doi/fullHtml/10.1145/3442188.3445922" },
	{ "doi:10.1016/s0140-6736(05)67889-0",
	  "https://doi.org/10.1016/S0140-6736(05)67889-0 "
	  "https://doi.org/10.1016/S0140-6736%2805%2967889-0" },
	{ "doi:10.1007/s10994-021-05946-3",
	  "https://link.springer.com/article/10.1007/s10994-021-05946-3 "
	  "https://link.springer.com/content/pdf/10.1007/s10994-021-05946-3.pdf "
	  "https://link.springer.com/article/10.1007/s10994-021-05946-3/fulltext.html" },
	{ "doi:10.1101/2020.03.22.002386",
	  "https://www.biorxiv.org/content/10.1101/2020.03.22.002386v3 "
	  "https://www.biorxiv.org/content/10.1101/2020.03.22.002386v1.full.pdf "
	  "https://biorxiv.org/content/10.1101/2020.03.22.002386v2.full-text "
	  "https://doi.org/10.1101/2020.03.22.002386" },
	{ "doi:10.1038/s41586-024-07487-w",
	  "https://www.nature.com/articles/s41586-024-07487-w https://nature.com/articles/"
	  "s41586-024-07487-w.pdf https://doi.org/10.1038/s41586-024-07487-w" },
	{ "doi:10.5281/zenodo.1234567",
	  "https://zenodo.org/records/1234567 https://zenodo.org/record/1234567 "
	  "https://doi.org/10.5281/zenodo.1234567" },
	{ "doi:10.1371/journal.pone.0012345",
	  "https://journals.plos.org/plosone/article?id=10.1371/journal.pone.0012345 "
	  "https://doi.org/10.1371/journal.pone.0012345" },
	{ "doi:10.1002/adma.202001234",
	  "https://onlinelibrary.wiley.com/doi/full/10.1002/adma.202001234 "
	  "https://advanced.onlinelibrary.wiley.com/doi/10.1002/adma.202001234/abstract" },
	{ "doi:10.1103/physrevlett.116.061102",
	  "https://journals.aps.org/prl/abstract/10.1103/PhysRevLett.116.061102 "
	  "https://journals.aps.org/prl/pdf/10.1103/PhysRevLett.116.061102" },
	{ "youtube:dQw4w9WgXcQ",
	  "https://www.youtube.com/watch?v=dQw4w9WgXcQ https://youtu.be/dQw4w9WgXcQ?t=3 "
	  "https://m.youtube.com/watch?list=x&v=dQw4w9WgXcQ&t=3s "
	  "https://www.youtube.com/shorts/dQw4w9WgXcQ https://www.youtube.com/live/dQw4w9WgXcQ?si=a "
	  "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ "
	  "https://music.youtube.com/watch?v=dQw4w9WgXcQ" },
	{ "openreview:Xy5977",
	  "https://openreview.net/forum?id=Xy5977 https://openreview.net/pdf?id=Xy5977 "
	  "https://openreview.net/forum?id=Xy5977&noteId=abc" },
	{ "reddit:1abcde",
	  "https://www.reddit.com/r/science/comments/1abcde/a_title/ "
	  "https://old.reddit.com/r/science/comments/1abcde/ https://redd.it/1abcde "
	  "https://np.reddit.com/comments/1abcde https://www.reddit.com/gallery/1abcde "
	  "https://reddit.com/r/science/comments/1ABCDE/a_title/?utm_source=share" },
	{ "reddit:1abcde/kfghij",
	  "https://www.reddit.com/r/science/comments/1abcde/a_title/kfghij/ "
	  "https://old.reddit.com/r/science/comments/1abcde/other/kfghij" },
	{ "github:owner/some-name",
	  "https://github.com/owner/some-name https://github.com/Owner/Some-Name/ "
	  "https://www.github.com/owner/some-name.git https://github.com/owner/some-name#readme "
	  "https://github.com/owner/some-name?tab=readme-ov-file" },
};

/* Pages that are no work, or have no id: their keys. NULL: no key. */
static const struct {
	const char	*url, *key;
} pages[] = {
	{ "https://arxiv.org/list/cs.CL/new", "arxiv.org/list/cs.CL/new" },
	{ "https://arxiv.org/abs/2413.00001", "arxiv:2413.00001" },
	{ "https://arxiv.org/abs/2401.091539999", "arxiv:2401.091539999" },
	{ "https://huggingface.co/papers/date/2024-01-02",
	  "huggingface.co/papers/date/2024-01-02" },
	{ "https://huggingface.co/owner/model", "huggingface.co/owner/model" },
	{ "https://www.nature.com/articles/how-to", "nature.com/articles/how-to" },
	{ "https://www.nature.com/nature/volumes/629", "nature.com/nature/volumes/629" },
	{ "https://dl.acm.org/doi/proceedings", "dl.acm.org/doi/proceedings" },
	{ "https://www.youtube.com/@someone", "youtube.com/@someone" },
	{ "https://www.youtube.com/embed/videoseries?list=PL1", NULL },
	{ "https://old.reddit.com/r/science/", "reddit.com/r/science" },
	{ "https://www.reddit.com/r/science/s/AbCdEf", "reddit.com/r/science/s/AbCdEf" },
	{ "https://i.redd.it/abc.jpg", "i.redd.it/abc.jpg" },
	{ "https://github.com/Owner", "github.com/Owner" },
	{ "https://github.com/Owner/Name/issues/7", "github.com/owner/name/issues/7" },
	{ "https://github.com/topics/compiler", "github.com/topics/compiler" },
	{ "https://github.com/orgs/Owner/people", "github.com/orgs/Owner/people" },
	{ "https://github.com/Owner/Name/blob/main/A.md", "github.com/owner/name/blob/main/A.md" },
	{ "https://amp.example.org/a/b?amp=1&id=3", "example.org/a/b?id=3" },
	{ "https://example.org/a?amp", "example.org/a" },
	{ "https://www.google.com/amp/s/www.example.org/a/b", "example.org/a/b" },
	{ "https://www-example-org.cdn.ampproject.org/c/s/www.example.org/a", "example.org/a" },
	{ "http://openreview:8080/forum", "openreview:8080/forum" },
	{ "https://example.org/10.1000/abc", "example.org/10.1000/abc" },
	{ "https://spa.example.org/#!/a", "spa.example.org/#!/a" },
	{ "urn:doi:10.1000/abc", NULL },
	{ "", NULL },
};

static void
each_form_of_a_work_is_its_id(void **state)
{
	char url[512];
	size_t n;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < COUNT(works); i++)
		for (const char *s = works[i].forms; *s != '\0'; s += n + (s[n] == ' ')) {
			n = strcspn(s, " ");
			snprintf(url, sizeof(url), "%.*s", (int)n, s);
			buf_clear(&b);
			if (work_key(&b, url) != 1 || strcmp(b.data, works[i].id) != 0)
				fail_msg("%s: %s", url, b.len > 0 ? b.data : "nothing");
		}
	buf_free(&b);
}

static void
other_pages_keep_a_key_of_their_own(void **state)
{
	struct buf b;
	int is;

	(void)state;
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < COUNT(pages); i++) {
		buf_clear(&b);
		is = work_key(&b, pages[i].url);
		if (is != (pages[i].key != NULL ? 0 : -1) ||
		    (is == 0 && strcmp(b.data, pages[i].key) != 0))
			fail_msg("%s: %d, %s", pages[i].url, is, b.len > 0 ? b.data : "nothing");
	}
	buf_free(&b);
}

static void
keys_are_those_of_the_shared_list(void **state)
{
	const char *tree = getenv("SRCDIR"), *want;
	char path[4096], line[16384];
	struct buf b;
	json_t *json;
	FILE *f;
	int n = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/../shared/vectors/canonical-url.jsonl",
	    tree != NULL ? tree : ".");
	if ((f = fopen(path, "r")) == NULL) {
		print_message("no shared list of addresses at %s\n", path);
		skip();
	}
	buf_init(&b, 10000);
	for (; fgets(line, sizeof(line), f) != NULL; n++) {
		assert_non_null(json = json_loads(line, 0, NULL));
		want = json_string_value(json_object_get(json, "canonical"));
		buf_clear(&b);
		assert_int_not_equal(work_key(&b, json_string_value(json_object_get(json, "url"))),
		    -1);
		assert_string_equal(b.data, want);
		json_decref(json);
	}
	assert_true(n > 0);
	fclose(f);
	buf_free(&b);
}

static void
set(struct cr_record *r, int field, const char *text)
{
	assert_int_equal(record_set(r, field, text, strlen(text)), 0);
}

static void
ids_come_from_link_guid_and_named_extras(void **state)
{
	struct cr_record *r = record_new();
	struct work_ids ids;

	(void)state;
	work_ids(&ids, r);
	assert_int_equal(ids.n, 0);
	set(r, CR_LINK, "https://arxiv.org/abs/2401.09153v2");
	set(r, CR_GUID, "oai:arXiv.org:2401.09153v2");
	record_set_extra(r, "prism:doi", "10.1145/3442188.3445922");
	record_set_extra(r, "work", "https://openreview.net/forum?id=Xy5977 https://a.example/");
	record_set_extra(r, "code", "https://github.com/owner/name");
	record_set_extra(r, "youtube", "dQw4w9WgXcQ");
	work_ids(&ids, r);
	assert_int_equal(ids.n, 4);
	assert_string_equal(ids.id[0], "arxiv:2401.09153");
	assert_string_equal(ids.id[1], "doi:10.1145/3442188.3445922");
	assert_string_equal(ids.id[2], "openreview:Xy5977");
	assert_string_equal(ids.id[3], "youtube:dQw4w9WgXcQ");
	record_free(r);
}

static void
a_guid_is_an_id_in_its_known_forms_alone(void **state)
{
	static const char *const forms[][2] = {
		{ "doi:10.1000/ABC.", "doi:10.1000/abc" },
		{ "info:doi/10.1000/abc", "doi:10.1000/abc" },
		{ "urn:doi:10.1000/abc", "doi:10.1000/abc" },
		{ "https://dx.doi.org/10.48550/arXiv.2401.09153", "arxiv:2401.09153" },
		{ "http://arxiv.org/abs/math.GT/0309136v1", "arxiv:math/0309136" },
		{ "yt:video:dQw4w9WgXcQ", "youtube:dQw4w9WgXcQ" },
		{ "10.1000/abc", NULL }, { "2401.09153", NULL }, { "yt:video:x", NULL },
		{ "doi:10.1/", NULL }, { "doi:11.1000/abc", NULL }, { "arxiv:2401.9", NULL },
		{ "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a", NULL },
		{ "https://github.com/owner/name", NULL },
	};
	struct cr_record *r = record_new();
	struct work_ids ids;

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		set(r, CR_GUID, forms[i][0]);
		work_ids(&ids, r);
		if (ids.n != (forms[i][1] != NULL) ||
		    (ids.n == 1 && strcmp(ids.id[0], forms[i][1]) != 0))
			fail_msg("%s: %s", forms[i][0], ids.n > 0 ? ids.id[0] : "nothing");
	}
	record_free(r);
}

static void
two_ids_of_one_scheme_are_two_works(void **state)
{
	const struct work_ids a = { 2, { "arxiv:2401.00001", "github:o/n" } };
	const struct work_ids b = { 2, { "arxiv:2401.00002", "github:o/n" } };
	const struct work_ids c = { 2, { "doi:10.1000/a", "arxiv:2401.00001" } };
	const struct work_ids d = { 1, { "github:o/m" } };
	const struct work_ids e = { 2, { "doi:10.1000/b", "openreview:Xy5977" } };

	(void)state;
	assert_string_equal(work_ids_clash(&a, &b), "arxiv");
	assert_string_equal(work_ids_clash(&b, &a), "arxiv");
	assert_null(work_ids_clash(&a, &c));
	assert_null(work_ids_clash(&a, &d));
	assert_string_equal(work_ids_clash(&c, &e), "doi");
	assert_null(work_ids_clash(&a, &e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_of_a_work_is_its_id),
		cmocka_unit_test(other_pages_keep_a_key_of_their_own),
		cmocka_unit_test(keys_are_those_of_the_shared_list),
		cmocka_unit_test(ids_come_from_link_guid_and_named_extras),
		cmocka_unit_test(a_guid_is_an_id_in_its_known_forms_alone),
		cmocka_unit_test(two_ids_of_one_scheme_are_two_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
