/* Conversion of character encodings to UTF-8: single-byte encodings by the tables of convert.inc,
 * UTF-16 and UTF-32 by arithmetic, East Asian encodings by iconv, opened in advance. */
#include "convert.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "convert.inc"

#define CONVERT_LABEL	32		/* bytes of the longest label, without punctuation, with its
					 * NUL */
#define CONVERT_NAME	256		/* bytes of a label that are read */
#define CONVERT_BLOCK	4096		/* bytes of output collected for one buf_add() */
#define CONVERT_ICONV	6		/* encodings that need iconv */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Output is collected in blocks, since growing the caller's buffer for each character is slow. */
struct convert_out {
	struct buf	*b;
	size_t		 len, bad;
	char		 block[CONVERT_BLOCK];
};

struct convert_encoding;
typedef void convert_reader(struct convert_out *, const struct convert_encoding *,
    const unsigned char *, size_t);

struct convert_encoding {
	const char	*name;		/* of the WHATWG Encoding Standard, else IANA's */
	convert_reader	*read;
	const uint16_t	*table;		/* single-byte: characters of 0x80 to 0xff */
	const char	*iconv;		/* glibc's name */
	int		 place;		/* iconv: index in convert_opened; UTF-16, UTF-32: bytes of
					 * a unit, negative: big-endian */
};

static void
out_flush(struct convert_out *o)
{
	buf_add(o->b, o->block, o->len);
	o->len = 0;
}

static void
out_char(struct convert_out *o, uint32_t cp)
{
	if (o->len > CONVERT_BLOCK - 4)
		out_flush(o);
	o->len += text_encode(o->block + o->len, cp);
}

static void
out_bad(struct convert_out *o)
{
	o->bad++;
	out_char(o, 0xfffd);
}

static void
read_utf8(struct convert_out *o, const struct convert_encoding *e, const unsigned char *p, size_t n)
{
	const char *s = (const char *)p;
	size_t good, bad;
	uint32_t cp;

	(void)e;
	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
		s += 3;
		n -= 3;
	}
	while (n > 0) {
		good = text_valid(s, n);
		out_flush(o);
		buf_add(o->b, s, good);
		s += good;
		n -= good;
		if (n > 0 && text_get_char(&cp, &bad, s, n) == 0) {
			out_bad(o);
			s += bad;
			n -= bad;
		}
	}
}

static void
read_single(struct convert_out *o, const struct convert_encoding *e, const unsigned char *p,
    size_t n)
{
	size_t run;

	while (n > 0) {
		for (run = 0; run < n && p[run] < 0x80; run++)
			;
		if (run > CONVERT_BLOCK - o->len) {
			out_flush(o);
			buf_add(o->b, p, run);
		} else {
			memcpy(o->block + o->len, p, run);
			o->len += run;
		}
		for (p += run, n -= run; n > 0 && *p >= 0x80; p++, n--) {
			if (e->table[*p - 0x80] == 0xfffd)
				out_bad(o);
			else
				out_char(o, e->table[*p - 0x80]);
		}
	}
}

static uint32_t
read_unit(const unsigned char *p, int width, int big)
{
	uint32_t unit = 0;

	for (int i = 0; i < width; i++)
		unit = unit << 8 | p[big ? i : width - 1 - i];
	return unit;
}

static int
convert_surrogate(uint32_t unit, uint32_t first)
{
	return (unit & 0xfffffc00) == first;
}

/* UTF-16 and UTF-32; a byte order mark overrides the byte order of the label. */
static void
read_wide(struct convert_out *o, const struct convert_encoding *e, const unsigned char *p, size_t n)
{
	int big = e->place < 0, width = abs(e->place);
	size_t step = (size_t)width;
	uint32_t unit, low;

	if (n >= step && read_unit(p, width, !big) == 0xfeff)
		big = !big;
	if (n >= step && read_unit(p, width, big) == 0xfeff) {
		p += step;
		n -= step;
	}
	for (; n >= step; p += step, n -= step) {
		unit = read_unit(p, width, big);
		if (width == 2 && convert_surrogate(unit, 0xd800) && n >= 4 &&
		    convert_surrogate(low = read_unit(p + 2, 2, big), 0xdc00)) {
			out_char(o, 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff)));
			p += 2;
			n -= 2;
		} else if (unit > 0x10ffff || (unit >= 0xd800 && unit < 0xe000)) {
			out_bad(o);
		} else {
			out_char(o, unit);
		}
	}
	if (n > 0)
		out_bad(o);
}

/* iconv's conversion descriptors; NULL: not opened yet, (iconv_t)-1: not installed. */
static iconv_t convert_opened[CONVERT_ICONV];

static iconv_t
convert_iconv(const struct convert_encoding *e)
{
	if (convert_opened[e->place] == NULL) {
		convert_opened[e->place] = iconv_open("UTF-8", e->iconv);
		if (convert_opened[e->place] == (iconv_t)-1)
			log_warn("encoding %s: not installed (iconv calls it %s)", e->name,
			    e->iconv);
	}
	return convert_opened[e->place];
}

/* An invalid or incomplete sequence counts as one bad byte; reading goes on at the next byte. */
static void
read_iconv(struct convert_out *o, const struct convert_encoding *e, const unsigned char *p,
    size_t n)
{
	iconv_t cd = convert_iconv(e);
	char *in = (char *)(uintptr_t)p, *out;
	size_t room, done;

	if (cd == (iconv_t)-1)
		return;
	iconv(cd, NULL, NULL, NULL, NULL);
	while (n > 0) {
		out = o->block + o->len;
		room = CONVERT_BLOCK - o->len;
		done = iconv(cd, &in, &n, &out, &room);
		o->len = (size_t)(out - o->block);
		if (done != (size_t)-1)
			break;
		if (errno == E2BIG) {
			out_flush(o);
			continue;
		}
		out_bad(o);
		in++;
		n--;
	}
}

enum {
	UTF_8, UTF_16LE, UTF_16BE, UTF_32LE, UTF_32BE, BIG5, GB18030, EUC_JP, SHIFT_JIS,
	ISO_2022_JP,
	EUC_KR, IBM437, IBM850, IBM852, IBM855, IBM857, IBM858, IBM866, ISO_2, ISO_3, ISO_4, ISO_5,
	ISO_6, ISO_7, ISO_8, ISO_10, ISO_13, ISO_14, ISO_15, ISO_16, KOI8_R, KOI8_U, MACINTOSH,
	WIN_874, WIN_1250, WIN_1251, WIN_1252, WIN_1253, WIN_1254, WIN_1255, WIN_1256, WIN_1257,
	WIN_1258, MAC_CYRILLIC,
};

static const struct convert_encoding convert_encodings[] = {
	[UTF_8] = { "utf-8", read_utf8, NULL, NULL, 0 },
	[UTF_16LE] = { "utf-16le", read_wide, NULL, NULL, 2 },
	[UTF_16BE] = { "utf-16be", read_wide, NULL, NULL, -2 },
	[UTF_32LE] = { "utf-32le", read_wide, NULL, NULL, 4 },
	[UTF_32BE] = { "utf-32be", read_wide, NULL, NULL, -4 },
	[BIG5] = { "big5", read_iconv, NULL, "BIG5-HKSCS", 0 },
	[GB18030] = { "gb18030", read_iconv, NULL, "GB18030", 1 },
	[EUC_JP] = { "euc-jp", read_iconv, NULL, "EUC-JP-MS", 2 },
	[SHIFT_JIS] = { "shift_jis", read_iconv, NULL, "CP932", 3 },
	[ISO_2022_JP] = { "iso-2022-jp", read_iconv, NULL, "ISO-2022-JP", 4 },
	[EUC_KR] = { "euc-kr", read_iconv, NULL, "UHC", 5 },
#define SINGLE(id, name, table)	[id] = { name, read_single, convert_##table, NULL, 0 }
	SINGLE(IBM437, "ibm437", ibm437), SINGLE(IBM850, "ibm850", ibm850),
	SINGLE(IBM852, "ibm852", ibm852), SINGLE(IBM855, "ibm855", ibm855),
	SINGLE(IBM857, "ibm857", ibm857), SINGLE(IBM858, "ibm858", ibm858),
	SINGLE(IBM866, "ibm866", ibm866), SINGLE(ISO_2, "iso-8859-2", iso_8859_2),
	SINGLE(ISO_3, "iso-8859-3", iso_8859_3), SINGLE(ISO_4, "iso-8859-4", iso_8859_4),
	SINGLE(ISO_5, "iso-8859-5", iso_8859_5), SINGLE(ISO_6, "iso-8859-6", iso_8859_6),
	SINGLE(ISO_7, "iso-8859-7", iso_8859_7), SINGLE(ISO_8, "iso-8859-8", iso_8859_8),
	SINGLE(ISO_10, "iso-8859-10", iso_8859_10), SINGLE(ISO_13, "iso-8859-13", iso_8859_13),
	SINGLE(ISO_14, "iso-8859-14", iso_8859_14), SINGLE(ISO_15, "iso-8859-15", iso_8859_15),
	SINGLE(ISO_16, "iso-8859-16", iso_8859_16), SINGLE(KOI8_R, "koi8-r", koi8_r),
	SINGLE(KOI8_U, "koi8-u", koi8_u), SINGLE(MACINTOSH, "macintosh", macintosh),
	SINGLE(WIN_874, "windows-874", windows_874), SINGLE(WIN_1250, "windows-1250", windows_1250),
	SINGLE(WIN_1251, "windows-1251", windows_1251),
	SINGLE(WIN_1252, "windows-1252", windows_1252),
	SINGLE(WIN_1253, "windows-1253", windows_1253),
	SINGLE(WIN_1254, "windows-1254", windows_1254),
	SINGLE(WIN_1255, "windows-1255", windows_1255),
	SINGLE(WIN_1256, "windows-1256", windows_1256),
	SINGLE(WIN_1257, "windows-1257", windows_1257),
	SINGLE(WIN_1258, "windows-1258", windows_1258),
	SINGLE(MAC_CYRILLIC, "x-mac-cyrillic", x_mac_cyrillic),
#undef SINGLE
};

/* Labels reduced to letters and digits, sorted: those of WHATWG Encoding 4.2, and the spellings of
 * iconv and Python. UTF-7 and EBCDIC are left out on purpose, since they can hide markup. */
static const struct convert_label {
	char	 label[CONVERT_LABEL];
	int	 encoding;
} convert_labels[] = {
	{ "1250", WIN_1250 }, { "1251", WIN_1251 }, { "1252", WIN_1252 }, { "1253", WIN_1253 },
	{ "1254", WIN_1254 }, { "1255", WIN_1255 }, { "1256", WIN_1256 }, { "1257", WIN_1257 },
	{ "1258", WIN_1258 }, { "437", IBM437 }, { "646", WIN_1252 }, { "850", IBM850 },
	{ "852", IBM852 }, { "855", IBM855 }, { "857", IBM857 }, { "858", IBM858 },
	{ "866", IBM866 }, { "8859", WIN_1252 }, { "88591", WIN_1252 }, { "936", GB18030 },
	{ "ansi1251", WIN_1251 }, { "ansix341968", WIN_1252 }, { "ansix341986", WIN_1252 },
	{ "arabic", ISO_6 }, { "ascii", WIN_1252 }, { "asmo708", ISO_6 }, { "baltic", WIN_1257 },
	{ "big5", BIG5 }, { "big5hkscs", BIG5 }, { "bigfive", BIG5 }, { "chinese", GB18030 },
	{ "cnbig5", BIG5 }, { "cngb", GB18030 }, { "cp1250", WIN_1250 }, { "cp1251", WIN_1251 },
	{ "cp1252", WIN_1252 }, { "cp1253", WIN_1253 }, { "cp1254", WIN_1254 },
	{ "cp1255", WIN_1255 }, { "cp1256", WIN_1256 }, { "cp1257", WIN_1257 },
	{ "cp1258", WIN_1258 }, { "cp367", WIN_1252 }, { "cp437", IBM437 },
	{ "cp50220", ISO_2022_JP }, { "cp50221", ISO_2022_JP }, { "cp51932", EUC_JP },
	{ "cp819", WIN_1252 }, { "cp850", IBM850 }, { "cp852", IBM852 }, { "cp855", IBM855 },
	{ "cp857", IBM857 }, { "cp858", IBM858 }, { "cp866", IBM866 }, { "cp874", WIN_874 },
	{ "cp932", SHIFT_JIS }, { "cp936", GB18030 }, { "cp949", EUC_KR }, { "cp950", BIG5 },
	{ "csascii", WIN_1252 }, { "csbig5", BIG5 }, { "cseuckr", EUC_KR },
	{ "cseucpkdfmtjapanese", EUC_JP }, { "csgb2312", GB18030 }, { "csibm866", IBM866 },
	{ "csiso2022jp", ISO_2022_JP }, { "csiso58gb231280", GB18030 }, { "csiso88596e", ISO_6 },
	{ "csiso88596i", ISO_6 }, { "csiso88598e", ISO_8 }, { "csiso88598i", ISO_8 },
	{ "csisolatin1", WIN_1252 }, { "csisolatin2", ISO_2 }, { "csisolatin3", ISO_3 },
	{ "csisolatin4", ISO_4 }, { "csisolatin5", WIN_1254 }, { "csisolatin6", ISO_10 },
	{ "csisolatin9", ISO_15 }, { "csisolatinarabic", ISO_6 }, { "csisolatincyrillic", ISO_5 },
	{ "csisolatingreek", ISO_7 }, { "csisolatinhebrew", ISO_8 }, { "cskoi8r", KOI8_R },
	{ "csksc56011987", EUC_KR }, { "csmacintosh", MACINTOSH },
	{ "cspc850multilingual", IBM850 }, { "cspc8codepage437", IBM437 }, { "cspcp852", IBM852 },
	{ "csshiftjis", SHIFT_JIS }, { "csunicode", UTF_16LE }, { "cyrillic", ISO_5 },
	{ "dos874", WIN_874 }, { "ecma114", ISO_6 }, { "ecma118", ISO_7 }, { "elot928", ISO_7 },
	{ "euccn", GB18030 }, { "eucjp", EUC_JP }, { "eucjpms", EUC_JP }, { "eucjpwin", EUC_JP },
	{ "euckr", EUC_KR }, { "gb18030", GB18030 }, { "gb2312", GB18030 },
	{ "gb231280", GB18030 }, { "gbk", GB18030 }, { "greek", ISO_7 }, { "greek8", ISO_7 },
	{ "hebrew", ISO_8 }, { "ibm00858", IBM858 }, { "ibm367", WIN_1252 }, { "ibm437", IBM437 },
	{ "ibm819", WIN_1252 }, { "ibm850", IBM850 }, { "ibm852", IBM852 }, { "ibm855", IBM855 },
	{ "ibm857", IBM857 }, { "ibm858", IBM858 }, { "ibm866", IBM866 }, { "ibm874", WIN_874 },
	{ "iso10646ucs2", UTF_16LE }, { "iso10646ucs4", UTF_32BE }, { "iso2022jp", ISO_2022_JP },
	{ "iso2022jpms", ISO_2022_JP }, { "iso646irv1991", WIN_1252 }, { "iso646us", WIN_1252 },
	{ "iso8859", WIN_1252 }, { "iso88591", WIN_1252 }, { "iso885910", ISO_10 },
	{ "iso8859101992", ISO_10 }, { "iso885911", WIN_874 }, { "iso885911987", WIN_1252 },
	{ "iso885913", ISO_13 }, { "iso885914", ISO_14 }, { "iso885915", ISO_15 },
	{ "iso885916", ISO_16 }, { "iso88592", ISO_2 }, { "iso885921987", ISO_2 },
	{ "iso88593", ISO_3 }, { "iso885931988", ISO_3 }, { "iso88594", ISO_4 },
	{ "iso885941988", ISO_4 }, { "iso88595", ISO_5 }, { "iso885951988", ISO_5 },
	{ "iso88596", ISO_6 }, { "iso885961987", ISO_6 }, { "iso88596e", ISO_6 },
	{ "iso88596i", ISO_6 }, { "iso88597", ISO_7 }, { "iso885971987", ISO_7 },
	{ "iso88598", ISO_8 }, { "iso885981988", ISO_8 }, { "iso88598e", ISO_8 },
	{ "iso88598i", ISO_8 }, { "iso88599", WIN_1254 }, { "iso885991989", WIN_1254 },
	{ "isoir100", WIN_1252 }, { "isoir101", ISO_2 }, { "isoir109", ISO_3 },
	{ "isoir110", ISO_4 }, { "isoir126", ISO_7 }, { "isoir127", ISO_6 }, { "isoir138", ISO_8 },
	{ "isoir144", ISO_5 }, { "isoir148", WIN_1254 }, { "isoir149", EUC_KR },
	{ "isoir157", ISO_10 }, { "isoir199", ISO_14 }, { "isoir203", ISO_15 },
	{ "isoir226", ISO_16 }, { "isoir58", GB18030 }, { "isoir6", WIN_1252 },
	{ "jis", ISO_2022_JP }, { "koi", KOI8_R }, { "koi8", KOI8_R }, { "koi8r", KOI8_R },
	{ "koi8ru", KOI8_U }, { "koi8u", KOI8_U }, { "korean", EUC_KR }, { "ksc5601", EUC_KR },
	{ "ksc56011987", EUC_KR }, { "ksc56011989", EUC_KR }, { "l1", WIN_1252 },
	{ "l10", ISO_16 }, { "l2", ISO_2 }, { "l3", ISO_3 }, { "l4", ISO_4 }, { "l5", WIN_1254 },
	{ "l6", ISO_10 }, { "l7", ISO_13 }, { "l8", ISO_14 }, { "l9", ISO_15 },
	{ "latin0", ISO_15 }, { "latin1", WIN_1252 }, { "latin10", ISO_16 }, { "latin2", ISO_2 },
	{ "latin3", ISO_3 }, { "latin4", ISO_4 }, { "latin5", WIN_1254 }, { "latin6", ISO_10 },
	{ "latin7", ISO_13 }, { "latin8", ISO_14 }, { "latin9", ISO_15 }, { "logical", ISO_8 },
	{ "mac", MACINTOSH }, { "maccyrillic", MAC_CYRILLIC }, { "macintosh", MACINTOSH },
	{ "macroman", MACINTOSH }, { "ms932", SHIFT_JIS }, { "ms936", GB18030 },
	{ "ms949", EUC_KR }, { "ms950", BIG5 }, { "mskanji", SHIFT_JIS },
	{ "shiftjis", SHIFT_JIS }, { "sjis", SHIFT_JIS }, { "sjiswin", SHIFT_JIS },
	{ "suneugreek", ISO_7 }, { "tis620", WIN_874 }, { "tis6200", WIN_874 }, { "u8", UTF_8 },
	{ "ucs2", UTF_16LE }, { "ucs2be", UTF_16BE }, { "ucs2le", UTF_16LE }, { "ucs4", UTF_32BE },
	{ "ucs4be", UTF_32BE }, { "ucs4le", UTF_32LE }, { "uhc", EUC_KR }, { "ujis", EUC_JP },
	{ "unicode", UTF_16LE }, { "unicode11utf8", UTF_8 }, { "unicode20utf8", UTF_8 },
	{ "unicodefeff", UTF_16LE }, { "unicodefffe", UTF_16BE }, { "us", WIN_1252 },
	{ "usascii", WIN_1252 }, { "utf", UTF_8 }, { "utf16", UTF_16LE }, { "utf16be", UTF_16BE },
	{ "utf16le", UTF_16LE }, { "utf32", UTF_32BE }, { "utf32be", UTF_32BE },
	{ "utf32le", UTF_32LE }, { "utf8", UTF_8 }, { "utf8mb4", UTF_8 }, { "utf8n", UTF_8 },
	{ "utf8sig", UTF_8 }, { "visual", ISO_8 }, { "win1250", WIN_1250 },
	{ "win1251", WIN_1251 }, { "win1252", WIN_1252 }, { "win1253", WIN_1253 },
	{ "win1254", WIN_1254 }, { "win1255", WIN_1255 }, { "win1256", WIN_1256 },
	{ "win1257", WIN_1257 }, { "win1258", WIN_1258 }, { "windows1250", WIN_1250 },
	{ "windows1251", WIN_1251 }, { "windows1252", WIN_1252 }, { "windows1253", WIN_1253 },
	{ "windows1254", WIN_1254 }, { "windows1255", WIN_1255 }, { "windows1256", WIN_1256 },
	{ "windows1257", WIN_1257 }, { "windows1258", WIN_1258 }, { "windows31j", SHIFT_JIS },
	{ "windows874", WIN_874 }, { "windows932", SHIFT_JIS }, { "windows936", GB18030 },
	{ "windows949", EUC_KR }, { "windows950", BIG5 }, { "xcp1250", WIN_1250 },
	{ "xcp1251", WIN_1251 }, { "xcp1252", WIN_1252 }, { "xcp1253", WIN_1253 },
	{ "xcp1254", WIN_1254 }, { "xcp1255", WIN_1255 }, { "xcp1256", WIN_1256 },
	{ "xcp1257", WIN_1257 }, { "xcp1258", WIN_1258 }, { "xeucjp", EUC_JP },
	{ "xgbk", GB18030 }, { "xmaccyrillic", MAC_CYRILLIC }, { "xmacroman", MACINTOSH },
	{ "xmacukrainian", MAC_CYRILLIC }, { "xsjis", SHIFT_JIS }, { "xunicode20utf8", UTF_8 },
	{ "xxbig5", BIG5 },
};

static int
convert_order(const void *key, const void *entry)
{
	return strcmp(key, entry);
}

static const struct convert_encoding *
convert_find(const char *charset)
{
	const struct convert_label *found;
	char label[CONVERT_LABEL];
	size_t fill = 0;
	int c;

	if (charset == NULL)
		return NULL;
	for (size_t i = 0; charset[i] != '\0'; i++) {
		c = text_lower((unsigned char)charset[i]);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
			continue;
		if (i >= CONVERT_NAME || fill == CONVERT_LABEL - 1)
			return NULL;
		label[fill++] = (char)c;
	}
	label[fill] = '\0';
	found = bsearch(label, convert_labels, COUNT(convert_labels), sizeof(convert_labels[0]),
	    convert_order);
	return found != NULL ? &convert_encodings[found->encoding] : NULL;
}

void
convert_open(void)
{
	for (size_t i = 0; i < COUNT(convert_encodings); i++)
		if (convert_encodings[i].read == read_iconv)
			convert_iconv(&convert_encodings[i]);
}

int
convert(struct buf *b, const char *charset, const char *text, size_t len, size_t *bad)
{
	const struct convert_encoding *e = convert_find(charset);
	MEM_UNSET struct convert_out o;

	if (e == NULL || (e->read == read_iconv && convert_iconv(e) == (iconv_t)-1))
		return -1;
	o.b = b;
	o.len = o.bad = 0;
	e->read(&o, e, (const unsigned char *)text, len);
	out_flush(&o);
	if (bad != NULL)
		*bad += o.bad;
	return 0;
}
