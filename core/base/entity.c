/* The named and numeric character references of HTML 5, decoded as browsers do. */
#include "entity.h"
#include "utf8.h"

#include <string.h>

#define ENTITY_NAME	32		/* bytes of the longest name, with its NUL */

/* All names and values in one block: offsets, unlike pointers, need no relocation. */
struct entity_blob {
#define ENTITY(n, v)	char n_##n[sizeof(#n)], v_##n[sizeof(v)];
#define LEGACY(n, v)	ENTITY(n, v)
#include "entity.inc"
#undef ENTITY
};

static const struct entity_blob entity_blob = {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name of a member takes none */
#define ENTITY(n, v)	.n_##n = #n, .v_##n = v,
#include "entity.inc"
#undef ENTITY
#undef LEGACY
};

struct entity {
	uint16_t name, value;		/* offsets into the blob */
	uint8_t	 len;			/* of the name */
	uint8_t	 legacy;		/* valid without its semicolon */
};

static const struct entity entity_table[] = {
#define ENTRY(n, old)	{ offsetof(struct entity_blob, n_##n), \
	offsetof(struct entity_blob, v_##n), sizeof(#n) - 1, old },
#define ENTITY(n, v)	ENTRY(n, 0)
#define LEGACY(n, v)	ENTRY(n, 1)
#include "entity.inc"
#undef ENTITY
#undef LEGACY
#undef ENTRY
};

static const char *
entity_at(size_t offset)
{
	return (const char *)&entity_blob + offset;
}

static const struct entity *
entity_find(const char *name, size_t len)
{
	size_t low = 0, high = sizeof(entity_table) / sizeof(entity_table[0]), mid;
	int order;

	while (low < high) {
		mid = (low + high) / 2;
		order = strncmp(name, entity_at(entity_table[mid].name), len);
		if (order == 0 && entity_table[mid].len == len)
			return &entity_table[mid];
		if (order > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static int
entity_digit(int c, int base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads a reference with "&#" at s. Returns its length, 0 when it has no digit. */
static size_t
entity_number(struct text_char *out, const char *s, size_t n)
{
	uint32_t value = 0;
	size_t at = 2, first;
	int base = 10, digit;

	if (at < n && (s[at] | 0x20) == 'x') {
		base = 16;
		at++;
	}
	for (first = at; at < n && (digit = entity_digit(s[at], base)) >= 0; at++)
		if (value <= 0x10ffff)
			value = value * (uint32_t)base + (uint32_t)digit;
	if (at == first)
		return 0;
	if (at < n && s[at] == ';')
		at++;
	if (value >= 0x80 && value < 0xa0)
		value = text_c1(value);
	text_char(out, value);
	return at;
}

static int
entity_alnum(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* For a name without a semicolon: the longest prefix that is valid without one. */
static const struct entity *
entity_legacy(const char *name, size_t len)
{
	const struct entity *e;

	for (; len >= 2; len--)
		if ((e = entity_find(name, len)) != NULL && e->legacy)
			return e;
	return NULL;
}

size_t
text_reference(struct text_char *out, const char *s, size_t n, int attribute)
{
	const struct entity *e = NULL;
	size_t len = 0, used;

	if (n < 3 || s[0] != '&')
		return 0;
	if (s[1] == '#')
		return entity_number(out, s, n);
	while (len < ENTITY_NAME && 1 + len < n && entity_alnum(s[1 + len]))
		len++;
	if (len > 0 && 1 + len < n && s[1 + len] == ';' && len < ENTITY_NAME)
		e = entity_find(s + 1, len);
	used = len + 2;
	if (e == NULL && (e = entity_legacy(s + 1, len < 6 ? len : 6)) != NULL) {
		used = 1u + e->len;
		if (used < n && (s[used] == '=' || (attribute && entity_alnum(s[used]))))
			return 0;
	}
	if (e == NULL)
		return 0;
	out->len = strlen(entity_at(e->value));
	memcpy(out->bytes, entity_at(e->value), out->len + 1);
	return used;
}
