/* Letters of records from anywhere: a message is ASCII in lines with CRLF, its header has the same fields in
 * the same order whatever a record holds, its HTML closes what it opens, and an excerpt is no longer than
 * was asked for. The input: a byte that says what it is, then texts divided by NUL. */
#include "../../plugins/mail/mail.h"
#include "base/utf8.h"

#include <courant/fakehost.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS	6

extern const struct cr_plugin cr_plugin_v1;
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(int holds)
{
	if (!holds)
		abort();
}

static size_t
count(const char *s, const char *what)
{
	size_t n = 0;

	for (; (s = strstr(s, what)) != NULL; s++)
		n++;
	return n;
}

/* Fields of the header, each once and in this order; nothing else. */
static void
check_header(const char *message)
{
	static const char *const names[] = { "Date: ", "From: ", "To: ", "Subject: ", "Message-ID: <",
		"MIME-Version: 1.0", "Content-Type: multipart/alternative;", "List-Id: ",
		"List-Unsubscribe: <", "List-Unsubscribe-Post: ", "Auto-Submitted: ",
		"X-Auto-Response-Suppress: ", "X-Courant-Delivery: ", "" };
	const char *line = message, *end;
	size_t i = 0;

	for (; strncmp(line, "\r\n", 2) != 0; line = end + 2) {
		need((end = strstr(line, "\r\n")) != NULL);
		need(end - line <= 76);
		if (*line == ' ')
			continue;
		need(strncmp(line, names[i], strlen(names[i])) == 0 && names[i][0] != '\0');
		i++;
	}
	need(names[i][0] == '\0');
	need(count(message, "\r\n--=_id") == 3);
}

static void
check_lines(const char *message)
{
	for (const char *end; *message != '\0'; message = end + 2) {
		need((end = strstr(message, "\r\n")) != NULL && end - message <= 76);
		need(*message != '.' && strncmp(message, "From ", 5) != 0);
	}
}

static void
check_content(const char *html)
{
	struct text t = { .data = NULL };
	const char *at;

	for (int images = 0; images < 2; images++) {
		text_clear(&t);
		content_html(&t, html, images);
		at = t.data != NULL ? t.data : "";
		need(count(at, "<") == count(at, ">"));
		need(count(at, "<div") == count(at, "</div>") && count(at, "<a ") == count(at, "</a>"));
		need(strstr(at, "<script") == NULL && (images || strstr(at, "<img") == NULL));
	}
	text_clear(&t);
	content_text(&t, html);
	text_clear(&t);
	content_excerpt(&t, html, 20);
	text_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = size > 0 && size < 100000 ? calloc(1, size + TEXTS + 1) : NULL, *text[TEXTS];
	struct cr_record *r;
	struct cr_fake *f;
	size_t done;

	if (copy == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	for (size_t i = 0, at = 0; i < TEXTS; i++) {
		text[i] = copy + at;
		at += strlen(text[i]) + (at + strlen(text[i]) < size);
	}
	if (text_valid(copy, size - 1) == size - 1)
		check_content(text[0]);
	f = cr_fake_new(&cr_plugin_v1, data[0] & 1 ? "images=yes\n" : "subject={title}{first} {source}\n");
	r = cr_fake_record(f, "g");
	cr_fake_set(r, CR_ID, "aaaaaaaaaaaaaaaaaaaaaaaaaa");
	cr_fake_set(r, CR_TITLE, text[0]);
	cr_fake_set(r, CR_CONTENT, text[1]);
	cr_fake_set(r, CR_AUTHOR, text[2]);
	cr_fake_set(r, CR_LINK, text[3]);
	cr_fake_set(r, CR_SUMMARY, text[4]);
	cr_fake_set(r, CR_LANGUAGE, text[5]);
	f->title = cr_fake_get(r, CR_TITLE, 0) != NULL ? cr_fake_get(r, CR_TITLE, 0) : "Papers";
	cr_fake_recipient(f, "ada@example.org", "id", "https://example.org/leave/k", NULL);
	done = data[0] & 2 ? cr_fake_deliver(f, &r, 1) : cr_fake_edition(f, &r, 1);
	need(done == 1 && f->nmails == 1);
	check_header(f->mails[0].message);
	check_lines(f->mails[0].message);
	cr_fake_free(f);
	free(copy);
	return 0;
}
