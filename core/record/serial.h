/* What tells the members of a series apart: the numbers, days, months and letters of their titles. */
#ifndef CORE_SERIAL_H
#define CORE_SERIAL_H
#include <stddef.h>
#include <stdint.h>

#define SERIAL_NUMBERS	16		/* of one title; what is beyond them is hashed */
#define SERIAL_NAMES	16

/* The serial words of a title. numbers: in their order, from digits (also inside of words: v2,
 * gpt4), Roman numerals, and number words of English, German, French, Spanish, Italian, Portuguese
 * and Dutch; "1,000" is one number. names: sorted; weekdays, months, seasons, times of day,
 * letters that number a part ("Part B"). */
struct serial {
	size_t		 numbers, names;
	uint64_t	 number[SERIAL_NUMBERS];
	uint32_t	 name[SERIAL_NAMES];
};

/* Reads a title in the form of text_title_key(). */
void	serial_read(struct serial *, const char *title, size_t);
int	serial_equal(const struct serial *, const struct serial *);
/* Whether a word of such a title is a serial word wherever it stands: a number, a day, a month ... */
int	serial_word(const char *, size_t);
#endif
