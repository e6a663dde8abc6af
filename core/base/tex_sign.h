/* TeX's commands, accents and scripts, and what Unicode has for them. */
#ifndef CORE_TEX_SIGN_H
#define CORE_TEX_SIGN_H
#include <stddef.h>
#include <stdint.h>

/* What a command does. Those from TEX_PLAIN on take an argument, TEX_FRACTION two. */
enum tex_does {
	TEX_SIGN,			/* stands for a sign */
	TEX_RELATION,			/* the same, with a space on both sides */
	TEX_NAME,			/* the name of a function: "log" */
	TEX_LETTER,			/* a letter, in formulas and in words */
	TEX_NOTHING,			/* is about sizes and places alone */
	TEX_PLAIN,			/* the argument as it is */
	TEX_WORDS,			/* the argument as words; in words, too */
	TEX_FONT,			/* another alphabet: enum tex_font */
	TEX_ACCENT,			/* a combining mark on one letter */
	TEX_LINE,			/* a combining mark on each letter */
	TEX_NOT,			/* a stroke through a relation */
	TEX_ROOT,
	TEX_FRACTION,
};
enum tex_font { TEX_UPRIGHT, TEX_BOARD, TEX_SCRIPT, TEX_FRAKTUR };

struct tex_command {
	const char	*name;
	unsigned char	 does, font;	/* enum tex_does, enum tex_font */
	const char	*text;		/* the sign or mark, in UTF-8 */
};
/* A command by its name without the backslash; NULL: unknown. */
const struct tex_command *tex_command(const char *name, size_t len);
/* A letter with an accent (one of `'^"~=. or of uvHckrd) in UTF-8; *len: its bytes. NULL: there is none. */
const char	*tex_accented(char accent, char letter, size_t *len);
/* A character of a formula in another alphabet; itself where that has none. */
uint32_t	 tex_font(enum tex_font, uint32_t codepoint);
/* A character as superscript (up) or subscript; 0: Unicode has none. */
uint32_t	 tex_script(uint32_t codepoint, int up);
#endif
