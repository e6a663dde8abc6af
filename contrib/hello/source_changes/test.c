/* What source_changes makes of a changelog, without the daemon. */
#include <courant/fakehost.h>

#undef NDEBUG
#include <assert.h>

static const char url[] = "https://example.org/CHANGELOG.md";
static const char changelog[] = "# Changelog\n\n## Unreleased\n- soon\n\n"
    "## 1.1.0 - 2024-11-21\n- a & b\n\n## 1.0.0 - 2024-10-01\n";

int
main(void)
{
	struct cr_fake *f = cr_fake_new(&cr_plugin_v1, NULL);
	const struct cr_record *first;

	assert(cr_fake_parse(f, url, "Content-Type: text/markdown", changelog) == 0);
	assert(f->nrecords == 2 && f->refused == 0);
	first = f->records[0];
	assert(strcmp(cr_fake_get(first, CR_TITLE, 0), "1.1.0 - 2024-11-21") == 0);
	assert(strcmp(cr_fake_get(first, CR_PUBLISHED, 0), "2024-11-21T00:00:00Z") == 0);
	assert(strcmp(cr_fake_get(first, CR_LINK, 0), url) == 0);
	assert(strstr(cr_fake_get(first, CR_SUMMARY, 0), "- a &amp; b") != NULL);

	assert(cr_fake_parse(f, url, NULL, "no changelog") == -1);
	assert(f->failed == CR_BAD_DATA && f->nrecords == 0);
	cr_fake_free(f);

	f = cr_fake_new(&cr_plugin_v1, "unreleased=yes\n");
	assert(cr_fake_parse(f, url, NULL, changelog) == 0 && f->nrecords == 3);
	assert(cr_fake_get(f->records[0], CR_PUBLISHED, 0) == NULL);
	cr_fake_free(f);
	return 0;
}
