/* Serial words of titles: numbers in digits, letters and words; days, months, seasons. */
#include "serial.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define WORD_MAX	32		/* bytes of a word in the table */
#define ROMAN_MAX	8		/* letters of a Roman numeral: up to XXXVIII */
#define NUMBER_DIGITS	18		/* digits that are kept as a value */

/* A number word's value; above 0x1000 a name. */
enum { NAME_DAY = 0x1000, NAME_MONTH = 0x2000, NAME_SEASON = 0x3000, NAME_TIME = 0x4000,
	NAME_LETTER = 0x5000 };
#define DAY(n)		(NAME_DAY + (n))	/* 1: Monday */
#define MONTH(n)	(NAME_MONTH + (n))
#define SEASON(n)	(NAME_SEASON + (n))	/* 1: spring */
#define TIME(n)		(NAME_TIME + (n))	/* of the day, or how often */

/* Words of all languages, folded, sorted by their bytes. */
static const struct term {
	const char	*word;
	uint32_t	 means;
} terms[] = {
	{ "abends", TIME(3) }, { "abril", MONTH(4) }, { "acht", 8 }, { "achte", 8 },
	{ "achter", 8 }, { "achtes", 8 }, { "achtste", 8 }, { "achttien", 18 },
	{ "achtzehn", 18 }, { "achtzig", 80 }, { "afternoon", TIME(2) }, { "agosto", MONTH(8) },
	{ "annual", TIME(9) }, { "annuel", TIME(9) }, { "août", MONTH(8) }, { "apr", MONTH(4) },
	{ "april", MONTH(4) }, { "aprile", MONTH(4) }, { "aug", MONTH(8) },
	{ "august", MONTH(8) }, { "augustus", MONTH(8) }, { "automne", SEASON(3) },
	{ "autumn", SEASON(3) }, { "autunno", SEASON(3) }, { "avril", MONTH(4) },
	{ "catorce", 14 }, { "catorze", 14 }, { "cent", 100 }, { "cento", 100 }, { "cien", 100 },
	{ "cinco", 5 }, { "cincuenta", 50 }, { "cinq", 5 }, { "cinquanta", 50 },
	{ "cinquante", 50 }, { "cinque", 5 }, { "cinquenta", 50 }, { "cinquième", 5 },
	{ "cuarenta", 40 }, { "cuarta", 4 }, { "cuarto", 4 }, { "cuatro", 4 },
	{ "daily", TIME(5) }, { "dec", MONTH(12) }, { "december", MONTH(12) }, { "decima", 10 },
	{ "decimo", 10 }, { "derde", 3 }, { "dertien", 13 }, { "dertig", 30 }, { "deux", 2 },
	{ "deuxième", 2 }, { "dez", 10 }, { "dezember", MONTH(12) }, { "dezembro", MONTH(12) },
	{ "dezenove", 19 }, { "dezesseis", 16 }, { "dezessete", 17 }, { "dezoito", 18 },
	{ "dicembre", MONTH(12) }, { "diciannove", 19 }, { "diciassette", 17 },
	{ "diciembre", MONTH(12) }, { "diciotto", 18 }, { "dieci", 10 }, { "diecinueve", 19 },
	{ "dieciocho", 18 }, { "diecisiete", 17 }, { "dieciséis", 16 }, { "dienstag", DAY(2) },
	{ "diez", 10 }, { "dimanche", DAY(7) }, { "dinsdag", DAY(2) }, { "dix", 10 },
	{ "dixième", 10 }, { "doce", 12 }, { "dodici", 12 }, { "dois", 2 },
	{ "domenica", DAY(7) }, { "domingo", DAY(7) }, { "donderdag", DAY(4) },
	{ "donnerstag", DAY(4) }, { "dos", 2 }, { "douze", 12 }, { "douzième", 12 },
	{ "doze", 12 }, { "drei", 3 }, { "dreizehn", 13 }, { "dreißig", 30 }, { "drie", 3 },
	{ "dritte", 3 }, { "dritter", 3 }, { "drittes", 3 }, { "duas", 2 }, { "due", 2 },
	{ "duizend", 1000 }, { "décembre", MONTH(12) }, { "décima", 10 }, { "décimo", 10 },
	{ "eerste", 1 }, { "eight", 8 }, { "eighteen", 18 }, { "eighteenth", 18 },
	{ "eighth", 8 }, { "eighty", 80 }, { "eins", 1 }, { "eleven", 11 }, { "eleventh", 11 },
	{ "elf", 11 }, { "elfde", 11 }, { "elfte", 11 }, { "elfter", 11 }, { "elftes", 11 },
	{ "enero", MONTH(1) }, { "erste", 1 }, { "erster", 1 }, { "erstes", 1 },
	{ "evening", TIME(3) }, { "fall", SEASON(3) }, { "feb", MONTH(2) },
	{ "febbraio", MONTH(2) }, { "febrero", MONTH(2) }, { "februar", MONTH(2) },
	{ "februari", MONTH(2) }, { "february", MONTH(2) }, { "fevereiro", MONTH(2) },
	{ "fifteen", 15 }, { "fifteenth", 15 }, { "fifth", 5 }, { "fiftieth", 50 },
	{ "fifty", 50 }, { "first", 1 }, { "five", 5 }, { "fortieth", 40 }, { "forty", 40 },
	{ "four", 4 }, { "fourteen", 14 }, { "fourteenth", 14 }, { "fourth", 4 },
	{ "freitag", DAY(5) }, { "fri", DAY(5) }, { "friday", DAY(5) }, { "frühjahr", SEASON(1) },
	{ "frühling", SEASON(1) }, { "février", MONTH(2) }, { "fünf", 5 }, { "fünfte", 5 },
	{ "fünfter", 5 }, { "fünftes", 5 }, { "fünfzehn", 15 }, { "fünfzig", 50 },
	{ "gennaio", MONTH(1) }, { "giovedì", DAY(4) }, { "giugno", MONTH(6) },
	{ "hebdomadaire", TIME(6) }, { "herbst", SEASON(3) }, { "hiver", SEASON(4) },
	{ "honderd", 100 }, { "huit", 8 }, { "huitième", 8 }, { "hundert", 100 },
	{ "hundred", 100 }, { "hundredth", 100 }, { "inverno", SEASON(4) },
	{ "invierno", SEASON(4) }, { "jan", MONTH(1) }, { "janeiro", MONTH(1) },
	{ "januar", MONTH(1) }, { "januari", MONTH(1) }, { "january", MONTH(1) },
	{ "janvier", MONTH(1) }, { "jeudi", DAY(4) }, { "jueves", DAY(4) },
	{ "juillet", MONTH(7) }, { "juin", MONTH(6) }, { "jul", MONTH(7) }, { "julho", MONTH(7) },
	{ "juli", MONTH(7) }, { "julio", MONTH(7) }, { "july", MONTH(7) }, { "jun", MONTH(6) },
	{ "june", MONTH(6) }, { "junho", MONTH(6) }, { "juni", MONTH(6) }, { "junio", MONTH(6) },
	{ "jährlich", TIME(9) }, { "jänner", MONTH(1) }, { "luglio", MONTH(7) },
	{ "lundi", DAY(1) }, { "lunedì", DAY(1) }, { "lunes", DAY(1) }, { "maandag", DAY(1) },
	{ "maart", MONTH(3) }, { "maggio", MONTH(5) }, { "mai", MONTH(5) }, { "maio", MONTH(5) },
	{ "manhã", TIME(1) }, { "march", MONTH(3) }, { "mardi", DAY(2) }, { "mars", MONTH(3) },
	{ "martedì", DAY(2) }, { "martes", DAY(2) }, { "marzo", MONTH(3) }, { "março", MONTH(3) },
	{ "matin", TIME(1) }, { "mattina", TIME(1) }, { "may", MONTH(5) }, { "mayo", MONTH(5) },
	{ "mañana", TIME(1) }, { "mei", MONTH(5) }, { "mensuel", TIME(7) },
	{ "mercoledì", DAY(3) }, { "mercredi", DAY(3) }, { "mille", 1000 },
	{ "mittwoch", DAY(3) }, { "miércoles", DAY(3) }, { "monatlich", TIME(7) },
	{ "monday", DAY(1) }, { "montag", DAY(1) }, { "monthly", TIME(7) },
	{ "morgens", TIME(1) }, { "morning", TIME(1) }, { "märz", MONTH(3) },
	{ "nachmittag", TIME(2) }, { "nachmittags", TIME(2) }, { "nachts", TIME(4) },
	{ "negen", 9 }, { "negende", 9 }, { "negentien", 19 }, { "negentig", 90 }, { "neuf", 9 },
	{ "neun", 9 }, { "neunte", 9 }, { "neunter", 9 }, { "neuntes", 9 }, { "neunzehn", 19 },
	{ "neunzig", 90 }, { "neuvième", 9 }, { "night", TIME(4) }, { "nine", 9 },
	{ "nineteen", 19 }, { "nineteenth", 19 }, { "ninety", 90 }, { "ninth", 9 },
	{ "noche", TIME(4) }, { "noite", TIME(4) }, { "nona", 9 }, { "nono", 9 },
	{ "notte", TIME(4) }, { "nov", MONTH(11) }, { "novanta", 90 }, { "nove", 9 },
	{ "november", MONTH(11) }, { "novembre", MONTH(11) }, { "novembro", MONTH(11) },
	{ "novena", 9 }, { "noveno", 9 }, { "noventa", 90 }, { "noviembre", MONTH(11) },
	{ "nueve", 9 }, { "nuit", TIME(4) }, { "ochenta", 80 }, { "ocho", 8 },
	{ "oct", MONTH(10) }, { "octava", 8 }, { "octavo", 8 }, { "october", MONTH(10) },
	{ "octobre", MONTH(10) }, { "octubre", MONTH(10) }, { "oitava", 8 }, { "oitavo", 8 },
	{ "oitenta", 80 }, { "oito", 8 }, { "okt", MONTH(10) }, { "oktober", MONTH(10) },
	{ "one", 1 }, { "onze", 11 }, { "onzième", 11 }, { "otoño", SEASON(3) },
	{ "ottanta", 80 }, { "ottava", 8 }, { "ottavo", 8 }, { "otto", 8 },
	{ "ottobre", MONTH(10) }, { "outono", SEASON(3) }, { "outubro", MONTH(10) },
	{ "première", 1 }, { "prima", 1 }, { "primavera", SEASON(1) }, { "primeira", 1 },
	{ "primeiro", 1 }, { "primera", 1 }, { "primero", 1 }, { "primo", 1 },
	{ "printemps", SEASON(1) }, { "quaranta", 40 }, { "quarante", 40 }, { "quarenta", 40 },
	{ "quarta", 4 }, { "quarterly", TIME(8) }, { "quarto", 4 }, { "quatorze", 14 },
	{ "quatre", 4 }, { "quatrième", 4 }, { "quatro", 4 }, { "quattordici", 14 },
	{ "quattro", 4 }, { "quince", 15 }, { "quindici", 15 }, { "quinta", 5 }, { "quinto", 5 },
	{ "quinze", 15 }, { "quotidien", TIME(5) }, { "sabato", DAY(6) }, { "samedi", DAY(6) },
	{ "samstag", DAY(6) }, { "saturday", DAY(6) }, { "sechs", 6 }, { "sechste", 6 },
	{ "sechster", 6 }, { "sechstes", 6 }, { "sechzehn", 16 }, { "sechzig", 60 },
	{ "second", 2 }, { "seconda", 2 }, { "secondo", 2 }, { "sedici", 16 }, { "segunda", 2 },
	{ "segundo", 2 }, { "seis", 6 }, { "seize", 16 }, { "sep", MONTH(9) },
	{ "sept", MONTH(9) }, { "september", MONTH(9) }, { "septembre", MONTH(9) },
	{ "septiembre", MONTH(9) }, { "septième", 7 }, { "sesenta", 60 }, { "sessanta", 60 },
	{ "sessenta", 60 }, { "sesta", 6 }, { "sesto", 6 }, { "sete", 7 },
	{ "setembro", MONTH(9) }, { "setenta", 70 }, { "settanta", 70 }, { "sette", 7 },
	{ "settembre", MONTH(9) }, { "settima", 7 }, { "settimo", 7 }, { "seven", 7 },
	{ "seventeen", 17 }, { "seventeenth", 17 }, { "seventh", 7 }, { "seventy", 70 },
	{ "sexta", 6 }, { "sexto", 6 }, { "sieben", 7 }, { "siebte", 7 }, { "siebter", 7 },
	{ "siebtes", 7 }, { "siebzehn", 17 }, { "siebzig", 70 }, { "siete", 7 }, { "six", 6 },
	{ "sixième", 6 }, { "sixteen", 16 }, { "sixteenth", 16 }, { "sixth", 6 }, { "sixty", 60 },
	{ "soir", TIME(3) }, { "soixante", 60 }, { "sommer", SEASON(2) }, { "sonnabend", DAY(6) },
	{ "sonntag", DAY(7) }, { "spring", SEASON(1) }, { "summer", SEASON(2) },
	{ "sunday", DAY(7) }, { "sábado", DAY(6) }, { "séptima", 7 }, { "séptimo", 7 },
	{ "sétima", 7 }, { "sétimo", 7 }, { "tachtig", 80 }, { "tausend", 1000 }, { "ten", 10 },
	{ "tenth", 10 }, { "terceira", 3 }, { "terceiro", 3 }, { "tercera", 3 }, { "tercero", 3 },
	{ "terza", 3 }, { "terzo", 3 }, { "terça", DAY(2) }, { "third", 3 }, { "thirteen", 13 },
	{ "thirteenth", 13 }, { "thirtieth", 30 }, { "thirty", 30 }, { "thousand", 1000 },
	{ "three", 3 }, { "thu", DAY(4) }, { "thurs", DAY(4) }, { "thursday", DAY(4) },
	{ "tien", 10 }, { "tiende", 10 }, { "tre", 3 }, { "trece", 13 }, { "tredici", 13 },
	{ "treinta", 30 }, { "treize", 13 }, { "trenta", 30 }, { "trente", 30 }, { "tres", 3 },
	{ "treze", 13 }, { "trinta", 30 }, { "trois", 3 }, { "troisième", 3 }, { "três", 3 },
	{ "tues", DAY(2) }, { "tuesday", DAY(2) }, { "twaalf", 12 }, { "twaalfde", 12 },
	{ "twee", 2 }, { "tweede", 2 }, { "twelfth", 12 }, { "twelve", 12 }, { "twentieth", 20 },
	{ "twenty", 20 }, { "twintig", 20 }, { "two", 2 }, { "täglich", TIME(5) },
	{ "undici", 11 }, { "veertien", 14 }, { "veertig", 40 }, { "veinte", 20 },
	{ "vendredi", DAY(5) }, { "venerdì", DAY(5) }, { "venti", 20 }, { "verano", SEASON(2) },
	{ "verão", SEASON(2) }, { "vier", 4 }, { "vierde", 4 }, { "viernes", DAY(5) },
	{ "vierte", 4 }, { "vierter", 4 }, { "viertes", 4 }, { "vierzehn", 14 },
	{ "vierzig", 40 }, { "vijf", 5 }, { "vijfde", 5 }, { "vijftien", 15 }, { "vijftig", 50 },
	{ "vingt", 20 }, { "vinte", 20 }, { "vrijdag", DAY(5) }, { "wednesday", DAY(3) },
	{ "weekly", TIME(6) }, { "winter", SEASON(4) }, { "woensdag", DAY(3) },
	{ "wöchentlich", TIME(6) }, { "yearly", TIME(9) }, { "zaterdag", DAY(6) }, { "zehn", 10 },
	{ "zehnte", 10 }, { "zehnter", 10 }, { "zehntes", 10 }, { "zes", 6 }, { "zesde", 6 },
	{ "zestien", 16 }, { "zestig", 60 }, { "zeven", 7 }, { "zevende", 7 },
	{ "zeventien", 17 }, { "zeventig", 70 }, { "zondag", DAY(7) }, { "zwanzig", 20 },
	{ "zwanzigste", 20 }, { "zwei", 2 }, { "zweite", 2 }, { "zweiter", 2 }, { "zweites", 2 },
	{ "zwölf", 12 }, { "zwölfte", 12 }, { "zwölfter", 12 }, { "zwölftes", 12 },
};

/* Words before a letter or a numeral of one letter that numbers something. */
static const char *const units[] = {
	"part", "volume", "vol", "chapter", "book", "act", "section", "series", "type", "class",
	"group", "phase", "stage", "level", "grade", "appendix", "annex", "exhibit", "figure",
	"table", "episode", "season", "issue", "no", "number", "round", "war", "version", "plan",
	"team", "unit", "block", "lecture", "lesson", "teil", "band", "kapitel", "folge", "heft",
	"partie", "tome", "chapitre", "volumen", "parte", "capítulo", "capitolo", "deel",
};

static int
term_order(const void *key, const void *row)
{
	return strcmp(key, ((const struct term *)row)->word);
}

/* What the word means, by the table; 0: nothing. */
static uint32_t
word_means(const char *s, size_t n)
{
	char word[WORD_MAX + 1];
	const struct term *t;

	if (n < 2 || n > WORD_MAX)
		return 0;
	memcpy(word, s, n);
	word[n] = '\0';
	t = bsearch(word, terms, COUNT(terms), sizeof(terms[0]), term_order);
	return t != NULL ? t->means : 0;
}

/* The value of a Roman numeral below 40, as numbers of parts are; 0: none. */
static uint32_t
roman(const char *s, size_t n)
{
	static const char *const ones[] = { "", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii",
		"ix" };
	uint32_t tens = 0;

	if (n == 0 || n > ROMAN_MAX)
		return 0;
	for (; n > 0 && *s == 'x' && tens < 3; s++, n--)
		tens++;
	for (uint32_t i = 0; i < COUNT(ones); i++)
		if (strlen(ones[i]) == n && memcmp(ones[i], s, n) == 0)
			return 10 * tens + i;
	return 0;
}

static int
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static void
add_number(struct serial *t, uint64_t value)
{
	uint64_t *last = &t->number[SERIAL_NUMBERS - 1];

	if (t->numbers < SERIAL_NUMBERS)
		t->number[t->numbers++] = value;
	else
		*last = *last * 1099511628211u + value;
}

static void
add_name(struct serial *t, uint32_t name)
{
	size_t i = t->names;

	if (i == SERIAL_NAMES)
		return;
	for (; i > 0 && t->name[i - 1] > name; i--)
		t->name[i] = t->name[i - 1];
	t->name[i] = name;
	t->names++;
}

/* The value of n digits, of long ones a hash. */
static uint64_t
value_of(const char *s, size_t n)
{
	uint64_t value = 0;
	size_t skip = 0;

	while (skip + 1 < n && s[skip] == '0')
		skip++;
	for (size_t i = skip; i < n; i++)
		value = value * (n - skip > NUMBER_DIGITS ? 1099511628211u : 10) +
		    (uint64_t)(s[i] - '0');
	return value;
}

/* Adds each run of digits in the word. */
static void
add_digits(struct serial *t, const char *s, size_t n)
{
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		for (len = 0; i + len < n && is_digit(s[i + len]); len++)
			;
		if (len > 0)
			add_number(t, value_of(s + i, len));
		else
			len = 1;
	}
}

static size_t
digits(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && is_digit(s[i]))
		i++;
	return i;
}

/* The words of a title as "1 000 000" at s are one number: its length, and the number; or 0. */
static size_t
grouped(struct serial *t, const char *s, size_t n)
{
	char all[NUMBER_DIGITS + 1];
	size_t len = digits(s, n), at = len, used = 0;

	if (len == 0 || len > 3 || s[0] == '0')
		return 0;
	memcpy(all, s, len);
	used = len;
	while (at + 4 <= n && s[at] == ' ' && digits(s + at + 1, n - at - 1) == 3 &&
	    (at + 4 == n || s[at + 4] == ' ') && used + 3 <= NUMBER_DIGITS) {
		memcpy(all + used, s + at + 1, 3);
		used += 3;
		at += 4;
	}
	if (at == len)
		return 0;
	add_number(t, value_of(all, used));
	return at;
}

static int
is_unit(const char *s, size_t n)
{
	for (size_t i = 0; i < COUNT(units); i++)
		if (strlen(units[i]) == n && memcmp(units[i], s, n) == 0)
			return 1;
	return 0;
}

/* A word of one letter is serial behind a unit and at the end of a title, where "a" may be a word. */
static void
add_letter(struct serial *t, char letter, const char *before, size_t before_len, int last)
{
	uint32_t value = roman(&letter, 1);

	if (!is_unit(before, before_len) && (!last || letter == 'a'))
		return;
	if (value > 0)
		add_number(t, value);
	else if (letter >= 'a' && letter <= 'z')
		add_name(t, NAME_LETTER + (uint32_t)letter);
}

void
serial_read(struct serial *t, const char *title, size_t n)
{
	size_t len, before = 0, before_len = 0;
	uint32_t means;
	const char *s;

	t->numbers = t->names = 0;
	for (size_t at = 0; at < n; at += len + 1) {
		s = title + at;
		if ((len = grouped(t, s, n - at)) > 0)
			continue;
		for (len = 0; at + len < n && s[len] != ' '; len++)
			;
		if (len == 1 && !is_digit(*s))
			add_letter(t, *s, title + before, before_len, at + len == n);
		else if ((means = roman(s, len)) > 0 || (means = word_means(s, len)) > 0)
			means < NAME_DAY ? add_number(t, means) : add_name(t, means);
		else
			add_digits(t, s, len);
		before = at;
		before_len = len;
	}
}

int
serial_word(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_digit(s[i]))
			return 1;
	return n > 1 && (roman(s, n) > 0 || word_means(s, n) > 0);
}

int
serial_equal(const struct serial *a, const struct serial *b)
{
	return a->numbers == b->numbers && a->names == b->names &&
	    memcmp(a->number, b->number, a->numbers * sizeof(a->number[0])) == 0 &&
	    memcmp(a->name, b->name, a->names * sizeof(a->name[0])) == 0;
}
