/* What filter_brief keeps and drops, and why, without the daemon. */
#include <courant/fakehost.h>

#undef NDEBUG
#include <assert.h>

int
main(void)
{
	struct cr_fake *f = cr_fake_new(&cr_plugin_v1, "words=4\n");
	struct cr_record *rec = cr_fake_record(f, "a");

	cr_fake_set(rec, CR_TITLE, "Words of the title do not count");
	assert(cr_fake_filter(f, rec) == CR_DROP);
	assert(strcmp(f->why, "0 words") == 0);

	cr_fake_set(rec, CR_SUMMARY, "<p class=\"x\">One,\n<b>two</b> three</p>");
	assert(cr_fake_filter(f, rec) == CR_DROP);
	assert(strcmp(f->why, "3 words") == 0);

	cr_fake_set(rec, CR_CONTENT, "<p>one two<br>three four</p>");
	assert(cr_fake_filter(f, rec) == CR_KEEP);
	cr_fake_free(f);

	f = cr_fake_new(&cr_plugin_v1, "words=0\n");
	assert(cr_fake_open(f) == -1 && strstr(f->error, "words") != NULL);
	cr_fake_free(f);
	return 0;
}
