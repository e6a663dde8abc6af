/* The next edition as HTML: the sink maildir makes its mail, in a worker and a folder of this command's own, and the
 * HTML is taken out of that. So it is what the sinks of mail make, and nobody gets it. */
#include "cli_edition_html.h"
#include "cli_job.h"
#include "cli_print.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/json.h"
#include "base/mem.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <courant/plugin.h>

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOX		"box"		/* the maildir, below the folder */
#define LETTER_BYTES	(16u << 20)	/* bytes of the mail */
#define DELIVERED_MAX	(64u << 20)	/* bytes of the batch */

/* ---- the folder ---- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* Reads the only file of the maildir. -1: there is none. */
static int
mail_read(const char *folder, struct buf *mail)
{
	char *where = xasprintf("%s/" BOX "/new", folder), *path = NULL, block[8192];
	DIR *dir = opendir(where);
	const struct dirent *e;
	FILE *f = NULL;
	size_t n;

	while (dir != NULL && path == NULL && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			path = xasprintf("%s/%s", where, e->d_name);
	if (dir != NULL)
		closedir(dir);
	if (path != NULL)
		f = fopen(path, "re");
	while (f != NULL && (n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(mail, block, n);
	if (f != NULL)
		fclose(f);
	free(path);
	free(where);
	return f != NULL && mail->len > 0 && !mail->over ? 0 : -1;
}

/* ---- the mail ---- */

/* The value of a hexadecimal digit; -1: it is none. */
static int
digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Adds text in quoted-printable (RFC 2045 6.7), with its line ends as this system has them. */
static void
quoted_read(struct buf *to, const char *s, const char *end)
{
	while (s < end) {
		if (*s == '\r') {
			s++;
		} else if (*s != '=') {
			buf_char(to, *s++);
		} else if (end - s > 2 && s[1] == '\r') {
			s += 3;			/* the line goes on */
		} else if (end - s > 2 && digit(s[1]) >= 0 && digit(s[2]) >= 0) {
			buf_char(to, (char)((unsigned)digit(s[1]) << 4 | (unsigned)digit(s[2])));
			s += 3;
		} else
			s++;
	}
}

/* Takes the HTML, the last part, out of the mail. -1: it has none. */
static int
html_take(const struct buf *mail, struct buf *html)
{
	const char *part = strstr(mail->data, "Content-Type: text/html"), *end = NULL, *at;

	part = part != NULL ? strstr(part, "\r\n\r\n") : NULL;
	for (at = part; at != NULL; at = strstr(at + 1, "\r\n--"))
		end = at;
	if (part == NULL || end == part)
		return -1;
	quoted_read(html, part + 4, end);
	buf_char(html, '\n');
	return 0;
}

/* ---- the worker ---- */

/* The batch out of its hexadecimal form. -1: it is none. */
static int
batch_read(const char *hex, struct buf *b)
{
	int high, low;

	for (; *hex != '\0'; hex += 2) {
		high = digit(hex[0]);
		low = high >= 0 ? digit(hex[1]) : -1;
		if (low < 0)
			return -1;
		buf_char(b, (char)(high << 4 | low));
	}
	return b->over || b->len == 0 ? -1 : 0;
}

static void
option_put(struct buf *b, const char *name, const char *value)
{
	buf_add(b, name, strlen(name) + 1);
	buf_add(b, value, strlen(value) + 1);
}

static void
worker_begin(struct cli_job *j, const json_t *mail)
{
	struct buf options;
	const char *name;
	json_t *value;

	buf_init(&options, OPTION_SET_MAX);
	option_put(&options, "folder", BOX);
	option_put(&options, "to", "reader@localhost");
	json_object_foreach(json_object_get(mail, "options"), name, value)
		if (json_is_string(value))
			option_put(&options, name, json_string_value(value));
	cli_start(j, W_DELIVER, (struct bytes){ options.data, options.len });
	buf_free(&options);
}

/* Has the sink deliver the batch. -1, and why. */
static int
deliver(struct cli_job *j, const json_t *o, const struct buf *batch, struct buf *why)
{
	const json_t *mail = json_object_get(o, "mail");
	const char *archive = json_get_text(mail, "archive");
	const struct batch_job job = { .route = json_get_text(o, "route"), .id = "next",
		.title = json_get_text(mail, "title"), .self = "", .kind = CR_BATCH_EDITION,
		.archive = archive[0] != '\0' ? archive : NULL, .count = (uint32_t)json_get_number(o, "count"),
		.len = batch->len, .now = date_now() };
	int fd = memfd_new(batch->data, batch->len), out = memfd_new(NULL, 0), rc = -1;
	struct batch_done done;
	struct frame f = { 0 };
	struct buf b;

	buf_init(&b, msg_limit(MSG_W_DELIVER));
	wire_put(&b, batch_job, &job);
	if (fd == -1 || out == -1 || memfd_seal(fd) == -1)
		buf_fmt(why, "no memory for the batch: %s", strerror(errno));
	else {
		worker_begin(j, mail);
		(void)chan_send(j->chan, MSG_W_DELIVER, 1, &b, fd, out);
		rc = cli_wait(j, MSG_W_DELIVERED, &f, why);
	}
	if (rc == 0 && (wire_whole(f.data, f.len, batch_done, &done) == -1 || done.failed != 0)) {
		buf_str(why, "the mail could not be made");
		rc = -1;
	}
	buf_free(&b);
	if (fd != -1)
		close(fd);
	if (out != -1)
		close(out);
	return rc;
}

int
cli_edition_html(const json_t *o)
{
	struct cli_job j = { .grants = CR_FILES };
	struct buf batch, mail, html, why;
	char folder[] = "/tmp/courant-XXXXXX";
	int rc = -1;

	buf_init(&batch, DELIVERED_MAX);
	buf_init(&mail, LETTER_BYTES);
	buf_init(&html, LETTER_BYTES);
	buf_init(&why, 4096);
	cli_plugin(&j, "sink", "maildir");
	if (batch_read(json_get_text(o, "batch"), &batch) == -1)
		buf_str(&why, "the daemon's answer cannot be read");
	else if (mkdtemp(folder) == NULL)
		buf_fmt(&why, "%s: %s", folder, strerror(errno));
	else {
		j.folder = folder;
		rc = deliver(&j, o, &batch, &why);
		if (rc == 0 && (mail_read(folder, &mail) == -1 || html_take(&mail, &html) == -1)) {
			buf_str(&why, "the mail cannot be read");
			rc = -1;
		}
		cli_stop(&j, NULL);
		(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
	if (rc == 0)
		print_lines(html.data, 0);
	else
		print_error("courant: %s\n", why.data);
	cli_free(&j);
	buf_free(&batch);
	buf_free(&mail);
	buf_free(&html);
	buf_free(&why);
	return rc == 0 ? 0 : 1;
}
