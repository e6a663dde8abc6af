/* The sinks that come with Courant, as they ship (loaded from the build), with a host made here:
 * what they write, that it is well-formed, what is left after a crash, a full disk, a rotation. */
#include "sink_case.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- what the disk knows: in place of libc's, for the sinks too ---- */

static struct {
	struct { ino_t ino; off_t size; } synced[32];	/* the files synced last, as long as they were */
	unsigned nsynced;
	int	renamed, unsynced;	/* files renamed, and of these: before all of them was synced */
	int	owed;			/* names that are not on disk: their folder was not synced */
	int	fail;			/* the next folder is not synced: EIO */
} disk;

int
fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EIO;
		if (disk.fail-- > 0)
			return -1;
		disk.fail = disk.owed = 0;
	} else {
		disk.synced[disk.nsynced % 32].ino = st.st_ino;
		disk.synced[disk.nsynced++ % 32].size = st.st_size;
	}
	return (int)syscall(SYS_fsync, fd);
}

static int
is_synced(const char *path)
{
	struct stat st;

	for (unsigned i = 0; stat(path, &st) == 0 && i < 32 && i < disk.nsynced; i++)
		if (st.st_ino == disk.synced[i].ino && st.st_size == disk.synced[i].size)
			return 1;
	return 0;
}

int
rename(const char *from, const char *to)
{
	disk.renamed++;
	disk.owed++;
	disk.unsynced += !is_synced(from);
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* ---- files ---- */

static void
append_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Every line is an object; how many. */
static size_t
count_lines(const char *name)
{
	char *text = read_file(name, NULL), *line, *save = NULL;
	size_t n = 0;
	json_t *doc;

	if (text[0] != '\0')
		assert_int_equal(text[strlen(text) - 1], '\n');
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		doc = json_loads(line, 0, NULL);
		assert_true(json_is_object(doc));
		json_decref(doc);
		n++;
	}
	free(text);
	return n;
}

/* ---- jsonl ---- */

static void
lines_are_the_records_in_order(void **state)
{
	struct sink s;
	char *text, *want;

	(void)state;
	sink_open(&s, "sink_jsonl.so", "path", "sub/folder/all.jsonl", NULL);
	assert_int_equal(deliver(&s, 0, 3, ""), 3);
	assert_int_equal(deliver(&s, 3, 1, ""), 1);
	assert_int_equal(deliver(&s, 4, 0, ""), 0);
	text = read_file("sub/folder/all.jsonl", NULL);
	want = xasprintf("%s\n", host_json(records[0]));
	assert_memory_equal(text, want, strlen(want));
	assert_int_equal(count_lines("sub/folder/all.jsonl"), 4);
	free(text);
	free(want);
	sink_close(&s);
}

static void
a_torn_line_is_cut_before_appending(void **state)
{
	static const char *const torn[] = { "{\"id\":\"x\",\"tit", "{", "\x01" };
	struct sink s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(torn) / sizeof(torn[0]); i++) {
		sink_open(&s, "sink_jsonl.so", "path", "t.jsonl", NULL);
		assert_int_equal(deliver(&s, 2 * i, 1, ""), 1);
		sink_close(&s);
		append_file("t.jsonl", torn[i]);
		sink_open(&s, "sink_jsonl.so", "path", "t.jsonl", NULL);
		assert_int_equal(deliver(&s, 2 * i + 1, 1, ""), 1);
		assert_int_equal(host.logged, 1);
		sink_close(&s);
		assert_int_equal(count_lines("t.jsonl"), 2 * i + 2);
	}
	/* the first line of all, torn */
	append_file("first.jsonl", "{\"id\":");
	sink_open(&s, "sink_jsonl.so", "path", "first.jsonl", NULL);
	assert_int_equal(deliver(&s, 0, 1, ""), 1);
	sink_close(&s);
	assert_int_equal(count_lines("first.jsonl"), 1);
}

static void
a_long_torn_line_is_cut_across_blocks(void **state)
{
	char *long_line = xmalloc(300001);
	struct sink s;

	(void)state;
	memset(long_line, 'x', 300000);
	long_line[0] = '{';
	long_line[300000] = '\0';
	sink_open(&s, "sink_jsonl.so", "path", "l.jsonl", NULL);
	assert_int_equal(deliver(&s, 0, 5, ""), 5);
	append_file("l.jsonl", long_line);	/* while it is open, as another program might */
	assert_int_equal(deliver(&s, 5, 1, ""), 1);
	sink_close(&s);
	assert_int_equal(count_lines("l.jsonl"), 6);
	free(long_line);
}

static void
a_batch_that_a_killed_process_wrote_is_not_written_twice(void **state)
{
	size_t whole, cut;
	struct sink s;
	char *text;

	(void)state;
	sink_open(&s, "sink_jsonl.so", "path", "r.jsonl", NULL);
	assert_int_equal(deliver(&s, 0, 10, ""), 10);
	assert_int_equal(deliver(&s, 10, 10, ""), 10);
	sink_close(&s);
	text = read_file("r.jsonl", &whole);
	/* killed at any byte of the second batch, or after it: it is handed out again, and more */
	for (cut = whole; cut > whole / 2; cut -= 97) {
		assert_int_equal(truncate("r.jsonl", (off_t)cut), 0);
		sink_open(&s, "sink_jsonl.so", "path", "r.jsonl", NULL);
		assert_int_equal(deliver(&s, 10, 15, ""), 15);
		sink_close(&s);
		assert_int_equal(count_lines("r.jsonl"), 25);
	}
	/* but one that is delivered again in the same life is */
	sink_open(&s, "sink_jsonl.so", "path", "again.jsonl", NULL);
	assert_int_equal(deliver(&s, 0, 2, ""), 2);
	assert_int_equal(deliver(&s, 0, 2, ""), 2);
	sink_close(&s);
	assert_int_equal(count_lines("again.jsonl"), 4);
	free(text);
}

/* What remains when a child is killed in the middle of appending is whole but for its last line. */
static void
a_kill_at_any_moment_loses_and_repeats_nothing(void **state)
{
	struct sink s;
	size_t done, i;
	int round, pipefd[2], status;
	pid_t pid;
	char c;

	(void)state;
	done = 0;
	for (round = 0; round < 30 && done < 3000; round++) {
		assert_int_equal(pipe(pipefd), 0);
		if ((pid = fork()) == 0) {
			sink_open(&s, "sink_jsonl.so", "path", "k.jsonl", NULL);
			/* the same record never follows itself: places tell batches apart */
			for (i = done; deliver(&s, i % RECORDS, 1, "") == 1; i++)
				if (write(pipefd[1], "", 1) != 1)
					break;
			_exit(1);
		}
		close(pipefd[1]);
		usleep((useconds_t)(3000 + round * 531));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		while (read(pipefd[0], &c, 1) == 1)
			done++;		/* acknowledged */
		close(pipefd[0]);
	}
	sink_open(&s, "sink_jsonl.so", "path", "k.jsonl", NULL);
	assert_int_equal(deliver(&s, done % RECORDS, 1, ""), 1);
	sink_close(&s);
	assert_true(done > 30);
	assert_int_equal(count_lines("k.jsonl"), done + 1);
}

static void
a_full_disk_is_a_retry_and_leaves_whole_lines(void **state)
{
	struct rlimit old, small;
	struct sink s;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	sink_open(&s, "sink_jsonl.so", "path", "f.jsonl", NULL);
	assert_int_equal(deliver(&s, 0, 2, ""), 2);
	small = (struct rlimit){ .rlim_cur = 2000, .rlim_max = old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(deliver(&s, 2, 30, ""), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(host.retried, 1);
	assert_non_null(strstr(host.why, "f.jsonl: "));
	assert_int_equal(count_lines("f.jsonl"), 2);
	assert_int_equal(deliver(&s, 2, 30, ""), 30);
	assert_int_equal(count_lines("f.jsonl"), 32);
	sink_close(&s);
}

/* The file holds n records from the one at `first` on. */
static void
holds(const char *name, size_t first, size_t n)
{
	char *text = read_file(name, NULL);

	assert_int_equal(count_lines(name), n);
	assert_memory_equal(text, host_json(records[first]), strlen(host_json(records[first])));
	free(text);
}

static void
a_gap_in_the_rotated_files_is_filled_and_none_is_overwritten(void **state)
{
	struct sink s;
	size_t i;

	(void)state;
	append_file("g.jsonl.1", "{\"was\":1}\n");
	append_file("g.jsonl.2", "{\"was\":2}\n");
	append_file("g.jsonl.4", "{\"was\":4}\n{}\n");
	sink_open(&s, "sink_jsonl.so", "path", "g.jsonl", "rotate_size", "1 kB", NULL);
	for (i = 0; i < 9; i++)
		assert_int_equal(deliver(&s, i, 1, ""), 1);
	sink_close(&s);
	holds("g.jsonl", 8, 1);
	holds("g.jsonl.1", 4, 4);
	holds("g.jsonl.2", 0, 4);
	assert_int_equal(count_lines("g.jsonl.3"), 1);
	assert_int_equal(count_lines("g.jsonl.4"), 1);
	assert_int_equal(count_lines("g.jsonl.5"), 2);
	assert_int_equal(access("g.jsonl.6", F_OK), -1);
}

static void
a_new_file_begins_by_size_and_the_oldest_go(void **state)
{
	struct sink s;
	size_t i;

	(void)state;
	sink_open(&s, "sink_jsonl.so", "path", "n.jsonl", "rotate_size", "1 kB", "kept", "3", NULL);
	append_file("n.jsonl.old", "not ours\n");
	append_file("n.jsonl.01", "not ours\n");
	for (i = 0; i < 20; i++)
		assert_int_equal(deliver(&s, i, 1, ""), 1);
	sink_close(&s);
	/* about 210 bytes a line, four a file: in the order of logrotate(8) */
	holds("n.jsonl", 16, 4);
	holds("n.jsonl.1", 12, 4);
	holds("n.jsonl.2", 8, 4);
	holds("n.jsonl.3", 4, 4);
	assert_int_equal(access("n.jsonl.4", F_OK), -1);
	assert_int_equal(access("n.jsonl.old", F_OK), 0);
	assert_int_equal(access("n.jsonl.01", F_OK), 0);
}

static void
more_rotated_files_than_are_looked_at_all_stay(void **state)
{
	enum { FILES = 20001 };
	struct sink s;
	char name[32];
	int i;

	(void)state;
	for (i = FILES; i > 0; i--) {
		snprintf(name, sizeof(name), "m/m.jsonl.%d", i);
		if (i == FILES)
			mkdir("m", 0755);
		append_file(name, i == 1 ? "{}\n{}\n" : "{}\n");
	}
	sink_open(&s, "sink_jsonl.so", "path", "m/m.jsonl", "rotate_size", "1 kB", NULL);
	for (i = 0; i < 5; i++)
		assert_int_equal(deliver(&s, (size_t)i, 1, ""), 1);
	sink_close(&s);
	assert_int_equal(count_lines("m/m.jsonl.1"), 4);
	for (i = FILES + 1; i > 0; i--) {
		snprintf(name, sizeof(name), "m/m.jsonl.%d", i);
		if (i > 1)
			assert_int_equal(count_lines(name), i == 2 ? 2 : 1);
		unlink(name);
	}
}

static void
a_new_file_begins_each_day_and_overwrites_none(void **state)
{
	const struct timespec yesterday[2] = { { DAY / 1000 - 3600, 0 }, { DAY / 1000 - 3600, 0 } };
	struct sink s;

	(void)state;
	sink_open(&s, "sink_jsonl.so", "path", "d/d.jsonl", "rotate_daily", "yes", NULL);
	assert_int_equal(deliver(&s, 0, 2, ""), 2);
	host.now += 23 * 3600000;
	assert_int_equal(deliver(&s, 2, 1, ""), 1);
	host.now += 2 * 3600000;
	assert_int_equal(deliver(&s, 3, 1, ""), 1);
	assert_int_equal(count_lines("d/d.jsonl.2026-11-21"), 3);
	assert_int_equal(count_lines("d/d.jsonl"), 1);
	sink_close(&s);
	/* after a restart the file's own time says its day; the name is taken already */
	assert_int_equal(utimensat(AT_FDCWD, "d/d.jsonl", yesterday, 0), 0);
	append_file("d/d.jsonl.2026-11-20", "{}\n");
	sink_open(&s, "sink_jsonl.so", "path", "d/d.jsonl", "rotate_daily", "yes", NULL);
	assert_int_equal(deliver(&s, 4, 1, ""), 1);
	sink_close(&s);
	assert_int_equal(count_lines("d/d.jsonl.2026-11-20.1"), 1);
	assert_int_equal(count_lines("d/d.jsonl.2026-11-20"), 1);
	assert_int_equal(count_lines("d/d.jsonl"), 1);
}

static void
what_is_no_json_lines_file_is_left_alone(void **state)
{
	struct sink s;
	char *text;

	(void)state;
	append_file("note.txt", "a note without an end");
	assert_int_equal(mkdir("folder", 0755), 0);
	assert_int_equal(mkfifo("fifo", 0644), 0);
	assert_int_equal(symlink("note.txt", "link"), 0);
	static const char *const paths[] = { "note.txt", "folder", "fifo", "link", "note.txt/x" };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		sink_open(&s, "sink_jsonl.so", "path", paths[i], NULL);
		assert_int_equal(deliver(&s, 0, 1, ""), 0);
		assert_int_equal(host.retried, 1);
		sink_close(&s);
	}
	text = read_file("note.txt", NULL);
	assert_string_equal(text, "a note without an end");
	free(text);
}

static void
a_file_that_was_moved_away_is_begun_anew(void **state)
{
	struct sink s;

	(void)state;
	sink_open(&s, "sink_jsonl.so", "path", "m.jsonl", NULL);
	assert_int_equal(deliver(&s, 0, 2, ""), 2);
	assert_int_equal(rename("m.jsonl", "moved"), 0);
	assert_int_equal(deliver(&s, 2, 1, ""), 1);
	sink_close(&s);
	assert_int_equal(count_lines("moved"), 2);
	assert_int_equal(count_lines("m.jsonl"), 1);
}

static void
paths_outside_the_folder_are_refused(void **state)
{
	static const char *const bad[] = { "/etc/x", "../x", "a/../x", "a//b", "a/", ".hidden",
		"a/.b", ".", "..", "a\nb", "a\x7f", "a/\tb" };
	char name[600];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (checked("sink_jsonl.so", "rotate_daily", "no", bad[i]) != -1 ||
		    checked("sink_feed.so", "keep", "5", bad[i]) != -1)
			fail_msg("%s", bad[i]);
		assert_int_equal(host.failed, CR_BAD_OPTION);
		assert_memory_equal(host.why, "path", 4);
	}
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_int_equal(checked("sink_jsonl.so", "kept", "0", name), -1);
	name[220] = '\0';
	assert_int_equal(checked("sink_jsonl.so", "kept", "0", name), 0);
	assert_int_equal(checked("sink_feed.so", "keep", "5", name), 0);
	name[220] = 'n';
	name[250] = '\0';
	assert_int_equal(checked("sink_feed.so", "keep", "5", name), -1);
	assert_int_equal(checked("sink_feed.so", "formats", "rss", "sub/a name"), 0);
}

/* ---- feed ---- */

/* A record that has everything. */
static struct cr_record *
full_record(void)
{
	static const char html[] = "<p>A &amp; B &lt;i&gt; <b>bold</b> ]]></p>\r\n<br>";
	static const char summary[] = "<p>The   <i>summary</i>&nbsp;&#233;&hellip;</p>";
	struct cr_record *rec = record_new();

	record_set(rec, CR_ID, "zzzzzzzzzzzzzzzzzzzzzzzzz2", 26);
	record_set(rec, CR_SOURCE, "src", 3);
	record_set(rec, CR_LINK, "https://example.org/full?a=1&b=2", 32);
	record_set(rec, CR_SUMMARY, summary, strlen(summary));
	record_set(rec, CR_CONTENT, html, strlen(html));
	record_set(rec, CR_LANGUAGE, "pt-BR", 5);
	record_set(rec, CR_IMAGE, "https://example.org/i.png?a&b", 29);
	record_set(rec, CR_COMMENTS, "https://example.org/c", 21);
	record_set(rec, CR_RIGHTS, "(c) <us>", 8);
	record_set(rec, CR_CATEGORY, "one & two", 9);
	record_set(rec, CR_CATEGORY, "three", 5);
	record_set_time(rec, CR_PUBLISHED, DAY - 86400000);
	record_set_time(rec, CR_UPDATED, DAY - 1000);
	record_add_author(rec, CR_AUTHOR, "Ada \"L\" <&>", "ada@example.org",
	    "https://a.example/?x&y");
	record_add_author(rec, CR_AUTHOR, NULL, "only@example.org", NULL);
	record_add_author(rec, CR_CONTRIBUTOR, "Bob\x01" "abc\tB", NULL, NULL);
	record_add_enclosure(rec, "https://example.org/e.mp3?a&b", "audio/mpeg", 1234);
	record_add_enclosure(rec, "https://example.org/f", NULL, -1);
	return rec;
}

static void
deliver_full(const char *self)
{
	const struct cr_record *items[3];
	struct cr_record *full = full_record(), *bare = record_new();
	struct cr_batch batch = { .size = sizeof(batch), .kind = CR_BATCH_LIST, .route = "r",
		.id = "d", .title = "T & <t>", .self = self, .items = items, .n = 3 };
	struct sink s;

	record_set(bare, CR_ID, "bbbbbbbbbbbbbbbbbbbbbbbbb2", 26);
	record_set(bare, CR_SOURCE, "src", 3);
	items[0] = full;
	items[1] = bare;
	items[2] = records[0];
	sink_open(&s, "sink_feed.so", "path", "f/full", "link", "https://home.example/?a&b",
	    "description", "About <it>", NULL);
	host.retried = 0;
	assert_int_equal(s.plugin->deliver(&host.cr, s.opts, &batch), 3);
	sink_close(&s);
	record_free(full);
	record_free(bare);
}

static void
rss_says_all_that_a_record_has(void **state)
{
	xmlDocPtr doc;

	(void)state;
	deliver_full("https://out.example/f/full.rss");
	doc = parse_xml("f/full.rss");
	SAME(doc, "/rss/@version", "2.0");
	SAME(doc, "/rss/channel/title", "T & <t>");
	SAME(doc, "/rss/channel/link", "https://home.example/?a&b");
	SAME(doc, "/rss/channel/description", "About <it>");
	SAME(doc, "/rss/channel/a:link[@rel='self']/@href", "https://out.example/f/full.rss");
	SAME(doc, "/rss/channel/lastBuildDate", "Sat, 21 Nov 2026 01:00:00 +0000");
	SAME(doc, "count(//item)", "3");
	SAME(doc, "//item[1]/guid", "zzzzzzzzzzzzzzzzzzzzzzzzz2");
	SAME(doc, "//item[1]/guid/@isPermaLink", "false");
	SAME(doc, "//item[1]/title", "The summary \xc3\xa9&hellip;");
	SAME(doc, "//item[1]/link", "https://example.org/full?a=1&b=2");
	SAME(doc, "//item[1]/pubDate", "Fri, 20 Nov 2026 00:00:00 +0000");
	SAME(doc, "//item[1]/content:encoded",
	    "<p>A &amp; B &lt;i&gt; <b>bold</b> ]]></p>\r\n<br>");
	SAME(doc, "//item[1]/description", "<p>The   <i>summary</i>&nbsp;&#233;&hellip;</p>");
	SAME(doc, "//item[1]/dc:creator", "Ada \"L\" <&>, only@example.org");
	SAME(doc, "count(//item[1]/dc:creator)", "1");
	SAME(doc, "//item[1]/category[1]", "one & two");
	SAME(doc, "//item[1]/enclosure[1]/@url", "https://example.org/e.mp3?a&b");
	SAME(doc, "//item[1]/enclosure[1]/@length", "1234");
	SAME(doc, "//item[1]/enclosure[1]/@type", "audio/mpeg");
	SAME(doc, "count(//item[1]/enclosure)", "1");
	SAME(doc, "//item[1]/media:content/@url", "https://example.org/f");
	SAME(doc, "//item[1]/media:content/@type", "application/octet-stream");
	SAME(doc, "//item[1]/media:thumbnail/@url", "https://example.org/i.png?a&b");
	SAME(doc, "//item[2]/title", "bbbbbbbbbbbbbbbbbbbbbbbbb2");
	SAME(doc, "//item[2]/description", "");
	SAME(doc, "//item[2]/pubDate", "Sat, 21 Nov 2026 01:00:00 +0000");	/* first seen */
	SAME(doc, "//item[3]/link", "https://example.org/?a=0&b=%3C%22'%3E");
	SAME(doc, "count(//item[description])", "3");
	xmlFreeDoc(doc);
}

static void
atom_has_what_rfc_4287_demands(void **state)
{
	xmlDocPtr doc;

	(void)state;
	deliver_full("https://out.example/");
	doc = parse_xml("f/full.atom");
	SAME(doc, "/a:feed/a:id", "urn:courant:feed:f%2Ffull");
	SAME(doc, "/a:feed/a:link[@rel='alternate']/@href", "https://home.example/?a&b");
	SAME(doc, "/a:feed/a:link[@rel='self']/@href", "https://out.example/f/full.atom");
	SAME(doc, "/a:feed/a:title", "T & <t>");
	SAME(doc, "/a:feed/a:updated", "2026-11-21T01:00:00Z");
	SAME(doc, "count(//a:entry)", "3");
	SAME(doc, "count(//a:entry[a:id and a:title and a:updated and a:author/a:name])", "3");
	SAME(doc, "count(//a:entry[a:link[@rel='alternate'] or a:content])", "3");
	SAME(doc, "//a:entry[1]/a:id", "urn:courant:zzzzzzzzzzzzzzzzzzzzzzzzz2");
	SAME(doc, "//a:entry[1]/@xml:lang", "pt-BR");
	SAME(doc, "//a:entry[1]/a:updated", "2026-11-20T23:59:59Z");
	SAME(doc, "//a:entry[1]/a:published", "2026-11-20T00:00:00Z");
	SAME(doc, "//a:entry[1]/a:author[1]/a:name", "Ada \"L\" <&>");
	SAME(doc, "//a:entry[1]/a:author[1]/a:email", "ada@example.org");
	SAME(doc, "//a:entry[1]/a:author[1]/a:uri", "https://a.example/?x&y");
	SAME(doc, "//a:entry[1]/a:author[2]/a:name", "only@example.org");
	SAME(doc, "//a:entry[1]/a:contributor/a:name", "Bobabc\tB");
	SAME(doc, "//a:entry[1]/a:link[@rel='enclosure'][1]/@length", "1234");
	SAME(doc, "count(//a:entry[1]/a:link[@rel='enclosure'][2]/@length)", "0");
	SAME(doc, "//a:entry[1]/a:link[@rel='replies']/@href", "https://example.org/c");
	SAME(doc, "//a:entry[1]/a:rights", "(c) <us>");
	SAME(doc, "//a:entry[1]/a:content/@type", "html");
	SAME(doc, "//a:entry[2]/a:author/a:name", "src");
	SAME(doc, "//a:entry[2]/a:content", "bbbbbbbbbbbbbbbbbbbbbbbbb2");
	SAME(doc, "count(//a:content[not(string())] | //a:summary[not(string())])", "0");
	SAME(doc, "count(//a:entry[a:source/a:id and a:source/a:title])", "3");
	SAME(doc, "//a:entry[1]/a:source/a:id", "urn:courant:source:src");
	xmlFreeDoc(doc);
}

static void
json_feed_is_one(void **state)
{
	json_t *doc, *item, *it;

	(void)state;
	deliver_full("https://out.example/f/full");
	doc = json_load_file("f/full.json", JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	assert_string_equal(text_of(doc, "version"), "https://jsonfeed.org/version/1.1");
	assert_string_equal(text_of(doc, "feed_url"), "https://out.example/f/full.json");
	assert_string_equal(text_of(doc, "home_page_url"), "https://home.example/?a&b");
	assert_int_equal(json_array_size(json_object_get(doc, "items")), 3);
	item = json_array_get(json_object_get(doc, "items"), 0);
	assert_string_equal(text_of(item, "id"), "zzzzzzzzzzzzzzzzzzzzzzzzz2");
	assert_string_equal(text_of(item, "summary"), "The summary \xc3\xa9&hellip;");
	assert_string_equal(text_of(item, "date_modified"), "2026-11-20T23:59:59Z");
	assert_string_equal(text_of(item, "language"), "pt-BR");
	it = json_array_get(json_object_get(item, "authors"), 0);
	assert_string_equal(text_of(it, "name"), "Ada \"L\" <&>");
	assert_string_equal(text_of(it, "url"), "https://a.example/?x&y");
	assert_string_equal(text_of(json_array_get(json_object_get(item, "authors"), 1), "name"),
	    "only@example.org");
	it = json_array_get(json_object_get(item, "attachments"), 0);
	assert_string_equal(text_of(it, "mime_type"), "audio/mpeg");
	assert_int_equal(json_integer_value(json_object_get(it, "size_in_bytes")), 1234);
	it = json_array_get(json_object_get(item, "attachments"), 1);
	assert_string_equal(text_of(it, "mime_type"), "application/octet-stream");
	assert_string_equal(text_of(it, "url"), "https://example.org/f");
	assert_int_equal(json_array_size(json_object_get(item, "tags")), 2);
	item = json_array_get(json_object_get(doc, "items"), 1);
	assert_non_null(json_object_get(item, "content_text"));
	assert_null(json_object_get(item, "authors"));
	json_decref(doc);
}

static void
without_an_address_the_feeds_are_still_whole(void **state)
{
	struct sink s;
	xmlDocPtr doc;

	(void)state;
	sink_open(&s, "sink_feed.so", "path", "p q/x", "title", "Mine", NULL);
	assert_int_equal(deliver(&s, 0, RECORDS, ""), RECORDS);
	doc = parse_xml("p q/x.rss");
	SAME(doc, "/rss/channel/title", "Mine");
	SAME(doc, "/rss/channel/link", "https://example.org/?a=0&b=%3C%22'%3E");
	SAME(doc, "count(/rss/channel/a:link)", "0");
	SAME(doc, "count(//item)", "40");
	SAME(doc, "//item[1]/title",
	    "Number 0: <b> & \"q\" 'a' ]]> \xc3\xa9\xf0\x9f\x8c\x8a");
	xmlFreeDoc(doc);
	assert_int_equal(deliver(&s, 0, 0, ""), 0);	/* an empty list is one too */
	assert_int_equal(host.retried, 0);
	doc = parse_xml("p q/x.atom");
	SAME(doc, "count(//a:entry)", "0");
	SAME(doc, "/a:feed/a:id", "urn:courant:feed:p%20q%2Fx");
	xmlFreeDoc(doc);
	doc = parse_xml("p q/x.rss");
	SAME(doc, "/rss/channel/link", "urn:courant:feed:p%20q%2Fx");
	xmlFreeDoc(doc);
	sink_close(&s);
}

static void
only_what_changed_is_written_and_only_the_formats_wanted(void **state)
{
	const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct stat before, after;
	struct sink s;

	(void)state;
	sink_open(&s, "sink_feed.so", "path", "c", "formats", "atom", NULL);
	assert_int_equal(deliver(&s, 0, 5, ""), 5);
	assert_int_equal(access("c.rss", F_OK), -1);
	assert_int_equal(access("c.json", F_OK), -1);
	assert_int_equal(utimensat(AT_FDCWD, "c.atom", old, 0), 0);
	assert_int_equal(stat("c.atom", &before), 0);
	host.now += 5000;
	assert_int_equal(deliver(&s, 0, 5, ""), 5);
	assert_int_equal(stat("c.atom", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(deliver(&s, 0, 6, ""), 6);
	assert_int_equal(stat("c.atom", &after), 0);
	assert_int_not_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(access(".c.atom.tmp", F_OK), -1);
	sink_close(&s);
}

static void
a_feed_that_cannot_be_written_leaves_the_old_one(void **state)
{
	struct rlimit old, small;
	size_t len, again;
	struct sink s;
	char *text, *now;

	(void)state;
	sink_open(&s, "sink_feed.so", "path", "o", NULL);
	assert_int_equal(deliver(&s, 0, 2, ""), 2);
	text = read_file("o.rss", &len);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ .rlim_cur = 3000, .rlim_max = old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(deliver(&s, 0, RECORDS, ""), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(host.retried, 1);
	now = read_file("o.rss", &again);
	assert_int_equal(len, again);
	assert_string_equal(text, now);
	assert_int_equal(access(".o.rss.tmp", F_OK), -1);
	assert_int_equal(deliver(&s, 0, RECORDS, ""), RECORDS);
	xmlFreeDoc(parse_xml("o.rss"));
	sink_close(&s);
	free(text);
	free(now);
}

/* After a power cut a file has its name or not, and under its name all that belongs to it. */
static void
a_list_has_its_name_once_it_is_on_disk(void **state)
{
	struct sink s;

	(void)state;
	memset(&disk, 0, sizeof(disk));
	sink_open(&s, "sink_feed.so", "path", "sub/all", NULL);
	assert_int_equal(deliver(&s, 0, 30, ""), 30);
	assert_int_equal(disk.renamed, 3);
	assert_int_equal(disk.unsynced, 0);
	assert_int_equal(disk.owed, 0);
	disk.fail = 1;
	assert_int_equal(deliver(&s, 0, 31, ""), 0);
	assert_int_equal(host.retried, 1);
	assert_int_equal(disk.renamed, 6);
	assert_int_equal(disk.owed, 3);
	assert_int_equal(deliver(&s, 0, 31, ""), 31);	/* the files are as they should be */
	assert_int_equal(disk.renamed, 6);
	assert_int_equal(disk.unsynced, 0);
	assert_int_equal(disk.owed, 0);
	sink_close(&s);
}

static void
a_rotated_file_was_on_disk_before(void **state)
{
	struct sink s;

	(void)state;
	memset(&disk, 0, sizeof(disk));
	sink_open(&s, "sink_jsonl.so", "path", "r.jsonl", "rotate_size", "1 kB", NULL);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(deliver(&s, i, 1, ""), 1);
	sink_close(&s);
	assert_true(disk.renamed > 1);
	assert_int_equal(disk.unsynced, 0);
	assert_int_equal(disk.owed, 0);
}

/* ---- maildir ---- */

/* How many letters the folder has, and the name of one. */
static size_t
count_letters(const char *folder, char name[512])
{
	DIR *dir = opendir(folder);
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.') {
			snprintf(name, 512, "%s/%s", folder, e->d_name);
			n++;
		}
	closedir(dir);
	return n;
}

static void
a_letter_has_its_name_once_it_is_on_disk(void **state)
{
	char name[512];
	struct sink s;

	(void)state;
	sink_open(&s, "sink_maildir.so", "folder", "sub/box", "to", "ada@example.org", NULL);
	memset(&disk, 0, sizeof(disk));
	assert_int_equal(deliver(&s, 0, 3, ""), 3);
	assert_int_equal(disk.renamed, 3);
	assert_int_equal(disk.unsynced, 0);
	assert_int_equal(disk.owed, 0);
	assert_int_equal(count_letters("sub/box/new", name), 3);
	assert_int_equal(count_letters("sub/box/tmp", name), 0);
	assert_int_equal(count_letters("sub/box/cur", name), 0);
	sink_close(&s);
}

static void
a_full_disk_leaves_no_half_letter(void **state)
{
	struct rlimit old, small;
	char name[512];
	struct sink s;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	sink_open(&s, "sink_maildir.so", "folder", "box", "to", "ada@example.org", NULL);
	small = (struct rlimit){ .rlim_cur = 2000, .rlim_max = old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(deliver(&s, 0, 5, ""), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(host.retried, 1);
	assert_non_null(strstr(host.why, "box: "));
	assert_int_equal(count_letters("box/new", name) + count_letters("box/tmp", name), 0);
	assert_int_equal(deliver(&s, 0, 5, ""), 5);
	disk.fail = 1;			/* the folder is not synced: the letter is written again */
	assert_int_equal(deliver(&s, 5, 1, ""), 0);
	assert_int_equal(host.retried, 1);
	assert_int_equal(deliver(&s, 5, 1, ""), 1);
	assert_int_equal(count_letters("box/new", name), 6);
	sink_close(&s);
}

static void
an_edition_is_one_letter_also_when_it_is_handed_out_again(void **state)
{
	const struct cr_section section = { .size = sizeof(section), .title = "", .n = 10 };
	const struct cr_section *const sections[] = { &section };
	const struct cr_batch batch = { .size = sizeof(batch), .kind = CR_BATCH_EDITION, .route = "morning",
		.id = "aaaaaaaaaaaaaaaaaaaaaaaaab", .title = "Papers", .self = "", .name = "2026-11-21",
		.zone = "UTC", .archive = "", .text = "", .from = CR_NO_TIME, .to = CR_NO_TIME, .sealed = DAY,
		.items = (const struct cr_record *const *)records, .n = 10, .sections = sections,
		.nsections = 1 };
	char name[512], *first, *second;
	struct sink s;

	(void)state;
	sink_open(&s, "sink_maildir.so", "folder", "box", "to", "ada@example.org", NULL);
	host.retried = 0;
	assert_int_equal(s.plugin->deliver(&host.cr, s.opts, &batch), 10);
	assert_int_equal(count_letters("box/new", name), 1);
	assert_string_equal(name, "box/new/1795219200.aaaaaaaaaaaaaaaaaaaaaaaaab.courant");
	first = read_file(name, NULL);
	assert_non_null(strstr(first, "\r\nSubject: =?utf-8?q?Papers=2C_2026-11-21=3A_Number_0"));
	assert_int_equal(s.plugin->deliver(&host.cr, s.opts, &batch), 10);
	assert_int_equal(count_letters("box/new", name), 1);
	second = read_file(name, NULL);
	assert_string_equal(first, second);
	free(first);
	free(second);
	sink_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_the_records_in_order),
		TEST(a_torn_line_is_cut_before_appending),
		TEST(a_long_torn_line_is_cut_across_blocks),
		TEST(a_batch_that_a_killed_process_wrote_is_not_written_twice),
		TEST(a_kill_at_any_moment_loses_and_repeats_nothing),
		TEST(a_full_disk_is_a_retry_and_leaves_whole_lines),
		TEST(a_new_file_begins_by_size_and_the_oldest_go),
		TEST(a_gap_in_the_rotated_files_is_filled_and_none_is_overwritten),
		TEST(more_rotated_files_than_are_looked_at_all_stay),
		TEST(a_new_file_begins_each_day_and_overwrites_none),
		TEST(what_is_no_json_lines_file_is_left_alone),
		TEST(a_file_that_was_moved_away_is_begun_anew),
		TEST(paths_outside_the_folder_are_refused),
		TEST(rss_says_all_that_a_record_has),
		TEST(atom_has_what_rfc_4287_demands),
		TEST(json_feed_is_one),
		TEST(without_an_address_the_feeds_are_still_whole),
		TEST(only_what_changed_is_written_and_only_the_formats_wanted),
		TEST(a_feed_that_cannot_be_written_leaves_the_old_one),
		TEST(a_list_has_its_name_once_it_is_on_disk),
		TEST(a_rotated_file_was_on_disk_before),
		TEST(a_letter_has_its_name_once_it_is_on_disk),
		TEST(a_full_disk_leaves_no_half_letter),
		TEST(an_edition_is_one_letter_also_when_it_is_handed_out_again),
	};

	begin();
	return cmocka_run_group_tests(tests, NULL, finish);
}
