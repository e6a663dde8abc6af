/* Reads delivery status notifications, whatever surrounds their part message/delivery-status: servers
 * put it into a multipart/report, and some into a multipart/mixed. */
#include "dsn.h"
#include "buf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEPTH		4		/* of parts in parts */
#define VALUE_MAX	2048		/* bytes of a header's value, unfolded; the rest is cut off */
#define BOUNDARY_MAX	256

struct span { const char *at, *end; };

/* ---- Header fields ---- */

/* Cuts the next line off; without its end. 0: there is none. */
static int
line_next(struct span *s, struct span *line)
{
	const char *nl;

	if (s->at == s->end)
		return 0;
	nl = memchr(s->at, '\n', (size_t)(s->end - s->at));
	line->at = s->at;
	line->end = nl != NULL ? nl : s->end;
	s->at = nl != NULL ? nl + 1 : s->end;
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	return 1;
}

/* Reads a field and its folded lines into name and value. 0: an empty line, or the end: the fields are
 * over. A line that is no field is skipped: name "". */
static int
field_next(struct span *s, char name[64], char value[VALUE_MAX])
{
	struct span line;
	const char *colon;
	size_t len = 0, add;

	name[0] = value[0] = '\0';
	if (!line_next(s, &line) || line.at == line.end)
		return 0;
	colon = memchr(line.at, ':', (size_t)(line.end - line.at));
	if (colon != NULL) {
		snprintf(name, 64, "%.*s", (int)(colon - line.at < 63 ? colon - line.at : 63), line.at);
		line.at = colon + 1;
	}
	for (;;) {
		while (line.at < line.end && (*line.at == ' ' || *line.at == '\t'))
			line.at++;
		add = (size_t)(line.end - line.at);
		add = add < VALUE_MAX - 2 - len ? add : VALUE_MAX - 2 - len;
		memcpy(value + len, line.at, add);
		len += add;
		if (s->at == s->end || (*s->at != ' ' && *s->at != '\t') || !line_next(s, &line))
			break;
		value[len] = ' ';
		len += len < VALUE_MAX - 2;
	}
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	value[len] = '\0';
	return 1;
}

/* The parameter `boundary` of a Content-Type; "" if there is none. */
static void
boundary_read(const char *type, char out[BOUNDARY_MAX])
{
	const char *p = type;
	size_t n;

	out[0] = '\0';
	while ((p = strchr(p, ';')) != NULL) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, "boundary=", 9) != 0)
			continue;
		p += 9;
		n = *p == '"' ? strcspn(p + 1, "\"") : strcspn(p, "; \t");
		if (n < BOUNDARY_MAX)
			snprintf(out, BOUNDARY_MAX, "%.*s", (int)n, *p == '"' ? p + 1 : p);
		return;
	}
}

/* ---- Recipients ---- */

/* A status at the start of s, "5.1.1", into out. Its length; 0: there is none. */
static size_t
status_read(const char *s, char out[DSN_STATUS])
{
	size_t n = 2, digits;

	if (s[0] == '\0' || strchr("245", s[0]) == NULL || s[1] != '.')
		return 0;
	digits = strspn(s + n, "0123456789");
	if (digits < 1 || digits > 3 || s[n + digits] != '.')
		return 0;
	n += digits + 1;
	digits = strspn(s + n, "0123456789");
	if (digits < 1 || digits > 3)
		return 0;
	n += digits;
	snprintf(out, DSN_STATUS, "%.*s", (int)n, s);
	return n;
}

/* Some servers tell a mere 5.0.0, and the one that refused said more. */
static void
status_better(struct dsn_recipient *to, const char *diagnostic)
{
	char status[DSN_STATUS];

	if (strcmp(to->status + (to->status[0] != '\0'), ".0.0") != 0)
		return;
	for (const char *p = diagnostic; *p != '\0'; p++)
		if ((p == diagnostic || strchr(" -#(<;", p[-1]) != NULL) &&
		    status_read(p, status) > 0 && status[0] == to->status[0]) {
			memcpy(to->status, status, sizeof(status));
			return;
		}
}

/* "rfc822; user@example.org", also with < and > about it. */
static void
recipient_read(const char *value, char out[MAILBOX_MAX + 1])
{
	const char *p = strchr(value, ';');
	size_t n;

	p = p != NULL ? p + 1 : value;
	p += strspn(p, " \t<");
	n = strcspn(p, " \t>");
	if (n <= MAILBOX_MAX)
		snprintf(out, MAILBOX_MAX + 1, "%.*s", (int)n, p);
}

/* The fields of the message, then those of each recipient, empty lines between. */
static void
status_part(struct dsn *d, struct span s)
{
	char name[64], value[VALUE_MAX], diagnostic[VALUE_MAX];
	struct dsn_recipient to;

	while (s.at < s.end && d->n < DSN_RECIPIENTS) {
		to = (struct dsn_recipient){ .failed = 0 };
		diagnostic[0] = '\0';
		while (field_next(&s, name, value)) {
			if (strcasecmp(name, "Final-Recipient") == 0)
				recipient_read(value, to.address);
			else if (strcasecmp(name, "Original-Recipient") == 0)
				recipient_read(value, to.original);
			else if (strcasecmp(name, "Action") == 0)
				to.failed = strncasecmp(value, "failed", 6) == 0;
			else if (strcasecmp(name, "Status") == 0)
				(void)status_read(value, to.status);
			else if (strcasecmp(name, "Diagnostic-Code") == 0)
				memcpy(diagnostic, value, sizeof(value));
		}
		status_better(&to, diagnostic);
		if (to.address[0] != '\0' && to.status[0] != '\0')
			d->to[d->n++] = to;
	}
}

/* ---- Parts ---- */

/* Whether the line is the boundary's; *last: the one behind the last part. */
static int
is_boundary(struct span line, const char *boundary, int *last)
{
	size_t n = strlen(boundary);

	if ((size_t)(line.end - line.at) < n + 2 || memcmp(line.at, "--", 2) != 0 ||
	    memcmp(line.at + 2, boundary, n) != 0)
		return 0;
	*last = (size_t)(line.end - line.at) >= n + 4 && memcmp(line.at + 2 + n, "--", 2) == 0;
	return 1;
}

/* Takes a key that stands at p and is followed by that character, or by white space or the end (0); the first one
 * counts. */
static void
key_take(char to[TEXT_BASE32_16], const char *p, char next)
{
	unsigned char token[16];
	char key[TEXT_BASE32_16];

	if (to[0] != '\0' || strnlen(p, TEXT_BASE32_16 - 1) < TEXT_BASE32_16 - 1 ||
	    (next != '\0' ? p[TEXT_BASE32_16 - 1] != next :
	    p[TEXT_BASE32_16 - 1] != '\0' && !text_space((unsigned char)p[TEXT_BASE32_16 - 1])))
		return;
	for (size_t i = 0; i < TEXT_BASE32_16 - 1; i++)
		key[i] = (char)text_lower(p[i]);
	key[TEXT_BASE32_16 - 1] = '\0';
	if (text_base32_read(token, key, strlen(key)) == 0)
		memcpy(to, key, sizeof(key));
}

static void
address_read(struct dsn *d, const char *value)
{
	for (const char *p = value; (p = strchr(p, '+')) != NULL;)
		key_take(d->key, ++p, '@');
}

/* What the link to leave wrote, or an answer to that. */
static void
subject_read(struct dsn *d, const char *value)
{
	static const char word[] = "leave ";

	for (const char *p = value; *p != '\0'; p++)
		if (strncasecmp(p, word, sizeof(word) - 1) == 0)
			key_take(d->leave, p + sizeof(word) - 1, '\0');
}

static void	part_read(struct dsn *, struct span, int depth);

static void
parts_read(struct dsn *d, struct span s, const char *boundary, int depth)
{
	struct span line, part = { NULL, NULL };
	int last = 0;

	while (!last && line_next(&s, &line)) {
		if (!is_boundary(line, boundary, &last))
			continue;
		if (part.at != NULL) {
			part.end = line.at;
			part_read(d, part, depth + 1);
		}
		part.at = s.at;
	}
	if (part.at != NULL && !last) {		/* cut off, as long reports are */
		part.end = s.end;
		part_read(d, part, depth + 1);
	}
}

/* A part, or the whole mail (depth 0): its fields and what they say of its body. */
static void
part_read(struct dsn *d, struct span s, int depth)
{
	static const char *const ours[] = { "To", "Delivered-To", "X-Original-To", "Envelope-To" };
	char name[64], value[VALUE_MAX], type[VALUE_MAX] = "", boundary[BOUNDARY_MAX];

	while (field_next(&s, name, value)) {
		if (strcasecmp(name, "Content-Type") == 0)
			memcpy(type, value, sizeof(type));
		for (size_t i = 0; depth == 0 && i < sizeof(ours) / sizeof(ours[0]); i++)
			if (strcasecmp(name, ours[i]) == 0)
				address_read(d, value);
		if (depth == 0 && strcasecmp(name, "Subject") == 0)
			subject_read(d, value);
	}
	if (strncasecmp(type, "message/delivery-status", 23) == 0 ||
	    strncasecmp(type, "message/global-delivery-status", 30) == 0)
		status_part(d, s);
	else if (strncasecmp(type, "multipart/", 10) == 0 && depth < DEPTH) {
		boundary_read(type, boundary);
		if (boundary[0] != '\0')
			parts_read(d, s, boundary, depth);
	}
}

int
dsn_read(struct dsn *d, const char *s, size_t n)
{
	struct span all = { s, s + n };

	*d = (struct dsn){ .n = 0 };
	/* A line "From ..." of a mailbox file. */
	if (n >= 5 && memcmp(s, "From ", 5) == 0)
		(void)line_next(&all, &(struct span){ NULL, NULL });
	part_read(d, all, 0);
	return d->n > 0 ? 0 : -1;
}
