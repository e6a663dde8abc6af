/* One document on its way through libxml2: the stack of open elements, and which part is called at
 * the start and end of each. */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what libxml2 calls ---- */

static FEED_APART void
inherit_base(struct reader *r, struct frame *f, struct str s)
{
	FEED_UNSET char base[FEED_LINE_MAX];

	if (text_resolve(base, sizeof(base), f->base != 0 ? r->strings[f->base] : "", s.p,
	    s.len) == 0)
		f->base = reader_string(r, base, strlen(base), f->base);
}

/* xml:base and xml:lang hold for the element and what is in it. */
static void
inherit(struct reader *r, struct frame *f, const struct attrs *a)
{
	int i;

	for (i = 0; i < a->n; i++) {
		const xmlChar **v = a->v + 5 * i;
		struct str s = { (const char *)v[3], (size_t)(v[4] - v[3]) };

		if (v[1] == NULL || strcmp((const char *)v[1], "xml") != 0)
			continue;
		s = str_trim(s);
		if (strcmp((const char *)v[0], "lang") == 0)
			f->lang = s.len > 0 ? reader_string(r, s.p, s.len, f->lang) : 0;
		else if (strcmp((const char *)v[0], "base") == 0 && s.len > 0)
			inherit_base(r, f, s);
	}
}

/* Whether an element of an unknown namespace begins the document, its feed or its first entry, if
 * its namespace does not matter: then that is the format's. */
static int
is_own(struct reader *r, const xmlChar *name, unsigned in)
{
	const struct element *el;

	if (r->depth == 1)
		return 1;
	if ((in & IN_ROOT) == 0 && ((in & IN_FEED) == 0 || r->entered))
		return 0;
	el = names_find(r->names, name, NS_NONE, in);
	return el != NULL && (el->enter & (IN_FEED | IN_ENTRY)) != 0;
}

/* What stands in place of entries, to be told when there is none. */
static void
note_unknown(struct reader *r, const struct frame *f, const struct unknown *u)
{
	if (r->instead.n == 0 && f[-1].el == NULL && r->unknown.name != NULL && r->depth > 1)
		r->instead = r->unknown;
	if (f->el != NULL || f->ns > NS_OTHER)
		r->unknown.name = NULL;
	else if (r->instead.n > 0 && r->instead.name == u->name && r->instead.uri == u->uri)
		r->instead.n++;
	else
		r->unknown = *u;
}

/* An element that no row is for: its text may become an extra, under its name in the document. */
static void
open_unknown(struct reader *r, struct frame *f, const xmlChar *name, const xmlChar *prefix)
{
	char extra[FEED_NAME_MAX];
	int n;

	f->in = IN_OTHER;
	if (prefix == NULL || r->now != &r->entry || (r->stack[r->depth - 1].in & IN_ENTRY) == 0)
		return;
	n = snprintf(extra, sizeof(extra), "%s:%s", prefix, name);
	if (n < 0 || (size_t)n >= sizeof(extra))
		return;
	f->mark = draft_text(r->now, extra, (size_t)n);
	if (f->mark != 0)
		gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
}

static void
close_unknown(struct reader *r, const struct frame *f)
{
	struct part *p;
	size_t len;
	uint32_t at = gather_end(r, &len);

	if (at != 0 && (p = draft_add(r->now, ITEM_EXTRA)) != NULL) {
		p->at[0] = f->mark;
		p->at[1] = at;
		p->base = f->base;
	}
}

/* A tag within the text being gathered. 1: it is dealt with; 0: it is an element of its own. */
static int
within_text(struct reader *r, struct frame *f, const xmlChar *name, const struct attrs *a)
{
	const struct frame *of = &r->stack[r->cap.frame];

	f->tag = FRAME_HIDDEN;
	if (r->cap.gather > GATHER_PLAIN) {
		markup_open(r, f, name, a);
		return 1;
	}
	if (of->el != NULL && (of->el->enter == 0 ||
	    names_find(r->names, name, f->ns, of->el->enter) == NULL))
		return 1;
	gather_drop(r);
	f->tag = FRAME_PLAIN;
	return 0;
}

static size_t
max_of(enum gather gather)
{
	return gather == GATHER_PLAIN || gather == GATHER_SNIFF ? FEED_LINE_MAX : SIZE_MAX;
}

static struct frame *
push(struct reader *r)
{
	struct frame *f;

	if (r->depth + 1 >= r->opts->depth || r->depth + 1 >= FEED_DEPTH_MAX) {
		reader_stop(r, "elements nested deeper than %lld (option depth)",
		    (long long)r->opts->depth);
		return NULL;
	}
	f = &r->stack[++r->depth];
	*f = f[-1];
	f->el = NULL;
	f->mark = 0;
	f->tag = FRAME_PLAIN;
	return f;
}

static void
on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nns,
    const xmlChar **nss, int n, int defaulted, const xmlChar **v)
{
	struct reader *r = arg;
	struct attrs a = { r, v, n };
	struct frame *f;
	unsigned in = r->stack[r->depth].in;

	(void)nns;
	(void)nss;
	(void)defaulted;
	if (r->stopped || (f = push(r)) == NULL)
		return;
	if (n > 0)
		inherit(r, f, &a);
	f->ns = (uint8_t)names_ns(r->names, uri, prefix);
	if (f->ns == NS_OTHER && is_own(r, name, in))
		f->ns = (uint8_t)names_adopt(r->names, uri, prefix);
	if (r->cap.frame != 0 && within_text(r, f, name, &a))
		return;
	if (r->depth == 1)
		snprintf(r->root, sizeof(r->root), "%s", (const char *)name);
	f->el = names_find(r->names, name, f->ns, in);
	if (!r->entered)
		note_unknown(r, f, &(struct unknown){ name, prefix, uri, 1 });
	if (f->el == NULL) {
		open_unknown(r, f, name, prefix);
		return;
	}
	f->in = f->el->enter != 0 ? f->el->enter : IN_OTHER;
	if (f->el->open != NULL)
		f->el->open(r, f, &a);
	else if (f->el->gather != GATHER_NONE)
		gather_begin(r, r->depth, f->el->gather, max_of(f->el->gather));
}

static void
on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *r = arg;
	struct frame *f = &r->stack[r->depth];
	uint32_t at = 0;
	size_t len = 0;

	(void)prefix;
	(void)uri;
	if (r->stopped || r->depth == 0)
		return;
	if (f->tag != FRAME_PLAIN) {
		if (r->cap.frame != 0)
			markup_close(r, f, name);
	} else if (f->el != NULL) {
		if (r->cap.frame == r->depth)
			at = gather_end(r, &len);
		if (f->el->close != NULL)
			f->el->close(r, f, at, len);
	} else if (r->cap.frame == r->depth)
		close_unknown(r, f);
	r->depth--;
}

static void
on_text(void *arg, const xmlChar *s, int len)
{
	struct reader *r = arg;

	if (r->cap.frame == 0 || r->stopped)
		return;
	if (r->cap.gather == GATHER_XHTML)
		markup_text(r, (const char *)s, (size_t)len);
	else
		gather_add(r, (const char *)s, (size_t)len);
}

/* A text as it may stand for an entity: within an attribute libxml2 reads it once more, elsewhere it
 * is passed on as it is. -1: it may not. */
static int
entity_put(struct reader *r, const char *text, size_t len, int inner)
{
	char *to = r->entity_text;

	if (len == 0 || len >= DOCTYPE_VALUE || (inner && memchr(text, '<', len) != NULL))
		return -1;
	for (; len > 0; len--, text++)
		if (inner && *text == '&')
			to = stpcpy(to, "&amp;");
		else
			*to++ = *text;
	*to = '\0';
	r->entity_now.length = (int)(to - r->entity_text);
	return 0;
}

/* Entities that the document declares, and those that HTML has. With declarations elsewhere, which
 * nobody reads, an unknown one is no mistake and stays as it is (XML 1.0 4.1). NULL: an error, and the
 * document is mended. */
static xmlEntityPtr
on_entity(void *arg, const xmlChar *xml_name)
{
	struct reader *r = arg;
	const char *name = (const char *)xml_name, *text;
	int inner = r->xml->instate == XML_PARSER_ATTRIBUTE_VALUE;
	int open = r->doctype != NULL && r->doctype->open, declared;
	char itself[FEED_NAME_MAX];
	size_t n;

	text = doctype_entity(r->doctype, name, strlen(name), &n);
	declared = text != NULL;
	if (!declared)
		text = entity_find(name, strlen(name), &n);
	if (text == NULL && open && strlen(name) + 2 < sizeof(itself)) {
		n = (size_t)snprintf(itself, sizeof(itself), "&%s;", name);
		text = itself;
	}
	if (text == NULL || entity_put(r, text, n, inner) == -1)
		return NULL;
	if (r->entity == NULL && !declared && !open) {
		snprintf(r->entity_name, sizeof(r->entity_name), "%s", name);
		r->entity = r->entity_name;
		r->entity_line = xmlSAX2GetLineNumber(r->xml);
	}
	r->entity_now.etype = inner ? XML_INTERNAL_GENERAL_ENTITY : XML_INTERNAL_PREDEFINED_ENTITY;
	r->entity_now.name = xml_name;
	r->entity_now.content = BAD_CAST r->entity_text;
	return &r->entity_now;
}

static void
on_error(void *arg, xmlErrorPtr e)
{
	struct reader *r = arg;
	size_t n;

	if (e->domain == XML_FROM_NAMESPACE)
		r->foreign = 1;
	if (e->level < XML_ERR_FATAL || r->line != 0 || r->stopped)
		return;
	r->line = e->line > 0 ? e->line : 1;
	snprintf(r->why, sizeof(r->why), "%s", e->message != NULL ? e->message : "unknown error");
	n = strcspn(r->why, "\r\n");
	r->why[n] = '\0';
	r->ended = e->code == XML_ERR_DOCUMENT_END || e->code == XML_ERR_TAG_NOT_FINISHED ||
	    e->code == XML_ERR_CDATA_NOT_FINISHED || e->code == XML_ERR_DOCUMENT_EMPTY;
}

static xmlSAXHandler handler = {
	.initialized = XML_SAX2_MAGIC,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_text,
	.getEntity = on_entity,
	.serror = on_error,
};

/* ---- one document ---- */

int
reader_init(struct reader *r, struct cr *cr, const struct feed_opts *opts,
    const struct cr_page *page)
{
	memset(r, 0, sizeof(*r));
	r->cr = cr;
	r->opts = opts;
	r->page = page->url;
	r->home = cr->header(cr, "content-location");
	r->base = r->home != NULL || page->url[0] == '\0' ? BASE_OTHER : 0;
	draft_init(&r->feed);
	draft_init(&r->entry);
	r->now = &r->feed;
	r->names = names_new();
	r->stack = malloc(FEED_DEPTH_MAX * sizeof(*r->stack));	/* push() fills it */
	r->strings = calloc(1, sizeof(*r->strings));
	r->nstrings = 1;
	if (r->names == NULL || r->stack == NULL || r->strings == NULL)
		return -1;
	r->stack[0] = (struct frame){ .in = IN_DOC };
	r->xml = xmlCreatePushParserCtxt(&handler, r, NULL, 0, NULL);
	if (r->xml == NULL)
		return -1;
	/* The text is UTF-8 by now, whatever its declaration says. NOENT: `&amp;` in an
	 * attribute is an ampersand; no declared entity ever reaches libxml2. */
	xmlCtxtUseOptions(r->xml, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
	return 0;
}

void
reader_free(struct reader *r)
{
	size_t i;

	if (r->xml != NULL && r->xml->myDoc != NULL)
		xmlFreeDoc(r->xml->myDoc);
	xmlFreeParserCtxt(r->xml);
	names_free(r->names);
	draft_free(&r->feed);
	draft_free(&r->entry);
	for (i = 1; r->strings != NULL && i < r->nstrings; i++)
		free(r->strings[i]);
	free(r->strings);
	free(r->stack);
	outline_free(r);
}

static void
feed_bytes(struct reader *r, const char *text, size_t len)
{
	size_t n;

	for (; len > 0 && r->line == 0 && !r->stopped; text += n, len -= n) {
		n = len < FEED_CHUNK ? len : FEED_CHUNK;
		xmlParseChunk(r->xml, text, (int)n, 0);
		/* libxml2 looks through all of them for each one */
		if (xmlDictSize(r->xml->dict) > r->opts->names)
			reader_stop(r, "more than %lld different names (option names)",
			    (long long)r->opts->names);
	}
}

int
reader_run(struct reader *r, const char *text, size_t len)
{
	FEED_UNSET struct doctype d;
	size_t i;

	if (doctype_find(&d, text, len)) {	/* all but its subset; lines keep their numbers */
		r->doctype = &d;
		feed_bytes(r, text, d.begin);
		for (i = d.begin; i < d.end; i++)
			if (text[i] == '\n')
				feed_bytes(r, "\n", 1);
		feed_bytes(r, text + d.end, len - d.end);
	} else
		feed_bytes(r, text, len);
	if (r->line == 0 && !r->stopped)
		xmlParseChunk(r->xml, NULL, 0, 1);
	r->doctype = NULL;
	return r->line == 0 && !r->stopped ? 0 : -1;
}
