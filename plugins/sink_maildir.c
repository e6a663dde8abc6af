/* sink_maildir: an edition, or each record, as a mail in a maildir: no server is needed, any mail program
 * can open the folder. A message that is delivered again replaces itself, also where a mail program has
 * taken it over. */
#include "mail/mail.h"
#include "shared/delivery.h"
#include "shared/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES	192		/* of a message's file, with its NUL */
#define SPARE		(NAME_BYTES + 5)	/* "/tmp/" before it */
#define FILE_BYTES	(FILES_PATH_MAX + SPARE)

struct maildir {
	const char	*folder, *to, *from;
	const char	*subject, *intro;
	int64_t		 summary;
	int		 images;
};

static const struct cr_option options[] = {
	CR_OPTION(struct maildir, folder, STRING, NULL, NULL, "the maildir, below the output folder"),
	CR_OPTION(struct maildir, to, STRING, NULL, NULL, "address of the reader, for the field To"),
	CR_OPTION(struct maildir, from, STRING, "Courant <courant@localhost>", NULL,
	    "sender, for the field From"),
	LETTER_OPTIONS(struct maildir),
	CR_END
};

/* An address, alone or behind a name, without what would end its field. */
static int
is_address(const char *s, int named)
{
	const char *open = named ? strrchr(s, '<') : NULL, *at;
	size_t len;

	s = open != NULL ? open + 1 : s;
	len = open != NULL ? strcspn(s, ">") : strlen(s);
	at = memchr(s, '@', len);
	if (open != NULL && (s[len] != '>' || s[len + 1] != '\0'))
		return 0;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || strchr("<>(),:;\\\"[]", s[i]) != NULL)
			return 0;
	return at != NULL && at > s && at < s + len - 1 && memchr(at + 1, '@', (size_t)(s + len - at - 1)) ==
	    NULL && len <= 254;
}

static int
check(struct cr *cr, const void *opts)
{
	const struct maildir *o = opts;
	const char *why = files_wrong(o->folder, SPARE);
	char said[256];

	if (why != NULL)
		return cr->fail(cr, CR_BAD_OPTION, "folder: %s", why);
	if (!is_address(o->to, 0))
		return cr->fail(cr, CR_BAD_OPTION, "to: \"%s\" is no address such as ada@example.org",
		    o->to);
	if (o->from == NULL || !is_address(o->from, 1))
		return cr->fail(cr, CR_BAD_OPTION, "from: \"%s\" is no sender such as "
		    "Papers <papers@example.org>", o->from != NULL ? o->from : "");
	if (subject_wrong(o->subject, said, sizeof(said)) != NULL)
		return cr->fail(cr, CR_BAD_OPTION, "subject: %s", said);
	return 0;
}

/* ---- the folder ---- */

/* A file of the maildir: "tmp", "new" or "cur", and its name. */
static void
file_name(char out[FILE_BYTES], const struct maildir *o, const char *folder, const char *name)
{
	snprintf(out, FILE_BYTES, "%s/%s/%s", o->folder, folder, name);
}

/* -1 with errno. */
static int
folders_make(const struct maildir *o)
{
	static const char *const folders[] = { "tmp", "new", "cur" };
	char path[FILE_BYTES];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		file_name(path, o, folders[i], "");
		if (files_make_folders(path) == -1)
			return -1;
	}
	return 0;
}

/* Whether a mail program took the message over: it is in cur, under its name and flags. */
static int
is_taken(struct cr *cr, const struct maildir *o, const char *name)
{
	char path[FILE_BYTES];
	size_t len = strlen(name);
	const struct dirent *e;
	int found = 0;
	DIR *dir;

	file_name(path, o, "cur", "");
	if ((dir = opendir(path)) == NULL)
		return 0;
	while (!found && (e = readdir(dir)) != NULL)
		found = strncmp(e->d_name, name, len) == 0 &&
		    (e->d_name[len] == '\0' || e->d_name[len] == ':');
	closedir(dir);
	if (found)
		cr->log(cr, "%s: %s is in cur already", o->folder, name);
	return found;
}

/* Writes the message whole, under its name in new. -1 with errno: nothing is there. */
static int
message_write(const struct maildir *o, const char *name, const struct text *t)
{
	char temporary[FILE_BYTES], path[FILE_BYTES];
	int fd, saved;

	file_name(temporary, o, "tmp", name);
	file_name(path, o, "new", name);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd == -1)
		return -1;
	if (files_write(fd, t->data, t->len) == 0 && fsync(fd) == 0 && rename(temporary, path) == 0) {
		close(fd);
		return files_sync_folder(path);
	}
	saved = errno;
	close(fd);
	unlink(temporary);
	errno = saved;
	return -1;
}

/* ---- a delivery ---- */

/* The letter of the batch, or of one of its records. -1 with errno. */
static int
letter_write(struct cr *cr, const struct maildir *o, const struct cr_batch *b, size_t nth)
{
	const struct letter_options given = LETTER_GIVEN(o);
	char id[DELIVERY_ID], name[NAME_BYTES], list[MIME_ID];
	struct text out = { .data = NULL };
	const char *host = strrchr(o->from, '@') + 1;
	struct mime m = { .date = letter_date(cr, b, nth), .from = o->from, .to = o->to, .id = id,
		.list_title = b->title != NULL && b->title[0] != '\0' ? b->title : b->route,
		.list_id = list, .archive = b->archive };
	struct letter l;
	int rc = -1;

	if (b->kind == CR_BATCH_RECORDS)
		delivery_id(cr, b->items + nth, 1, id);
	else
		snprintf(id, sizeof(id), "%s", b->id);
	snprintf(list, sizeof(list), "%s.%.*s", b->route, (int)strcspn(host, ">"), host);
	snprintf(name, sizeof(name), "%lld.%s.courant", (long long)(m.date / 1000), id);
	errno = ENOMEM;
	if (letter_make(&l, cr, &given, b, nth) == 0 && letter_message(&out, &l, &m) == 0)
		rc = is_taken(cr, o, name) ? 0 : message_write(o, name, &out);
	letter_free(&l);
	text_free(&out);
	return rc;
}

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *b)
{
	const struct maildir *o = opts;
	size_t n = b->kind == CR_BATCH_RECORDS ? b->n : 1, done = 0;

	if (n > 0 && folders_make(o) == 0)
		while (done < n && letter_write(cr, o, b, done) == 0)
			done++;
	if (done < n)
		cr->retry(cr, -1, "%s: %s", o->folder, strerror(errno));
	return b->kind == CR_BATCH_RECORDS ? done : done == n ? b->n : 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "maildir", .version = "1", .help = "editions or records as mail in a folder",
	.needs = 5, .options = options, .options_size = sizeof(struct maildir),
	.wants = CR_FILES, .takes = CR_BATCH_RECORDS | CR_BATCH_EDITION,
	.check = check, .deliver = deliver,
};
