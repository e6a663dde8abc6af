/* Works by their own ids: papers, videos, discussions, repositories. One work has many URLs, and one
 * id in each scheme. */
#ifndef CORE_WORK_H
#define CORE_WORK_H
#include "base/buf.h"
#include "record.h"

#include <stddef.h>

#define WORK_IDS	8		/* ids of one record, at most */
#define WORK_ID_MAX	255		/* bytes of an id */

/* Adds the key by which stories know a URL. 1: a work's id with its scheme before it:
 *	arxiv:2401.09153, arxiv:hep-th/9901001	without version and subject class
 *	doi:10.1000/abc		in lower case; DOIs that arXiv gives (10.48550) are arxiv: ids
 *	youtube:ID  openreview:ID
 *	reddit:ID		a post; reddit:ID/ID one of its comments
 *	github:owner/name	a repository's front page, in lower case
 * 0: url_canonical()'s key of a page, further unified: no amp. host and parameters, Reddit's hosts
 * as one, the repository of GitHub's pages in lower case. -1: no URL; adds nothing. Items are named
 * by url_canonical(), whose keys do not change; these keys may learn new forms. */
int	work_key(struct buf *, const char *url);

struct work_ids {
	size_t	 n;
	char	 id[WORK_IDS][WORK_ID_MAX + 1];
};

/* The ids of a record: of its link; of its guid (a URL of arXiv, DOI, YouTube or OpenReview;
 * oai:arXiv.org:ID, doi:, info:doi/, urn:doi:, yt:video:); of its extras that are called "work",
 * "doi", "arxiv", "arxiv_id", "openreview", "youtube" or "identifier", or so after a prefix that
 * ends with a colon. None twice. */
void	work_ids(struct work_ids *, const struct cr_record *);
/* Those of its extras alone, which may change without a revision of the record. */
void	work_ids_extra(struct work_ids *, const struct cr_record *);
/* The scheme of which both have ids, and none in common: "arxiv", "doi", "openreview" or "youtube",
 * each of which gives a work one id. NULL: nothing says that these are two works. */
const char *work_ids_clash(const struct work_ids *, const struct work_ids *);
#endif
