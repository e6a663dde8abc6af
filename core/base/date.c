/* Dates: reads every form that feeds use, by tables and civil-day arithmetic; writes two. */
#include "date.h"
#include "text.h"
#include "utf8.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define DATE_TEXT	128		/* bytes of a date; the rest is ignored */
#define DATE_WORD	48		/* bytes of a folded word */
#define DATE_OFFSET	(16 * 60)	/* minutes: every zone is nearer to UTC */
#define DATE_DAY	86400000	/* ms */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

enum {
	SEEN_YEAR = 1, SEEN_MONTH = 2, SEEN_DAY = 4, SEEN_TIME = 8, SEEN_ZONE = 16,
	SEEN_ORDINAL = 32, SEEN_INSTANT = 64,
	SEEN_ALL = SEEN_YEAR | SEEN_MONTH | SEEN_DAY | SEEN_TIME | SEEN_ZONE,
};

struct date {
	int	 seen;
	int	 year, month, day, hour, minute, second, milli;
	int	 ordinal;		/* days after 1 January */
	int	 zone;			/* minutes east */
	int	 half;			/* 1: am, 2: pm */
	int64_t	 instant;		/* ms, when the text was a number of them */
};

/* Names of months, without accents. A word of three letters or more that is the prefix of a name
 * stands for that month. Names that mean different months in two languages are omitted. */
static const char *const date_months[12] = {
	"january januari janvier januar janner jaenner enero gennaio janeiro janar leden ledna styczen "
	"stycznia ocak tammikuuta ianuarie sijecanj ιανουαριοσ ιανουαριου январь января січень січня",
	"february februari februar fevrier feber febrero febbraio fevereiro unor unora luty lutego subat "
	"helmikuuta februarie φεβρουαριοσ φεβρουαριου февраль февраля лютий лютого",
	"march mars marz maerz maart marzo marco marcius brezen brezna marzec marca mart maaliskuuta "
	"martie μαρτιοσ μαρτιου μαω март марта березень березня",
	"april aprilis avril abril aprile duben dubna kwiecien kwietnia nisan huhtikuuta aprilie "
	"απριλιοσ απριλιου апрель апреля квітень квітня",
	"may mayo mai mei maj maggio maio majus maujus maja kveten kvetna mayis toukokuuta "
	"μαιοσ μαιου май мая травень травня",
	"june juni juin junio giugno junho junius cerven cervna czerwiec czerwca haziran kesakuuta iunie "
	"ιουνιοσ ιουνιου ιον июнь июня червень червня",
	"july juli juillet julio luglio julho julius cervenec cervence lipiec lipca temmuz heinakuuta "
	"iulie ιουλιοσ ιουλιου ιολ июль июля липень липня",
	"august augustus augusti aout agosto augusztus srpen srpna sierpien sierpnia agustos elokuuta "
	"αυγουστοσ αυγουστου август августа серпень серпня",
	"september sept septembre septiembre settembre setembro szeptember zari wrzesien wrzesnia eylul "
	"syyskuuta septembrie σεπτεμβριοσ σεπτεμβριου сентябрь сентября вересень вересня",
	"october oktober octobre octubre ottobre outubro rijen rijna pazdziernik pazdziernika ekim "
	"lokakuuta octombrie οκτωβριοσ οκτωβριου октябрь октября жовтень жовтня",
	"november novembre noviembre novembro listopad listopadu listopada kasim marraskuuta noiembrie "
	"νοεμβριοσ νοεμβριου ноябрь ноября",
	"december dezember decembre diciembre dicembre dezembro prosinec prosince grudzien grudnia aralik "
	"joulukuuta decembrie δεκεμβριοσ δεκεμβριου декабрь декабря грудень грудня",
};

/* Names of zones: those of RFC 822 5.1, and others that mail and feeds use. Minutes east of UTC; an
 * ambiguous name has its meaning in RFC 822, else the most common one. */
static const struct date_zone {
	char	 name[6];
	short	 minutes;
} date_zones[] = {
	{ "acdt", 630 }, { "acst", 570 }, { "adt", -180 }, { "aedt", 660 }, { "aest", 600 },
	{ "akdt", -480 }, { "akst", -540 }, { "art", -180 }, { "ast", -240 }, { "at", -240 },
	{ "awst", 480 }, { "brst", -120 }, { "brt", -180 }, { "bst", 60 }, { "cat", 120 },
	{ "cdt", -300 }, { "cest", 120 }, { "cet", 60 }, { "clt", -240 }, { "clst", -180 },
	{ "cot", -300 }, { "cst", -360 }, { "ct", -360 }, { "eat", 180 }, { "edt", -240 },
	{ "eest", 180 }, { "eet", 120 }, { "est", -300 }, { "et", -300 }, { "gmt", 0 },
	{ "gst", 240 }, { "hdt", -540 }, { "hkt", 480 }, { "hst", -600 }, { "ict", 420 },
	{ "idt", 180 }, { "ist", 330 }, { "jst", 540 }, { "kst", 540 }, { "mdt", -360 },
	{ "mesz", 120 }, { "mest", 120 }, { "met", 60 }, { "mez", 60 }, { "msd", 240 },
	{ "msk", 180 }, { "mst", -420 }, { "mt", -420 }, { "ndt", -150 }, { "npt", 345 },
	{ "nst", -210 }, { "nt", -210 }, { "nzdt", 780 }, { "nzst", 720 }, { "pdt", -420 },
	{ "pet", -300 }, { "pht", 480 }, { "pkt", 300 }, { "pst", -480 }, { "pt", -480 },
	{ "sast", 120 }, { "sgt", 480 }, { "sst", -660 }, { "trt", 180 }, { "ut", 0 },
	{ "utc", 0 }, { "vet", -240 }, { "wat", 60 }, { "west", 60 }, { "wet", 0 },
	{ "wib", 420 }, { "wita", 480 }, { "wit", 540 }, { "z", 0 },
};

/* Signs of the two halves of a day, as written in dates. */
static const struct date_sign {
	const char	*text;
	int		 value;
} date_halves[] = {
	{ "a.m", 1 }, { "am", 1 }, { "p.m", 2 }, { "pm", 2 }, { "π.μ", 1 }, { "μ.μ", 2 },
	{ "πμ", 1 }, { "μμ", 2 }, { "오전", 1 }, { "오후", 2 }, { "午前", 1 }, { "午後", 2 },
	{ "上午", 1 }, { "下午", 2 },
};

/* Units behind the numbers of Chinese, Japanese and Korean dates. */
static const struct date_sign date_units[] = {
	{ "年", 'Y' }, { "년", 'Y' }, { "月", 'M' }, { "월", 'M' }, { "日", 'D' }, { "일", 'D' },
	{ "号", 'D' }, { "時", 'h' }, { "时", 'h' }, { "시", 'h' }, { "分", 'm' }, { "분", 'm' },
	{ "秒", 's' }, { "초", 's' },
};

static int
date_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
date_letter(int c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c & 0x80) != 0;
}

/* The value of the n digits at s. */
static int
date_value(const char *s, size_t n)
{
	int value = 0;

	while (n-- > 0)
		value = value * 10 + (*s++ - '0');
	return value;
}

static size_t
date_digits(const char *s)
{
	size_t n = 0;

	while (date_digit(s[n]))
		n++;
	return n;
}

static const struct date_sign *
date_sign(const struct date_sign *table, size_t count, const char *s)
{
	for (size_t i = 0; i < count; i++)
		if (((*s ^ table[i].text[0]) & ~0x20) == 0 &&	/* most fail here */
		    strncasecmp(s, table[i].text, strlen(table[i].text)) == 0)
			return &table[i];
	return NULL;
}

/* Years begin in March here, so that the leap day is the last. */
int64_t
date_days(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, era = (y >= 0 ? y : y - 399) / 400;
	int64_t in_era = y - era * 400;
	int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

void
date_civil(int64_t days, int *year, int *month, int *day)
{
	int64_t era, in_era, y, in_year, m;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	in_era = days - era * 146097;
	y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	in_year = in_era - (365 * y + y / 4 - y / 100);
	m = (5 * in_year + 2) / 153;
	*day = (int)(in_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + era * 400 + (*month <= 2));
}

static int
date_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
date_month_days(int year, int month)
{
	static const char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && date_leap(year));
}

/* The day of the week; 0: Monday. */
static int
date_weekday(int64_t days)
{
	return (int)(((days + 3) % 7 + 7) % 7);
}

/* The folded letter without its accent. */
static uint32_t
date_base(uint32_t cp)
{
	static const char latin1[] = "aaaaaaaceeeeiiiidnooooo-ouuuuypy";
	static const char extended[] =
	    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiijjjjkkkllllll"
	    "llllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
	static const uint16_t greek[][2] = {
		{ 0x3ac, 0x3b1 }, { 0x3ad, 0x3b5 }, { 0x3ae, 0x3b7 }, { 0x3af, 0x3b9 },
		{ 0x3ca, 0x3b9 }, { 0x390, 0x3b9 }, { 0x3cc, 0x3bf }, { 0x3cd, 0x3c5 },
		{ 0x3ce, 0x3c9 },
	};

	cp = text_fold_char(cp);
	if (cp >= 0xe0 && cp <= 0xff)
		return (uint32_t)latin1[cp - 0xe0];
	if (cp >= 0x100 && cp <= 0x17f)
		return (uint32_t)extended[cp - 0x100];
	for (size_t i = 0; cp >= 0x390 && i < COUNT(greek); i++)
		if (cp == greek[i][0])
			return greek[i][1];
	return cp;
}

/* Folds the word at s into out; returns its number of letters. *len: its bytes. */
static size_t
date_fold(char out[DATE_WORD], const char *s, size_t *len)
{
	struct text_char c;
	size_t letters = 0, used, bad, at = 0, fill = 0;
	uint32_t cp;

	for (; date_letter(s[at]); at += used > 0 ? used : bad) {
		if ((s[at] & 0x80) == 0) {
			used = 1;
			if (fill + 1 < DATE_WORD) {
				out[fill++] = (char)(s[at] | 0x20);
				letters++;
			}
			continue;
		}
		if ((used = text_get_char(&cp, &bad, s + at, strnlen(s + at, 4))) == 0)
			continue;
		text_char(&c, date_base(cp));
		if (fill + c.len >= DATE_WORD)
			continue;
		memcpy(out + fill, c.bytes, c.len);
		fill += c.len;
		letters++;
	}
	out[fill] = '\0';
	*len = at;
	return letters;
}

/* The words of RFC 822, the most frequent ones: months, then days of the week. */
static const char date_usual[19][4] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
	"mon", "tue", "wed", "thu", "fri", "sat", "sun",
};

/* The month of a word, 1 to 12, or 0. */
static int
date_month(const char *word)
{
	size_t len = strlen(word);
	const char *name;

	for (int i = 0; len == 3 && i < (int)COUNT(date_usual); i++)
		if (memcmp(date_usual[i], word, sizeof(date_usual[i])) == 0)
			return i < 12 ? i + 1 : 0;
	for (int month = 0; month < 12; month++)
		for (name = date_months[month]; name != NULL; name = strchr(name, ' ')) {
			name += *name == ' ';
			if (*name == *word && strncmp(name, word, len) == 0)
				return month + 1;
		}
	return 0;
}

/* RFC 2822 4.3: the meaning of years of two and three digits. */
static int
date_year(int value, size_t digits)
{
	if (digits == 2)
		return value < 50 ? value + 2000 : value + 1900;
	return digits == 3 ? value + 1900 : value;
}

static void
date_set(struct date *d, int year, int month, int day)
{
	d->year = year;
	d->month = month;
	d->day = day;
	d->seen |= SEEN_YEAR | SEEN_MONTH | SEEN_DAY;
}

static void
date_set_ordinal(struct date *d, int year, int ordinal)
{
	date_set(d, year, 1, 1);
	d->ordinal = ordinal;
	d->seen |= SEEN_ORDINAL;
}

/* Reads the three digits at s as a day of the year. */
static const char *
date_ordinal(struct date *d, int year, const char *s)
{
	int day = date_value(s, 3);

	if (day < 1 || day > 365 + date_leap(year))
		return NULL;
	date_set_ordinal(d, year, day - 1);
	return s + 3;
}

/* Reads "W53-7", "W537", "W53" at s, behind the year. ISO 8601 4.1.4: week 1 holds 4 January. */
static const char *
date_week(struct date *d, int year, const char *s)
{
	int week, day = 1;
	int64_t first = date_days(year, 1, 4);

	if (!date_digit(s[1]) || !date_digit(s[2]))
		return NULL;
	week = date_value(s + 1, 2);
	s += 3;
	if (*s == '-' && date_digit(s[1]))
		s++;
	if (date_digit(*s))
		day = *s++ - '0';
	if (week < 1 || week > 53 || day < 1 || day > 7)
		return NULL;
	first += (week - 1) * 7 + day - 1 - date_weekday(first);
	date_set_ordinal(d, year, (int)(first - date_days(year, 1, 1)));
	return s;
}

/* Reads the fraction of a second at s, which begins with its sign. */
static const char *
date_fraction(struct date *d, const char *s)
{
	int scale = 100;

	for (s++; date_digit(*s); s++, scale /= 10)
		d->milli += (*s - '0') * scale;
	return s;
}

/* Reads HH:MM[:SS[.fff]]; MSSQL's fraction follows a colon. */
static const char *
date_time(struct date *d, const char *s)
{
	size_t n = date_digits(s);

	d->hour = date_value(s, n);
	s += n + 1;
	n = date_digits(s);
	d->minute = n <= 2 ? date_value(s, n) : 99;
	s += n;
	d->second = d->milli = 0;
	d->seen |= SEEN_TIME;
	if (*s != ':' || (n = date_digits(s + 1)) == 0)
		return s;
	d->second = n <= 2 ? date_value(s + 1, n) : 99;
	s += n + 1;
	return (*s == '.' || *s == ',' || *s == ':') && date_digit(s[1]) ? date_fraction(d, s) : s;
}

/* Reads HH, HHMM, HHMMSS, with a fraction, behind a 'T'. */
static const char *
date_basic_time(struct date *d, const char *s)
{
	size_t n = date_digits(s);

	if (n != 2 && n != 4 && n != 6)
		return NULL;
	d->hour = date_value(s, 2);
	d->minute = n >= 4 ? date_value(s + 2, 2) : 0;
	d->second = n == 6 ? date_value(s + 4, 2) : 0;
	d->milli = 0;
	d->seen |= SEEN_TIME;
	s += n;
	return (*s == '.' || *s == ',') && date_digit(s[1]) ? date_fraction(d, s) : s;
}

/* Reads +HHMM, +HH:MM, +HMM, +HH at s, which begins with the sign. */
static const char *
date_offset(struct date *d, const char *s)
{
	int sign = *s == '-' ? -1 : 1, hours, minutes = 0;
	size_t n = date_digits(s + 1);

	s++;
	if (n > 4)
		return NULL;
	hours = date_value(s, n > 2 ? n - 2 : n);
	if (n > 2)
		minutes = date_value(s + n - 2, 2);
	s += n;
	if (n <= 2 && *s == ':' && date_digits(s + 1) == 2) {
		minutes = date_value(s + 1, 2);
		s += 3;
	}
	if (minutes > 59 || hours * 60 + minutes >= DATE_OFFSET)
		return NULL;
	d->zone = sign * (hours * 60 + minutes);
	d->seen |= SEEN_ZONE;
	return s;
}

/* Reads a run of many digits: a date without signs, or a number of seconds or ms since 1970. */
static const char *
date_run(struct date *d, const char *s, size_t n)
{
	int year = n == 6 ? date_year(date_value(s, 2), 2) : date_value(s, 4);
	int alone = s[n] == '\0' && d->seen == 0;

	if (n == 13 || (n >= 9 && n <= 10)) {
		if (!alone)
			return NULL;
		for (size_t i = 0; i < n; i++)
			d->instant = d->instant * 10 + (s[i] - '0');
		d->instant *= n == 13 ? 1 : 1000;
		d->seen |= SEEN_INSTANT;
		return s + n;
	}
	if ((d->seen & SEEN_YEAR) != 0 || (n != 6 && n != 7 && n != 8 && n != 12 && n != 14))
		return NULL;
	if (n == 7)
		return date_ordinal(d, year, s + 4);
	s += n == 6 ? 2 : 4;
	date_set(d, year, date_value(s, 2), date_value(s + 2, 2));
	return n > 8 ? date_basic_time(d, s + 4) : s + 4;
}

/* Reads YYYY-MM-DD, YYYY-MM, YYYY-DDD, YYYY-Www-D with - / . as sign; the month may be a name. */
static const char *
date_year_first(struct date *d, const char *s)
{
	int year = date_value(s, 4), month;
	char word[DATE_WORD], sign = s[4];
	size_t n;

	s += sign == 'W' || sign == 'w' ? 4 : 5;
	if ((*s == 'W' || *s == 'w') && date_digit(s[1]))
		return date_week(d, year, s);
	n = date_digits(s);
	if (n == 3)
		return date_ordinal(d, year, s);
	if (n > 2)
		return NULL;
	month = n > 0 ? date_value(s, n) : date_fold(word, s, &n) >= 3 ? date_month(word) : 0;
	s += n;
	if (*s != sign || (n = date_digits(s + 1)) == 0 || n > 2) {
		date_set(d, year, month, 1);
		return s;
	}
	date_set(d, year, month, date_value(s + 1, n));
	return s + 1 + n;
}

/* Three numbers: D.M.Y; M/D/Y unless that is no date; D-M-YYYY, YY-M-D. */
static int
date_order(struct date *d, char sign, int a, int b, int c, size_t digits)
{
	int swap;

	if (sign == '-' && digits == 2) {
		date_set(d, date_year(a, 2), b, c);
		return 0;
	}
	if (digits != 2 && digits != 4)
		return -1;
	swap = sign == '/' ? a <= 12 : b > 12;
	date_set(d, date_year(c, digits), swap ? a : b, swap ? b : a);
	return 0;
}

/* Reads a date of three parts that begins with a number of one or two digits. */
static const char *
date_short_first(struct date *d, const char *s, size_t n)
{
	char word[DATE_WORD], sign = s[n];
	int first = date_value(s, n), second, third, named;
	size_t digits;

	s += n + 1;
	named = !date_digit(*s);
	digits = date_digits(s);
	if (digits > 2)
		return NULL;
	second = !named ? date_value(s, digits) : date_fold(word, s, &digits) >= 3 ?
	    date_month(word) : 0;
	s += digits;
	if (*s != sign || (digits = date_digits(s + 1)) == 0 || digits > 4)
		return NULL;
	third = date_value(s + 1, digits);
	if (named)
		date_set(d, date_year(third, digits), second, first);
	else if (date_order(d, sign, first, second, third, digits) == -1)
		return NULL;
	return s + 1 + digits;
}

/* Reads a number with a unit behind it. */
static const char *
date_with_unit(struct date *d, const char *s, size_t n, const struct date_sign *unit)
{
	int value;

	if (n > 4)
		return NULL;
	value = date_value(s, n);
	switch (unit->value) {
	case 'Y':
		d->year = date_year(value, n);
		d->seen |= SEEN_YEAR;
		break;
	case 'M':
		d->month = value;
		d->seen |= SEEN_MONTH;
		break;
	case 'D':
		d->day = value;
		d->seen |= SEEN_DAY;
		break;
	case 'h':
		d->hour = value;
		d->seen |= SEEN_TIME;
		break;
	case 'm':
		d->minute = value;
		break;
	default:
		d->second = value;
	}
	return s + n + strlen(unit->text);
}

/* Reads a number without a unit: the first of day, year and hour that is still missing. */
static const char *
date_alone(struct date *d, const char *s, size_t n)
{
	int value = date_value(s, n);

	if (n <= 2 && (d->seen & SEEN_DAY) == 0) {
		d->day = value;
		d->seen |= SEEN_DAY;
	} else if (n >= 2 && (d->seen & SEEN_YEAR) == 0) {
		d->year = date_year(value, n);
		d->seen |= SEEN_YEAR;
	} else if (n <= 2 && (d->seen & SEEN_TIME) == 0) {
		d->hour = value;
		d->seen |= SEEN_TIME;
	} else if ((d->seen & SEEN_TIME) == 0) {
		return NULL;
	}
	return s + n;
}

/* Reads a number at s with the parts that belong to it; NULL: not part of a date. */
static const char *
date_number(struct date *d, const char *s)
{
	const struct date_sign *unit;
	size_t n = date_digits(s);
	char next = s[n];

	if (n > 14)
		return NULL;
	if (n <= 2 && next == ':' && date_digit(s[n + 1]) && (d->seen & SEEN_TIME) == 0)
		return date_time(d, s);
	if ((unit = date_sign(date_units, COUNT(date_units), s + n)) != NULL)
		return date_with_unit(d, s, n, unit);
	if (n >= 6)
		return date_run(d, s, n);
	if (n == 5)
		return NULL;
	if ((d->seen & SEEN_YEAR) == 0) {
		if (n == 4 && (next == 'W' || next == 'w'))
			return date_year_first(d, s);
		if ((next == '-' || next == '/' || next == '.') &&
		    (date_digit(s[n + 1]) || date_letter(s[n + 1]))) {
			if (n == 4)
				return date_year_first(d, s);
			if (n <= 2)
				return date_short_first(d, s, n);
		}
	}
	return date_alone(d, s, n);
}

/* Finds a zone by name: 0, and its minutes; or -1. */
static int
date_zone(const char *word, size_t letters, int *minutes)
{
	int place = word[0] - 'a';

	if (letters == 1 && place >= 0 && place < 25 && place != 9) {
		/* RFC 822 5.1: A to M without J go west, N to Y east. */
		*minutes = 60 * (place < 9 ? -place - 1 : place < 13 ? -place : place - 12);
		return 0;
	}
	for (size_t i = 0; i < COUNT(date_zones); i++)
		if (date_zones[i].name[0] == word[0] && strcmp(date_zones[i].name, word) == 0) {
			*minutes = date_zones[i].minutes;
			return 0;
		}
	return -1;
}

/* Reads a word at s: half of the day, month or zone; others (a weekday, an ordinal's ending) are
 * ignored. "mar" is also a Tuesday: a later month's name replaces an earlier one. */
static const char *
date_word(struct date *d, const char *s)
{
	const struct date_sign *half = date_sign(date_halves, COUNT(date_halves), s);
	char word[DATE_WORD];
	size_t len, letters;
	int month;

	if (half != NULL && !date_letter(s[strlen(half->text)])) {
		d->half = half->value;
		return s + strlen(half->text);
	}
	letters = date_fold(word, s, &len);
	if (letters == 1 && word[0] == 't' && date_digit(s[len]) && (d->seen & SEEN_YEAR) != 0 &&
	    (d->seen & SEEN_TIME) == 0)
		return date_digits(s + len) == 2 && s[len + 2] == ':' ? s + len :
		    date_digits(s + len) == 1 ? s + len : date_basic_time(d, s + len);
	if (letters >= 3 && (month = date_month(word)) > 0) {
		if ((d->seen & (SEEN_MONTH | SEEN_TIME)) != (SEEN_MONTH | SEEN_TIME))
			d->month = month;
		d->seen |= SEEN_MONTH;
	} else if ((d->seen & SEEN_TIME) != 0 && (d->seen & SEEN_ZONE) == 0 &&
	    date_zone(word, letters, &d->zone) == 0) {
		d->seen |= SEEN_ZONE;
		if ((s[len] == '+' || s[len] == '-') && date_digit(s[len + 1]))
			return date_offset(d, s + len);
	}
	return s + len;
}

static int
date_read(struct date *d, const char *s)
{
	while (s != NULL && *s != '\0' && (d->seen & SEEN_ALL) != SEEN_ALL) {
		if (date_digit(*s))
			s = date_number(d, s);
		else if ((*s == '+' || *s == '-') && date_digit(s[1]) &&
		    (d->seen & (SEEN_TIME | SEEN_ZONE)) == SEEN_TIME)
			s = date_offset(d, s);
		else if (*s == '-' && d->seen == 0 && date_digit(s[1]))
			return -1;
		else if (date_letter(*s))
			s = date_word(d, s);
		else
			s++;
	}
	return s != NULL ? 0 : -1;
}

/* Computes the time from the parts: 0, or -1 when they are no valid date. */
static int
date_finish(const struct date *d, int64_t *ms)
{
	int hour = d->hour, day = (d->seen & SEEN_DAY) != 0 ? d->day : 1;
	int64_t days;

	if ((d->seen & SEEN_INSTANT) != 0) {
		*ms = d->instant;
		return 0;
	}
	if ((d->seen & (SEEN_YEAR | SEEN_MONTH)) != (SEEN_YEAR | SEEN_MONTH) || d->month < 1 ||
	    d->month > 12 || day < 1 || day > date_month_days(d->year, d->month))
		return -1;
	if (d->half != 0 && hour <= 12)
		hour = hour % 12 + (d->half == 2 ? 12 : 0);
	if (hour > 24 || d->minute > 59 || d->second > 60 ||
	    (hour == 24 && (d->minute > 0 || d->second > 0)))
		return -1;
	days = date_days(d->year, d->month, day);
	if ((d->seen & SEEN_ORDINAL) != 0)
		days += d->ordinal;
	*ms = days * DATE_DAY + (hour * 60 + d->minute - d->zone) * INT64_C(60000) +
	    d->second * 1000 + d->milli;
	return 0;
}

int
date_parse(const char *s, int64_t *ms)
{
	struct date d = { 0 };
	char text[DATE_TEXT + 1];
	size_t n;

	while (text_space(*s))
		s++;
	n = strnlen(s, DATE_TEXT);
	while (n > 0 && text_space(s[n - 1]))
		n--;
	memcpy(text, s, n);
	text[n] = '\0';
	/* The year alone, which W3CDTF allows. */
	if (n == 4 && date_digits(text) == 4)
		date_set(&d, date_value(text, 4), 1, 1);
	else if (date_read(&d, text) == -1)
		return -1;
	return date_finish(&d, ms);
}

struct date_parts {
	int	 year, month, day, weekday, hour, minute, second, milli;
};

static void
date_split(struct date_parts *p, int64_t ms)
{
	const int64_t first = date_days(0, 1, 1) * DATE_DAY;
	const int64_t last = date_days(10000, 1, 1) * DATE_DAY - 1;
	int64_t days, rest;

	ms = ms < first ? first : ms > last ? last : ms;
	days = (ms >= 0 ? ms : ms - (DATE_DAY - 1)) / DATE_DAY;
	rest = ms - days * DATE_DAY;
	date_civil(days, &p->year, &p->month, &p->day);
	p->weekday = date_weekday(days);
	p->milli = (int)(rest % 1000);
	p->second = (int)(rest / 1000 % 60);
	p->minute = (int)(rest / 60000 % 60);
	p->hour = (int)(rest / 3600000);
}

/* Writes value in n digits; returns the end. */
static char *
date_put(char *out, int value, int n)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + n;
}

static char *
date_put_text(char *out, const char *text, size_t n)
{
	memcpy(out, text, n);
	return out + n;
}

static char *
date_put_time(char *out, const struct date_parts *p)
{
	out = date_put(out, p->hour, 2);
	*out++ = ':';
	out = date_put(out, p->minute, 2);
	*out++ = ':';
	return date_put(out, p->second, 2);
}

const char *
date_rfc3339(char *out, int64_t ms)
{
	struct date_parts p;
	char *at;

	date_split(&p, ms);
	at = date_put(out, p.year, 4);
	*at++ = '-';
	at = date_put(at, p.month, 2);
	*at++ = '-';
	at = date_put(at, p.day, 2);
	*at++ = 'T';
	at = date_put_time(at, &p);
	if (p.milli != 0) {
		*at++ = '.';
		at = date_put(at, p.milli, 3);
	}
	date_put_text(at, "Z", 2);
	return out;
}

static const char *
date_mail(char *out, int64_t ms, const char *zone)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const char weekdays[] = "MonTueWedThuFriSatSun";
	struct date_parts p;
	char *at;

	date_split(&p, ms);
	at = date_put_text(out, weekdays + (ptrdiff_t)3 * p.weekday, 3);
	at = date_put_text(at, ", ", 2);
	at = date_put(at, p.day, 2);
	*at++ = ' ';
	at = date_put_text(at, names + (ptrdiff_t)3 * (p.month - 1), 3);
	*at++ = ' ';
	at = date_put(at, p.year, 4);
	*at++ = ' ';
	at = date_put_time(at, &p);
	*at++ = ' ';
	memcpy(at, zone, strlen(zone) + 1);
	return out;
}

const char *
date_http(char *out, int64_t ms)
{
	return date_mail(out, ms, "GMT");
}

static int64_t
date_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
date_now(void)
{
	return date_clock(CLOCK_REALTIME);
}

int64_t
date_ticks(void)
{
	return date_clock(CLOCK_MONOTONIC);
}

int64_t
date_due(int64_t due, int64_t now, int64_t longest)
{
	return due - longest > now ? now : due;
}
