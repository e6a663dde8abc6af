/* What the parts of the feed reader share: its limits and options, the draft of an entry, the
 * reader of XML, and the verbs of each part. Nothing here knows the daemon but by
 * <courant/plugin.h>. */
#ifndef PLUGINS_FEED_H
#define PLUGINS_FEED_H
#include <courant/plugin.h>
#include <libxml/parser.h>

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define FEED_DEPTH_MAX	1024		/* of nested elements, whatever the option says */
#define FEED_ENTRY_MAX	(3u << 20)	/* bytes of all texts of one entry */
#define FEED_LINE_MAX	(15u << 10)	/* bytes of a title, a URL, a name */
#define FEED_LIST_MAX	250		/* authors, categories, enclosures of one entry, each */
#define FEED_EXTRA_MAX	200		/* extras, numbers and counters of one entry together */
#define FEED_STRINGS	10000		/* different xml:base and xml:lang values of a document */
#define FEED_NAME_MAX	64		/* bytes of an extra's name made from an element's */
#define FEED_CHUNK	(64u << 10)	/* bytes handed to libxml2 at once */

/* A large variable of a function, written before it is read: no compiler is to clear it first. */
#ifdef __has_attribute
#if __has_attribute(uninitialized)
#define FEED_UNSET	__attribute__((uninitialized))
#endif
#endif
#ifndef FEED_UNSET
#define FEED_UNSET
#endif
/* Of a function that has such a one and is rarely called: its caller is not to have it instead, and
 * touch each page of it each time. */
#define FEED_APART	__attribute__((noinline))

struct feed_opts {
	int64_t	 attributes, depth, entries, field, names;
};

/* ---- draft.c: an entry, or the feed itself, while its elements are still coming in ---- */
enum slot {
	SLOT_NONE, SLOT_TITLE, SLOT_LINK, SLOT_SUMMARY, SLOT_CONTENT, SLOT_PUBLISHED, SLOT_UPDATED,
	SLOT_LANGUAGE, SLOT_IMAGE, SLOT_COMMENTS, SLOT_RIGHTS, SLOT_GUID, SLOT_MAX
};
enum kind { KIND_TEXT, KIND_HTML };
enum item {
	ITEM_CATEGORY, ITEM_AUTHOR, ITEM_CONTRIBUTOR, ITEM_ENCLOSURE, ITEM_EXTRA, ITEM_NUMBER,
	ITEM_COUNTER, ITEM_MAX
};
/* Places in draft.text; 0 is the empty string, and means none. */
struct value {
	uint32_t	 at;
	uint16_t	 base;		/* which of reader.strings is its xml:base */
	uint8_t		 kind, rank;	/* rank: which of two for the same slot counts */
};
struct part {
	const char	*name;		/* of an extra, number, counter; NULL: at[0] is */
	uint32_t	 at[3];		/* author: name, mail, URI; enclosure: URL, type, 1: of
					 * Media RSS; else a text */
	uint16_t	 base;
	uint8_t		 item;
	double		 n;		/* size of an enclosure, a number, a counter */
};
struct draft {
	char		*text;
	size_t		 len, cap;
	struct value	 one[SLOT_MAX];
	struct part	*parts;
	size_t		 nparts, parts_cap;
	uint32_t	 count[ITEM_MAX];
	int		 lost;		/* something did not fit */
};
void	 draft_init(struct draft *);
void	 draft_free(struct draft *);
void	 draft_clear(struct draft *);
int	 draft_room(struct draft *, size_t);	/* -1: over FEED_ENTRY_MAX, or no memory */
uint32_t draft_text(struct draft *, const char *, size_t);	/* trimmed; 0: empty, no room */
void	 draft_set(struct draft *, enum slot, struct value);	/* unless a higher rank is there */
struct part *draft_add(struct draft *, enum item);	/* NULL: the list is full */
void	 draft_extra(struct draft *, const char *name, uint32_t at);	/* first of a name counts */
/* The same of an address, unless it leads elsewhere than to the web. */
void	 draft_address(struct draft *, const char *name, uint32_t at);

/* ---- names.c ---- */
enum ns {
	NS_NONE, NS_RSS, NS_RSS090, NS_ATOM, NS_ATOM03, NS_OTHER, NS_RDF, NS_DC, NS_DCTERMS,
	NS_CONTENT, NS_XHTML, NS_ITUNES, NS_MEDIA, NS_SLASH, NS_SY, NS_THR, NS_WFW, NS_CC,
	NS_FEEDBURNER,
	NS_GEO, NS_GEORSS, NS_GML, NS_PODCAST, NS_ADMIN, NS_FOAF, NS_XML, NS_GOOGLEPLAY, NS_HISTORY,
	NS_RDFS, NS_YA, NS_PRISM, NS_PSC, NS_RAWVOICE, NS_SVG, NS_MAX
};
enum ns	 ns_of_uri(const char *uri);	/* its case, scheme and closing slash do not matter */
enum ns	 ns_of_prefix(const char *prefix);	/* of one that was used without a declaration */

/* ---- elements.c: what each element means, by namespace, name and where it stands ---- */
enum {
	IN_DOC = 1, IN_ROOT = 2, IN_FEED = 4, IN_ENTRY = 8, IN_IMAGE = 16, IN_INPUT = 32,
	IN_AUTHOR = 64, IN_CONTRIBUTOR = 128, IN_SOURCE = 256, IN_MEDIA = 512, IN_SKIP = 1024,
	IN_OUTLINE = 2048, IN_OTHER = 4096, IN_CATEGORY = 32768,
	IN_POINT = 65536,
	IN_BOTH = IN_FEED | IN_ENTRY, IN_PERSON = IN_AUTHOR | IN_CONTRIBUTOR
};
/* How the text of an element is gathered. */
enum gather {
	GATHER_NONE, GATHER_PLAIN,	/* text only; tags inside are passed over */
	GATHER_TEXT, GATHER_SNIFF,	/* plain text; or HTML if it looks like it */
	GATHER_HTML, GATHER_XHTML, GATHER_BASE64
};
struct reader;
struct attrs;
struct frame;
struct element {
	uint8_t		 ns;		/* enum ns; NS_NONE: also RSS and Atom */
	uint8_t		 gather;	/* enum gather */
	uint8_t		 slot;		/* or any number that its functions understand */
	uint8_t		 rank;
	uint32_t	 in;		/* where it means this */
	uint32_t	 enter;		/* what its children stand in; 0: IN_OTHER */
	const char	*name;		/* lower case */
	void		(*open)(struct reader *, struct frame *, const struct attrs *);
	void		(*close)(struct reader *, struct frame *, uint32_t at, size_t len);
	const char	*extra;		/* name of the extra, number or counter that it gives */
};
extern const struct element elements[];
extern const size_t elements_count;

/* ---- text.c: what can be said of a text by itself ---- */
struct str {
	const char	*p;		/* not terminated; NULL: none */
	size_t		 len;
};
struct str str_trim(struct str);
int	 text_is_web(const char *url);			/* http, https, or relative; NULL is not */
int	 str_is(struct str, const char *lower);		/* the same but for case and white space */
long long str_number(struct str, long long none);	/* digits; none: it is no number */
int	 text_looks_html(const char *, size_t);
size_t	 text_base64(char *, size_t);		/* decodes in place; SIZE_MAX: it is none */
int	 text_resolve(char *out, size_t size, const char *base, const char *ref, size_t len);
int	 text_is_void(const char *name);	/* an element of HTML without an end tag */
size_t	 text_cut(const char *, size_t len, size_t max);	/* whole characters */
void	 text_person(struct str, struct str *name, struct str *mail);	/* .len 0: none */

/* ---- attrs.c: attributes of a start tag, in libxml2's array of five pointers each ---- */
struct attrs {
	struct reader	*r;
	const xmlChar	**v;
	int		 n;
};
struct str attr(const struct attrs *, const char *name);	/* in any case and namespace */
uint32_t attr_keep(const struct attrs *, const char *name);	/* its place; 0: none */

/* ---- doctype.c: declarations in a document are never handed to libxml2 ---- */
#define DOCTYPE_ENTITIES 512		/* that are remembered; HTML has 253 */
#define DOCTYPE_VALUE	128		/* bytes of one, with a NUL */
#define DOCTYPE_TEXT	(16u << 10)	/* bytes of all */
struct doctype {
	size_t	 begin, end;		/* of a declaration with an internal subset; else both 0 */
	int	 open;			/* entities may be declared where nobody looks */
	size_t	 n, len;
	struct {
		const char	*name;		/* in the document */
		size_t		 name_len;
		uint32_t	 at, len;	/* of its text */
	} entity[DOCTYPE_ENTITIES];
	char	 text[DOCTYPE_TEXT];	/* [0]: of those whose text is not known */
};
/* Whether there is one: where its internal subset is, and the entities declared there whose texts are
 * short and hold no tag, with references to characters resolved: nothing can be made of these but
 * text. Those of other kinds are known by name. */
int	 doctype_find(struct doctype *, const char *, size_t);
/* NULL: not declared; *len 0: with a text that is not known. */
const char *doctype_entity(const struct doctype *, const char *name, size_t n, size_t *len);

/* ---- reader.c: one document on its way through libxml2 ---- */
struct frame {
	const struct element *el;	/* NULL: not known, or markup within a text */
	uint32_t	 mark;		/* of its own: free for open and close */
	uint32_t	 in;		/* where its children stand */
	uint16_t	 base, lang;	/* in reader.strings; 0: none */
	uint8_t		 tag;		/* enum frame_tag */
	uint8_t		 ns;
};
enum frame_tag { FRAME_PLAIN, FRAME_MARKUP, FRAME_HIDDEN, FRAME_VOID };
#define BASE_OTHER	UINT_MAX
struct person {
	uint32_t	 name, mail, uri;
};
struct reader {
	struct cr		*cr;
	const struct feed_opts	*opts;
	xmlParserCtxtPtr	 xml;
	struct draft		 feed, entry;
	struct draft		*now;		/* which of the two is being filled */
	struct frame		*stack;
	int			 depth;
	struct {				/* the text being gathered */
		int	 frame;			/* 0: none */
		uint8_t	 gather;		/* enum gather */
		uint8_t	 children;		/* tags were in it */
		size_t	 start, max;
	} cap;
	struct person		 person;
	char			**strings;	/* [0]: NULL */
	size_t			 nstrings;
	struct names		*names;
	const char		*format;
	int			 atom;		/* 3, 10: Atom 0.3, 1.0 */
	int64_t			 entries;		/* given to the host */
	int64_t			 skip;		/* more that were given before */
	int64_t			 lost;		/* entries beyond the limit */
	int64_t			 cut;		/* entries of which something did not fit */
	unsigned		 base;		/* that the host was told; BASE_OTHER: another */
	const char		*entity;	/* first undeclared one, or NULL */
	char			 entity_name[FEED_NAME_MAX];
	int			 entity_line;
	int			 foreign;	/* a prefix was used that is not declared */
	int			 entered;	/* an entry has begun */
	/* Until then: the last element that no row is for, and the first of these with elements in it,
	 * which is what the document has in place of entries; libxml2's own pointers. */
	struct unknown {
		const xmlChar	*name, *prefix, *uri;
		int64_t	 n;		/* so many of them */
	} unknown, instead;
	char			 why[200];	/* first error */
	int			 line;
	int			 ended;		/* it was that the document ends too early */
	int			 stopped;	/* by us: why says so, nothing more is read */
	char			 root[FEED_NAME_MAX];	/* name of the root element */
	char			 hours[128], days[128];
	char			 entity_text[5 * DOCTYPE_VALUE];
	const struct doctype	*doctype;	/* while it runs, if it has one; or NULL */
	const char		*page;		/* its URL, "" */
	const char		*home;		/* Content-Location, or NULL */
	xmlEntity		 entity_now;
	struct outline		*outline;
	int64_t			 outlines;
	uint64_t		*seen;		/* addresses of outlines, hashed; or NULL */
	size_t			 nseen, seen_size;
};
int	 reader_init(struct reader *, struct cr *, const struct feed_opts *,
	    const struct cr_page *);
void	 reader_free(struct reader *);
int	 reader_run(struct reader *, const char *, size_t);	/* -1: not well-formed, see why */

/* ---- gather.c: what the parts ask of the reader while a document runs ---- */
void	 gather_begin(struct reader *, int frame, enum gather, size_t max);
void	 gather_drop(struct reader *);
void	 gather_add(struct reader *, const char *, size_t);	/* so much of it as max allows */
uint32_t gather_end(struct reader *, size_t *len);	/* its place in the draft, trimmed */
struct value value_of(const struct frame *, uint32_t at, enum kind);
/* Nothing more is read; the first reason counts. */
void	 reader_stop(struct reader *, const char *fmt, ...) CR_PRINTF(2, 3);
/* A reference, absolute as far as the document's address is known, into out[FEED_LINE_MAX]; 0 or
 * -1. The host resolves by itself what it is given as an address; this is for what it is not. */
int	 reader_absolute(const struct reader *, char *out, uint16_t base, const char *, size_t);
/* The place in reader.strings of an xml:base or xml:lang, which is added unless it is there; near:
 * that of the parent, which is the result when there is no room. */
uint16_t reader_string(struct reader *, const char *, size_t, uint16_t near);

/* ---- emit.c: from the draft to the host ---- */
void	 reader_entry(struct reader *);		/* the entry is whole: hands it to the host */
void	 reader_feed(struct reader *);		/* tells the host of the feed */

/* ---- outline.c; its functions at the start and end of an element are in handlers.h ---- */
void	 outline_free(struct reader *);

/* ---- names of one document: elements found by libxml2's own pointers ---- */
struct names *names_new(void);
void	 names_free(struct names *);
/* The row for this element where it stands, or NULL. */
const struct element *names_find(struct names *, const xmlChar *name, enum ns, unsigned in);
enum ns	 names_ns(struct names *, const xmlChar *uri, const xmlChar *prefix);
/* From here on a namespace that is not known is the format's own: an old version's, another spelling.
 * NS_NONE; NS_OTHER: there are too many. */
enum ns	 names_adopt(struct names *, const xmlChar *uri, const xmlChar *prefix);

/* ---- markup.c: tags within a text, written out again ---- */
void	 markup_open(struct reader *, struct frame *, const xmlChar *name, const struct attrs *);
void	 markup_close(struct reader *, struct frame *, const xmlChar *name);
void	 markup_text(struct reader *, const char *, size_t);

/* ---- entities.c ---- */
const char *entity_find(const char *name, size_t len, size_t *n);	/* UTF-8, or NULL */
/* The character that a number in a reference is meant to be: of windows-1252, or U+FFFD. */
uint32_t entity_number(uint32_t);

/* ---- scan.c: what may not reach libxml2 ---- */
/* NULL, or why not: a tag with too many attributes, an entity declaration. */
const char *scan_refuse(const char *, size_t, const struct feed_opts *, char *why, size_t size);

/* ---- mend.c ---- */
/* A copy of a document that is not well-formed, as XML that libxml2 reads; malloc()ed. NULL: no
 * memory, or it would grow too much. *lost: not all of it is in the copy. */
char	*mend(const char *, size_t, size_t *out, int *lost);

/* ---- encoding.c ---- */
struct decoded {
	const char	*text;		/* UTF-8, of the page or the host */
	size_t		 len, bad;
	char		 name[64];	/* lower case */
	const char	*why;		/* where its name comes from */
	int		 mistaken;	/* what the document says is wrong */
	int		 invalid;	/* it should be UTF-8, and is not */
};
void	 decode(struct cr *, const struct cr_page *, struct decoded *);

/* ---- guess.c ---- */
const char *guess_encoding(const char *, size_t);

/* ---- json.c ---- */
int	 json_feed(struct cr *, const struct feed_opts *, const char *, size_t,
	    const struct decoded *);
#endif
