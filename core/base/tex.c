/* TeX in titles and names: formulas between dollars, and the accents and letters of bibliographies. */
#include "tex.h"
#include "tex_sign.h"
#include "text.h"
#include "utf8.h"

#include <string.h>

#define FORMULA_MAX	500		/* bytes between two dollars */
#define SHOWN_MAX	4096		/* bytes that a formula becomes, at most */
#define DEPTH_MAX	8		/* groups and arguments within each other */
#define SCRIPTS_MAX	2		/* scripts within each other: nested once */
#define WORD_MAX	2		/* letters in a row in a formula without commands */

/* A formula, or a part of one, that is being written. */
struct math {
	const char	*s;
	size_t		 len, at;
	struct buf	*out;
	size_t		 begun;		/* out->len at its beginning */
	enum tex_font	 font;
	int		 html;
	int		 words;		/* in the argument of \text */
	int		 scripts, depth;
};

static int	math_run(struct math *);
static int	math_command(struct math *);

static int
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- Writing ---- */

static void
put(const struct math *m, const char *s, size_t len)
{
	if (m->html)
		text_xml(m->out, s, len);
	else
		buf_add(m->out, s, len);
}

static void
put_code(const struct math *m, uint32_t c)
{
	char utf8[4];

	put(m, utf8, text_encode(utf8, c));
}

/* Adds a space unless there is one, or nothing before it. */
static void
put_space(const struct math *m)
{
	if (m->out->len > m->begun && m->out->data[m->out->len - 1] != ' ')
		buf_char(m->out, ' ');
}

static size_t
char_at(const struct math *m, uint32_t *c)
{
	size_t bad;

	return text_get_char(c, &bad, m->s + m->at, m->len - m->at);
}

/* ---- Groups and arguments ---- */

/* Bytes of the group that begins at s with '{', with its braces; 0: it does not end. */
static size_t
group_len(const char *s, size_t len)
{
	size_t open = 0, i;

	for (i = 0; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '{')
			open++;
		else if (s[i] == '}' && --open == 0)
			return i + 1;
	}
	return 0;
}

/* Letters of the command at s, which begins with a backslash; a sign counts as a name of one. */
static size_t
name_len(const char *s, size_t len)
{
	size_t n = 1;

	while (n < len && is_letter(s[n]))
		n++;
	return n > 1 ? n - 1 : len > 1 && (unsigned char)s[1] < 0x80 ? 1 : 0;
}

/* A command as an argument: with its own argument where one in braces follows. */
static size_t
command_len(const char *s, size_t len)
{
	size_t n = 1 + name_len(s, len), group;
	const struct tex_command *c = tex_command(s + 1, n - 1);

	for (int i = 0; c != NULL && i < (c->does == TEX_FRACTION) + (c->does >= TEX_PLAIN); i++) {
		if (n >= len || s[n] != '{' || (group = group_len(s + n, len - n)) == 0)
			break;
		n += group;
	}
	return n;
}

/* Takes the next argument of *m as a formula of its own. -1: there is none. */
static int
argument(struct math *m, struct math *arg)
{
	uint32_t c;
	size_t n;

	while (m->at < m->len && m->s[m->at] == ' ')
		m->at++;
	*arg = *m;
	if (m->at == m->len || m->depth == DEPTH_MAX)
		return -1;
	arg->depth++;
	arg->s = m->s + m->at;
	arg->at = 0;
	if (m->s[m->at] == '{') {
		if ((n = group_len(arg->s, m->len - m->at)) == 0)
			return -1;
		arg->s++;
		arg->len = n - 2;
	} else {
		n = m->s[m->at] == '\\' ? command_len(arg->s, m->len - m->at) : char_at(m, &c);
		if (n == 0 || m->s[m->at] == '}')
			return -1;
		arg->len = n;
	}
	m->at += n;
	arg->begun = m->out->len;
	return 0;
}

/* ---- Scripts ---- */

/* Writes what was rendered as superscript or subscript of Unicode. -1: it has not all of these
 * characters, and nothing is written. */
static int
script_unicode(const struct math *m, const struct buf *b, int up)
{
	size_t was = m->out->len, i, n, bad;
	uint32_t c, is;

	for (i = 0; i < b->len; i += n) {
		n = text_get_char(&c, &bad, b->data + i, b->len - i);
		if (n == 0 || (is = tex_script(c, up)) == 0) {
			if (m->out->data != NULL)
				m->out->data[m->out->len = was] = '\0';
			return -1;
		}
		put_code(m, is);
	}
	return 0;
}

/* Whether a superscript is one by itself: a prime, degrees. */
static int
script_itself(const struct buf *b)
{
	static const char *const by_itself[] = { "\xe2\x80\xb2", "\xe2\x88\x98", "*", "\xe2\x80\xa0" };

	for (size_t i = 0; i < sizeof(by_itself) / sizeof(by_itself[0]); i++)
		if (b->len == strlen(by_itself[i]) && memcmp(b->data, by_itself[i], b->len) == 0)
			return 1;
	return 0;
}

static void
script_put(const struct math *m, const struct buf *b, int up)
{
	size_t bad;
	uint32_t c;

	if (up && script_itself(b)) {
		(void)script_unicode(m, b, up);
	} else if (m->html) {
		buf_str(m->out, up ? "<sup>" : "<sub>");
		buf_add(m->out, b->data, b->len);
		buf_str(m->out, up ? "</sup>" : "</sub>");
	} else if (script_unicode(m, b, up) == -1) {
		buf_char(m->out, up ? '^' : '_');
		if (text_get_char(&c, &bad, b->data, b->len) == b->len) {
			buf_add(m->out, b->data, b->len);
			return;
		}
		buf_char(m->out, '{');
		buf_add(m->out, b->data, b->len);
		buf_char(m->out, '}');
	}
}

static int
math_script(struct math *m)
{
	int up = m->s[m->at++] == '^', rc;
	struct math arg;
	struct buf b;

	if (m->scripts == SCRIPTS_MAX || argument(m, &arg) == -1)
		return -1;
	buf_init(&b, SHOWN_MAX);
	arg.out = &b;
	arg.begun = 0;
	arg.scripts++;
	rc = math_run(&arg);
	rc = b.over ? -1 : rc;
	if (rc == 0 && b.len > 0)
		script_put(m, &b, up);
	buf_free(&b);
	return rc;
}

/* ---- Commands ---- */

static void
relation(struct math *m, const char *sign, size_t len)
{
	int begun = m->out->len > m->begun;

	if (m->scripts == 0)
		put_space(m);
	put(m, sign, len);
	while (m->at < m->len && m->s[m->at] == ' ')
		m->at++;
	if (m->scripts == 0 && begun && m->at < m->len)
		buf_char(m->out, ' ');
}

/* A mark on the one letter of the argument, or on each of its letters and digits. */
static int
accent(struct math *m, const struct tex_command *c)
{
	static const struct { const char *mark; char accent; } composed[] = {
		{ "\xcc\x80", '`' }, { "\xcc\x81", '\'' }, { "\xcc\x82", '^' }, { "\xcc\x83", '~' },
		{ "\xcc\x84", '=' }, { "\xcc\x88", '"' }, { "\xcc\x8c", 'v' },
	};
	size_t i, j, n, len, bad;
	const char *both;
	struct math arg;
	struct buf b;
	uint32_t cp;
	int rc;

	if (argument(m, &arg) == -1)
		return -1;
	buf_init(&b, SHOWN_MAX);
	arg.out = &b;
	arg.begun = 0;
	arg.html = 0;
	rc = math_run(&arg);
	if (b.len == 0 || (c->does == TEX_ACCENT && text_get_char(&cp, &bad, b.data, b.len) != b.len))
		rc = -1;
	for (i = 0; rc == 0 && i < b.len; i += n) {
		n = text_get_char(&cp, &bad, b.data + i, b.len - i);
		both = NULL;
		for (j = 0; n == 1 && j < sizeof(composed) / sizeof(composed[0]); j++)
			if (strcmp(composed[j].mark, c->text) == 0)
				both = tex_accented(composed[j].accent, b.data[i], &len);
		if (n == 0 || (n == 1 && !is_letter(b.data[i]) && !is_digit(b.data[i]) && b.data[i] != ' '))
			rc = -1;
		else if (both != NULL)
			put(m, both, len);
		else
			put(m, b.data + i, n);
		if (rc == 0 && both == NULL && cp != ' ')
			buf_str(m->out, c->text);
	}
	buf_free(&b);
	return rc;
}

/* An argument in parentheses, unless it is one number, letter or sign. */
static int
factor(struct math *m)
{
	struct math arg;
	int several;

	if (argument(m, &arg) == -1)
		return -1;
	several = memchr(arg.s, '+', arg.len) != NULL || memchr(arg.s, '-', arg.len) != NULL ||
	    memchr(arg.s, ' ', arg.len) != NULL || memchr(arg.s, '/', arg.len) != NULL ||
	    memmem(arg.s, arg.len, "\\frac", 5) != NULL;
	if (several)
		put(m, "(", 1);
	if (math_run(&arg) == -1)
		return -1;
	if (several)
		put(m, ")", 1);
	return 0;
}

static int
fraction(struct math *m)
{
	if (factor(m) == -1)
		return -1;
	put(m, "/", 1);
	return factor(m);
}

static int
root(struct math *m)
{
	static const struct { const char *degree, *sign; } roots[] = {
		{ "[3]", "\xe2\x88\x9b" }, { "[4]", "\xe2\x88\x9c" }, { "", "\xe2\x88\x9a" },
	};
	struct math arg;
	size_t i, n;
	int one;

	for (i = 0; (n = strlen(roots[i].degree)) > m->len - m->at ||
	    memcmp(m->s + m->at, roots[i].degree, n) != 0;)
		i++;
	m->at += n;
	if ((m->at < m->len && m->s[m->at] == '[') || argument(m, &arg) == -1)
		return -1;
	put(m, roots[i].sign, strlen(roots[i].sign));
	one = arg.len == 1 || arg.s[0] == '\\' ? arg.len == 1 || name_len(arg.s, arg.len) + 1 == arg.len :
	    strspn(arg.s, "0123456789") >= arg.len;
	if (!one)
		put(m, "(", 1);
	if (math_run(&arg) == -1)
		return -1;
	if (!one)
		put(m, ")", 1);
	return 0;
}

static int
crossed(struct math *m, const char *stroke)
{
	struct math arg;
	struct buf b;
	int rc;

	if (argument(m, &arg) == -1)
		return -1;
	buf_init(&b, SHOWN_MAX);
	arg.out = &b;
	arg.begun = 0;
	arg.html = 0;
	rc = math_run(&arg);
	if (rc == 0 && b.len > 0) {
		buf_str(&b, stroke);
		relation(m, b.data, b.len);
	}
	buf_free(&b);
	return rc;
}

static int
in_font(struct math *m, const struct tex_command *c)
{
	struct math arg;

	if (argument(m, &arg) == -1)
		return -1;
	if (c->does == TEX_FONT)
		arg.font = (enum tex_font)c->font;
	if (c->does == TEX_WORDS)
		arg.words = 1;
	return math_run(&arg);
}

static void
function_name(struct math *m, const struct tex_command *c)
{
	const char *last = m->out->len > m->begun ? m->out->data + m->out->len - 1 : "";

	if (m->scripts == 0 && (is_letter(*last) || is_digit(*last) ||
	    (*last & 0x80) != 0 || (m->html && *last == '>')))
		buf_char(m->out, ' ');
	put(m, c->text, strlen(c->text));
	if (m->at < m->len && (is_letter(m->s[m->at]) || m->s[m->at] == '\\') && m->scripts == 0)
		buf_char(m->out, ' ');
}

static int
math_command(struct math *m)
{
	size_t n = name_len(m->s + m->at, m->len - m->at);
	const struct tex_command *c = tex_command(m->s + m->at + 1, n);

	if (n == 0 || c == NULL)
		return -1;
	m->at += 1 + n;
	/* the space that ends a name is none of the formula */
	if (is_letter(c->name[0]) && c->does != TEX_NAME && c->does != TEX_RELATION && !m->words)
		while (m->at < m->len && m->s[m->at] == ' ')
			m->at++;
	switch (c->does) {
	case TEX_NOTHING:
		if (m->at < m->len && m->s[m->at] == '.')	/* \left. has no parenthesis */
			m->at += strcmp(c->name, "left") == 0 || strcmp(c->name, "right") == 0;
		return 0;
	case TEX_RELATION:
		relation(m, c->text, strlen(c->text));
		return 0;
	case TEX_NAME:
		function_name(m, c);
		return 0;
	case TEX_ACCENT:
	case TEX_LINE:
		return accent(m, c);
	case TEX_NOT:
		return crossed(m, c->text);
	case TEX_ROOT:
		return root(m);
	case TEX_FRACTION:
		return fraction(m);
	case TEX_PLAIN:
	case TEX_WORDS:
	case TEX_FONT:
		return in_font(m, c);
	default:
		put(m, c->text, strlen(c->text));
		return 0;
	}
}

/* ---- Formulas ---- */

static int
math_char(struct math *m)
{
	char c = m->s[m->at];
	uint32_t cp;
	size_t n;

	if (strchr("}$&#", c) != NULL)
		return -1;
	if ((n = char_at(m, &cp)) == 0)
		return -1;
	m->at += n;
	if (c == ' ' || c == '~') {
		if (m->scripts == 0 || m->words)
			put_space(m);
	} else if (c == '-' && !m->words)
		put_code(m, 0x2212);
	else if (c == '\'' && !m->words)
		put_code(m, 0x2032);
	else
		put_code(m, m->words ? cp : tex_font(m->font, cp));
	return 0;
}

/* Writes the formula. -1: it cannot be shown; a part of it may have been written. */
static int
math_run(struct math *m)
{
	struct math group;
	int rc = 0;

	while (rc == 0 && m->at < m->len && !m->out->over) {
		if (m->s[m->at] == '\\')
			rc = math_command(m);
		else if (m->s[m->at] == '{')
			rc = argument(m, &group) == -1 ? -1 : math_run(&group);
		else if (!m->words && (m->s[m->at] == '^' || m->s[m->at] == '_'))
			rc = math_script(m);
		else
			rc = math_char(m);
	}
	return m->out->over ? -1 : rc;
}

/* ---- Which text is a formula ---- */

/* Letters in a row that make a word: "HOME_DIR" is a name. */
static int
is_name(const char *s, size_t len)
{
	size_t n = 0, m;

	while (n < len && is_letter(s[n]))
		n++;
	for (m = n + 1; m < len && is_letter(s[m]); m++)
		;
	return n > WORD_MAX && n < len && s[n] == '_' && m - n > WORD_MAX;
}

/* Whether there are letters, and none that are words or an amount ("5k"). */
static int
is_loose(const char *s, size_t len)
{
	size_t row = 0, letters = 0, other = 0, i;

	for (i = 0; i < len; i++) {
		row = is_letter(s[i]) ? row + 1 : 0;
		letters += row > 0 || (s[i] & 0xc0) == 0xc0;
		other += strchr("+-*/=<>(|", s[i]) != NULL;
		if (row > WORD_MAX)
			return 0;
	}
	return letters > 0 && (other > 0 || !is_digit(s[0]));
}

/* Whether s[len] between two dollars is a formula. before, behind: the bytes around the dollars, or 0.
 * loose: also without a command or script. */
static int
is_formula(const char *s, size_t len, char before, char behind, int loose)
{
	int command = 0, scripts = 0;
	size_t i;

	if (len == 0 || s[0] == ' ' || s[len - 1] == ' ' || is_digit(behind))
		return 0;
	for (i = 0; i < len; i++) {
		command |= (s[i] == '\\' && i + 1 < len) || s[i] == '{';
		scripts |= s[i] == '^' || s[i] == '_';
	}
	if (command || (scripts && !is_name(s, len) && strchr("/:.,", s[len - 1]) == NULL))
		return 1;
	return loose && !scripts && !is_letter(before) && !is_digit(before) &&
	    (!is_letter(behind) || len == 1) && is_loose(s, len);
}

/* The formula that begins at s with a dollar, or with "\(". Sets *open, the bytes of its opening sign
 * (the closing one has as many), and returns its bytes with both; 0: none begins. */
static size_t
formula_at(const char *s, size_t len, char before, size_t *open)
{
	const char *close = s[0] == '\\' ? "\\)" : len > 1 && s[1] == '$' ? "$$" : "$";
	size_t n = strlen(close), i;

	*open = n;
	for (i = n; i + n <= len && i < FORMULA_MAX; i++) {
		if (memcmp(s + i, close, n) == 0)
			return is_formula(s + n, i - n, before, i + n < len ? s[i + n] : '\0',
			    s[0] == '$') ? i + n : 0;
		if (s[i] == '\\')
			i++;
	}
	return 0;
}

/* ---- Words ---- */

/* What a text says of itself as a whole. */
struct hints {
	int	certain;		/* it has an accent that can be nothing else: "\'{e}", "\~n" */
	int	quoted[2];		/* it has \" or \` before what takes no accent: quotes */
	int	path;			/* it has ":\": a path */
};

/* The accent that begins at s with a backslash. Returns its bytes, 0: there is none; *both: the letter
 * with it. *braces: it has braces. */
static size_t
accent_at(const char *s, size_t len, const char **both, size_t *blen, int *braces)
{
	size_t n = 2, dotless;

	*braces = 0;
	if (len < 3 || strchr("`'^\"~=.uvHckrd", s[1]) == NULL)
		return 0;
	if (s[n] == '{') {
		*braces = 1;
		n++;
	} else if (is_letter(s[1])) {
		if (s[n] != ' ')
			return 0;
		n++;
	}
	dotless = n + 1 < len && s[n] == '\\' && (s[n + 1] == 'i' || s[n + 1] == 'j');
	n += dotless;
	if (n >= len || (*both = tex_accented(s[1], s[n], blen)) == NULL)
		return 0;
	n++;
	if (!*braces && (dotless || is_letter(s[1])) && n < len && is_letter(s[n]))
		return dotless ? 0 : n;
	if (*braces && (n >= len || s[n] != '}'))
		return 0;
	return n + (size_t)*braces;
}

static void
hints_find(struct hints *h, const char *s, size_t len)
{
	const char *both;
	size_t i, n, blen;
	int braces;

	*h = (struct hints){ .certain = 0 };
	for (i = 0; i + 1 < len; i++) {
		if (s[i] != '\\')
			continue;
		h->path |= i > 0 && s[i - 1] == ':';
		n = accent_at(s + i, len - i, &both, &blen, &braces);
		h->certain |= n > 0 && (braces || s[i + 1] == '~' || s[i + 1] == '^');
		h->quoted[0] |= n == 0 && s[i + 1] == '"';
		h->quoted[1] |= n == 0 && s[i + 1] == '`';
		i++;
	}
}

/* Whether what ends at s[at] is a word that loses its vowel before another: "l\'eau" is French with an
 * escaped apostrophe. */
static int
is_elision(const char *s, size_t at)
{
	size_t n = 0;

	while (n < at && is_letter(s[at - 1 - n]))
		n++;
	if (n < at && n > 0 && (s[at - 1 - n] & 0x80) != 0)
		return 0;
	return (n == 1 && strchr("ldscnjmt", s[at - 1]) != NULL) ||
	    (n == 2 && s[at - 2] == 'q' && s[at - 1] == 'u');
}

/* Whether an accent can be nothing else. */
static int
is_accent(const struct hints *h, const char *s, size_t at, int braces)
{
	char accent = s[at + 1];

	if (braces || h->certain)
		return 1;
	if (h->path || accent == '=' || accent == '.')
		return 0;
	if (accent == '\'')
		return !is_elision(s, at);
	return accent == '"' ? !h->quoted[0] : accent == '`' ? !h->quoted[1] : 1;
}

/* A letter such as "\o" or "\ss" that begins at s, in a word: before is the byte in front of it. Its bytes
 * with what ends its name, or 0: "\o/" is none. */
static size_t
letter_at(const char *s, size_t len, char before, const struct tex_command **c)
{
	size_t n = 1 + name_len(s, len);

	if (n == 1 || !is_letter(s[1]) || (*c = tex_command(s + 1, n - 1)) == NULL ||
	    (*c)->does != TEX_LETTER)
		return 0;
	if (n + 1 < len && s[n] == '{' && s[n + 1] == '}')
		return n + 2;
	if (before == '{')
		return n;
	if (!is_letter(before) && (s[1] < 'A' || s[1] > 'Z'))
		return 0;
	if (n + 1 < len && s[n] == ' ' && is_letter(s[n + 1]))
		return n + 1;
	return is_letter(before) ? n : 0;
}

#define WORDS_MAX	500		/* bytes of the words that one command is about */

/* \emph{...} and the like: writes the words. Returns the bytes, or 0: nothing is written. */
static size_t
words_at(struct buf *out, const char *s, size_t len, int html)
{
	size_t n = 1 + name_len(s, len), group, was = out->len;
	size_t most = len - n < WORDS_MAX ? len - n : WORDS_MAX;
	const struct tex_command *c = tex_command(s + 1, n - 1);
	struct math m = { .s = s, .out = out, .begun = was, .html = html, .words = 1 };

	if (c == NULL || c->does != TEX_WORDS || n >= len || s[n] != '{' ||
	    (group = group_len(s + n, most)) == 0 || memchr(s, '$', n + group) != NULL)
		return 0;
	m.len = n + group;
	if (math_run(&m) == 0)
		return m.len;
	if (out->data != NULL)
		out->data[out->len = was] = '\0';
	return 0;
}

/* Writes the accent, letter or words that begin at s[at] with a backslash, or with a brace around such.
 * Returns their bytes; 0: none, nothing is written. */
static size_t
word_at(struct buf *out, const struct hints *h, const char *s, size_t at, size_t len, int html)
{
	size_t brace = s[at] == '{', n, blen;
	const struct tex_command *c;
	const char *both;
	int braces;

	if (at + brace + 1 >= len || s[at + brace] != '\\')
		return 0;
	at += brace;
	n = accent_at(s + at, len - at, &both, &blen, &braces);
	if (n > 0 && brace && (at + n >= len || s[at + n] != '}'))
		return 0;
	if (n > 0 && is_accent(h, s, at, braces || brace)) {
		buf_add(out, both, blen);
		return n + 2 * brace;
	}
	n = letter_at(s + at, len - at, at > 0 ? s[at - 1] : '\0', &c);
	if (n > 0 && (brace ? at + n < len && s[at + n] == '}' : !h->path)) {
		buf_str(out, c->text);
		return n + 2 * brace;
	}
	return brace ? 0 : words_at(out, s + at, len - at, html);
}

/* ---- The text ---- */

/* Writes the formula s of n bytes with its signs of `open` bytes. */
static void
formula_put(struct buf *out, const char *s, size_t n, size_t open, int html)
{
	struct math m = { .s = s + open, .len = n - 2 * open, .html = html };
	struct buf b;

	buf_init(&b, SHOWN_MAX);
	m.out = &b;
	if (math_run(&m) == 0) {
		buf_add(out, b.data != NULL ? b.data : "", b.len);
	} else if (html) {
		buf_str(out, "<code>");
		text_xml(out, s, n);
		buf_str(out, "</code>");
	} else
		buf_add(out, s, n);
	buf_free(&b);
}

static void
tex_put(struct buf *out, const char *s, size_t len, int html)
{
	size_t at, n, open, plain = 0;
	struct hints h;

	hints_find(&h, s, len);
	for (at = 0; at < len; at += n) {
		n = 0;
		if (s[at] == '$' || (s[at] == '\\' && at + 1 < len && s[at + 1] == '(')) {
			n = formula_at(s + at, len - at, at > 0 ? s[at - 1] : '\0', &open);
			if (n == 0) {
				n = 1;
				continue;
			}
		} else if (s[at] != '\\' && s[at] != '{') {
			n = 1;
			continue;
		}
		if (html)
			text_xml(out, s + plain, at - plain);
		else
			buf_add(out, s + plain, at - plain);
		plain = at;
		if (n > 0)
			formula_put(out, s + at, n, open, html);
		else if ((n = word_at(out, &h, s, at, len, html)) == 0) {
			n = s[at] == '\\' && at + 1 < len && (unsigned char)s[at + 1] < 0x80 ? 2 : 1;
			continue;
		}
		plain = at + n;
	}
	if (html)
		text_xml(out, s + plain, len - plain);
	else
		buf_add(out, s + plain, len - plain);
}

void
tex_text(struct buf *out, const char *s, size_t len)
{
	tex_put(out, s, len, 0);
}

void
tex_html(struct buf *out, const char *s, size_t len)
{
	tex_put(out, s, len, 1);
}
