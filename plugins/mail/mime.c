/* Messages as RFC 5322 and MIME have them: header fields, encoded words, quoted-printable. */
#include "mail.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WORD_OPEN	"=?utf-8?q?"
#define WORD_MAX	60		/* bytes of an ASCII word that is not encoded */

/* ---- values of header fields ---- */

/* Whether the character at s, of n bytes, is one that no header may have, or a white space. */
static int
is_blank(const char *s, size_t n)
{
	unsigned char c = (unsigned char)*s;

	if (n == 1)
		return c <= ' ' || c == 0x7f;
	if (n == 2)
		return c == 0xc2 && (unsigned char)s[1] <= 0xa0;
	return n == 3 && c == 0xe2 && (unsigned char)s[1] == 0x80 &&
	    ((unsigned char)s[2] == 0xa8 || (unsigned char)s[2] == 0xa9);
}

static size_t
char_len(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t want = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, n;

	for (n = 1; n < want && ((unsigned char)s[n] & 0xc0) == 0x80; n++)
		;
	return n;
}

/* Adds the text as one line: controls and white space are one space, none at the ends. */
static void
one_line(struct text *t, const char *s)
{
	size_t n, had = t->len;
	int gap = 0;

	for (; s != NULL && *s != '\0'; s += n) {
		n = char_len(s);
		if (is_blank(s, n)) {
			gap = 1;
			continue;
		}
		if (gap && t->len > had)
			text_add(t, " ", 1);
		gap = 0;
		text_add(t, s, n);
	}
}

/* Whether the line can stand as it is. */
static int
is_ascii(const char *s)
{
	size_t word = 0;

	if (strstr(s, "=?") != NULL)
		return 0;
	for (; *s != '\0'; s++) {
		word = *s == ' ' ? 0 : word + 1;
		if ((unsigned char)*s >= 0x7f || word > WORD_MAX)
			return 0;
	}
	return 1;
}

/* Whether the byte stands for itself in an encoded word, also in a phrase (RFC 2047 5). */
static int
is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t
encoded_len(const char *s, size_t n)
{
	return n > 1 || (!is_bare(*s) && *s != ' ') ? 3 * n : 1;
}

static void
escaped_byte(struct text *t, char c)
{
	static const char hex[] = "0123456789ABCDEF";
	const char out[3] = { '=', hex[(unsigned char)c >> 4], hex[(unsigned char)c & 15] };

	text_add(t, out, 3);
}

static void
encoded_char(struct text *t, const char *s, size_t n)
{
	if (*s == ' ')
		text_add(t, "_", 1);
	else if (encoded_len(s, n) == 1)
		text_add(t, s, 1);
	else
		for (size_t i = 0; i < n; i++)
			escaped_byte(t, s[i]);
}

/* Adds the line as encoded words, from column col on. A character is not divided. Its column. */
static size_t
encoded_words(struct text *t, const char *s, size_t col)
{
	size_t n, need;
	int open = 0;

	for (; *s != '\0'; s += n) {
		n = char_len(s);
		need = encoded_len(s, n);
		if (!open || col + need + 2 > MIME_LINE) {
			if (open)
				text_str(t, "?=");
			if (open || col + sizeof(WORD_OPEN) + 1 + need > MIME_LINE) {
				text_str(t, "\r\n ");
				col = 1;
			}
			text_str(t, WORD_OPEN);
			col += sizeof(WORD_OPEN) - 1;
			open = 1;
		}
		encoded_char(t, s, n);
		col += need;
	}
	if (open)
		text_str(t, "?=");
	return col + 2;
}

/* Adds words of ASCII, folded. Its column. */
static size_t
folded_words(struct text *t, const char *s, size_t col)
{
	size_t len;
	int first = 1;

	for (; *s != '\0'; s += len + (s[len] == ' ')) {
		len = strcspn(s, " ");
		if (!first && col + 1 + len > MIME_LINE) {
			text_str(t, "\r\n ");
			col = 1;
		} else if (!first) {
			text_add(t, " ", 1);
			col++;
		}
		text_add(t, s, len);
		col += len;
		first = 0;
	}
	return col;
}

/* A name before an address or an identity (RFC 5322 phrase), from column col on. Its column. */
static size_t
phrase(struct text *t, const char *s, size_t col)
{
	if (!is_ascii(s) || strlen(s) > WORD_MAX || strpbrk(s, "\\\"") != NULL)
		return encoded_words(t, s, col);
	if (strpbrk(s, "()<>[]:;@,.") == NULL)
		return folded_words(t, s, col);
	text_str(t, "\"");
	text_str(t, s);
	text_str(t, "\"");
	return col + strlen(s) + 2;
}

/* ---- fields ---- */

static void
field_text(struct text *t, const char *name, const char *value)
{
	struct text line = { .data = NULL };

	one_line(&line, value);
	text_str(t, name);
	text_str(t, ": ");
	if (line.data == NULL)
		;
	else if (is_ascii(line.data))
		folded_words(t, line.data, strlen(name) + 2);
	else
		encoded_words(t, line.data, strlen(name) + 2);
	text_str(t, "\r\n");
	t->bad |= line.bad;
	text_free(&line);
}

/* Whether it can stand between < and >: printable, and none of the signs that end it. */
static int
is_angled(const char *s, size_t max)
{
	size_t n;

	for (n = 0; n <= max && s[n] != '\0'; n++)
		if (s[n] <= ' ' || s[n] >= 0x7f || strchr("<>\"(),;\\", s[n]) != NULL)
			return 0;
	return n > 0 && n <= max;
}

static void
field_angled(struct text *t, const char *name, const char *title, const char *in)
{
	struct text line = { .data = NULL };
	size_t col = strlen(name) + 2;

	one_line(&line, title);
	text_str(t, name);
	text_str(t, ": ");
	if (line.len > 0) {
		col = phrase(t, line.data, col);
		text_str(t, col + strlen(in) + 3 > MIME_LINE ? "\r\n <" : " <");
	} else
		text_str(t, "<");
	text_str(t, in);
	text_str(t, ">\r\n");
	t->bad |= line.bad;
	text_free(&line);
}

/* From. A sender that is no address stands as an empty group of that name. */
static void
field_from(struct text *t, const char *from)
{
	const char *open = strrchr(from, '<');
	struct text name = { .data = NULL }, address = { .data = NULL };
	size_t len;

	if (open != NULL) {
		text_add(&name, from, (size_t)(open - from));
		text_add(&address, open + 1, strcspn(open + 1, ">"));
	} else
		text_str(&address, from);
	len = name.len;
	while (len > 0 && name.data[len - 1] == ' ')
		len--;
	if (len > 1 && name.data[0] == '"' && name.data[len - 1] == '"') {
		memmove(name.data, name.data + 1, len - 2);	/* phrase() quotes it again */
		name.data[len - 2] = '\0';
	}
	if (address.data != NULL && is_angled(address.data, MIME_URL))
		field_angled(t, "From", name.data, address.data);
	else
		text_str(t, "From: courant:;\r\n");
	t->bad |= name.bad | address.bad;
	text_free(&name);
	text_free(&address);
}

/* To. A header is ASCII: an address that is not stands as the name of an empty group. */
static void
field_to(struct text *t, const char *to)
{
	struct text line = { .data = NULL };

	if (is_angled(to, MIME_URL)) {
		field_text(t, "To", to);
		return;
	}
	one_line(&line, to);
	text_str(t, "To: ");
	encoded_words(t, line.data != NULL ? line.data : "reader", 4);
	text_str(t, ":;\r\n");
	t->bad |= line.bad;
	text_free(&line);
}

static void
field_date(struct text *t, int64_t ms)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
		"Oct", "Nov", "Dec" };
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	char out[128];

	if (ms < 0 || gmtime_r(&s, &tm) == NULL)
		tm = (struct tm){ .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };
	snprintf(out, sizeof(out), "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	text_str(t, out);
}

/* The host of an address "a@b" or "A <a@b>"; "localhost" if it has none. */
static void
host_put(struct text *t, const char *from)
{
	const char *at = strrchr(from, '@');
	size_t len = at != NULL ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-") : 0;

	if (len > 0 && (at[1 + len] == '>' || at[1 + len] == '\0'))
		text_add(t, at + 1, len);
	else
		text_str(t, "localhost");
}

/* An id with nothing but the signs that a Message-ID and a boundary may have. */
static void
id_put(struct text *t, const char *id)
{
	for (size_t i = 0; i < MIME_ID - 1 && id[i] != '\0'; i++)
		text_add(t, is_bare(id[i]) || id[i] == '.' || id[i] == '_' ? id + i : "_", 1);
}

static void
field_leave(struct text *t, const struct mime *m)
{
	int web = m->leave != NULL && is_angled(m->leave, MIME_URL);
	int mail = m->leave_mail != NULL && is_angled(m->leave_mail, MIME_URL);

	if (!web && !mail)
		return;
	text_str(t, "List-Unsubscribe: ");
	if (web) {
		text_str(t, "<");
		text_str(t, m->leave);
		text_str(t, ">");
	}
	if (mail) {
		text_str(t, web ? ",\r\n <" : "<");
		text_str(t, m->leave_mail);
		text_str(t, ">");
	}
	text_str(t, "\r\n");
	if (web && strncmp(m->leave, "https://", 8) == 0)
		text_str(t, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
}

/* A boundary holds "=_", which no quoted-printable text does. */
static void
boundary_put(struct text *t, const struct mime *m)
{
	struct text id = { .data = NULL };

	id_put(&id, m->id);
	text_str(t, "=_");
	text_add(t, id.data, id.len < 60 ? id.len : 60);	/* RFC 2046: at most 70 */
	t->bad |= id.bad;
	text_free(&id);
}

void
mime_header(struct text *t, const struct mime *m)
{
	field_date(t, m->date);
	field_from(t, m->from);
	field_to(t, m->to);
	field_text(t, "Subject", m->subject);
	text_str(t, "Message-ID: <");
	id_put(t, m->id);
	text_str(t, "@");
	host_put(t, m->from);
	text_str(t, ">\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"");
	boundary_put(t, m);
	text_str(t, "\"\r\n");
	if (m->list_id != NULL && is_angled(m->list_id, MIME_URL))
		field_angled(t, "List-Id", m->list_title, m->list_id);
	if (m->archive != NULL && is_angled(m->archive, MIME_URL))
		field_angled(t, "List-Archive", NULL, m->archive);
	field_leave(t, m);
	text_str(t, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
	    "X-Courant-Delivery: ");
	id_put(t, m->id);
	text_str(t, "\r\n");
}

/* ---- parts ---- */

void
mime_part(struct text *t, const struct mime *m, const char *type)
{
	text_str(t, "\r\n--");
	boundary_put(t, m);
	text_str(t, "\r\nContent-Type: ");
	text_str(t, type);
	text_str(t, "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
}

void
mime_end(struct text *t, const struct mime *m)
{
	text_str(t, "\r\n--");
	boundary_put(t, m);
	text_str(t, "--\r\n");
}

/* Whether the byte has to be escaped: also a space at a line's end, which servers drop; a dot at its
 * beginning, which ends a message; and the F of "From ", which mailboxes change. */
static int
is_escaped(const char *s, size_t left, int begins)
{
	unsigned char c = (unsigned char)*s;

	if (c == ' ' || c == '\t')
		return left == 1 || s[1] == '\n';
	if (begins && (c == '.' || (c == 'F' && left > 4 && memcmp(s, "From ", 5) == 0)))
		return 1;
	return c < ' ' || c >= 0x7f || c == '=';
}

void
mime_quoted(struct text *t, const char *s, size_t len)
{
	size_t i, col = 0, need;
	int escaped;

	for (i = 0; i < len; i++) {
		if (s[i] == '\n') {
			text_str(t, "\r\n");
			col = 0;
			continue;
		}
		escaped = is_escaped(s + i, len - i, col == 0);
		need = escaped ? 3 : 1;
		if (col + need > MIME_LINE - 1) {
			text_str(t, "=\r\n");
			col = 0;
			escaped = is_escaped(s + i, len - i, 1);
			need = escaped ? 3 : 1;
		}
		if (escaped)
			escaped_byte(t, s[i]);
		else
			text_add(t, s + i, 1);
		col += need;
	}
}
