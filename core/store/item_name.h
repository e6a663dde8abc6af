/* The names of an item, made of guid, link and title, and the keys (hashes of names) that find
 * it. */
#ifndef CORE_ITEM_NAME_H
#define CORE_ITEM_NAME_H
#include "base/digest.h"
#include "record/record.h"

#include <stdint.h>

struct buf;
struct cr_record;
struct digest;

#define ITEM_NAME_MAX		(8u * RECORD_LINE_MAX)	/* bytes of a name */

/* How entries with a guid are named: the column source.unreliable. The value never decreases. */
enum naming {
	NAME_PLAIN,	/* guid */
	NAME_JOINED,	/* guid and link, or guid and title without a link: a guid was not unique */
	NAME_FULL,	/* guid, link and title: guid and link together were not unique either */
};

/* Number of keys that item_keys() computes. */
#define ITEM_KEYS	3
#define KEY_FOLDED	INT64_C(0x466f6c6465642121)	/* XORed into keys of folded guids */
#define KEY_LINKED	INT64_C(0x4c696e6b65642121)	/* XORed into link keys, item has guid */
/* Hashes by which two entries of the same name are compared; 0: the entry has no such field.
 * date: ms, or CR_NO_TIME. */
struct features { int64_t link, title, date; int guid; };

/* Writes an item's name, from which the record's id and the keys are made. Never empty. With a
 * guid: see enum naming. Without a guid: the link, or, if other entries share the link (shared),
 * link, title and date. Without a link: title and date. The date is record_date()'s. */
void	item_name(struct buf *, const struct cr_record *, enum naming, int shared);
/* The record's id: the first 128 bits of SHA-256 over the source's key and the item's name. */
void	item_rid(struct digest *, const unsigned char source[16], const struct buf *name,
	    unsigned char rid[16]);
void	item_keys(struct digest *, const char *text, int64_t key[ITEM_KEYS]);
/* Hash of item_name(). */
int64_t	item_key(struct digest *, const struct cr_record *, enum naming, int shared);
/* Hash of the plain name with the guid in lower case; `key` if there is no guid or no upper
 * case. */
int64_t	item_key_folded(struct digest *, const struct cr_record *, int64_t key);
/* Hash of the name made of the link alone; 0: the record has no link. */
int64_t	item_key_link(struct digest *, const struct cr_record *);
/* Key without a date of an entry that has `updated`, but no guid, link or `published`: the form in
 * databases from before `updated` served as a date. 0: not such an entry. */
int64_t	item_key_undated(struct digest *, const struct cr_record *);
void	item_features(struct digest *, const struct cr_record *, struct features *);
/* Hash of the fields whose change makes a revision: folded title, canonical link, and the text of
 * summary and content. */
int64_t	item_text(struct digest *, const struct cr_record *);
#endif
