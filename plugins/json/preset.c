/* Presets: the names of well-known APIs, as anyone could configure them. */
#include "json.h"

#define LIST	(const char *const [])

/* In this order as PRESETS. The first suits many APIs whose names were chosen without surprise. */
const struct preset presets[] = {
	{
		.fields = LIST{ "guid=id|guid|uuid|_id|key|slug", "link=html_url|url|link|permalink|href",
		    "title=title|name|subject|headline", "summary=summary|excerpt",
		    "content=content_html|content|body_html", "content_text=description|body|text",
		    "published=published_at|publishedAt|published|pubDate|created_at|date|created",
		    "updated=updated_at|updatedAt|updated|modified_at|modified",
		    "author=authors|author|user", "category=tags|categories|labels|category",
		    "image=image|thumbnail|image_url", "language=language|lang", NULL },
	},
	{	/* https://docs.github.com/rest/security-advisories: global, and of one repository */
		.next = "link",
		.fields = LIST{ "guid=ghsa_id", "title=summary", "link=html_url",
		    "content_text=description", "published=published_at", "updated=updated_at",
		    "category=severity", NULL },
		/* `cvss` is what it was called before there were two scales. */
		.numbers = LIST{ "cvss=cvss_severities.cvss_v3.score|cvss.score",
		    "cvss4=cvss_severities.cvss_v4.score", NULL },
		.extras = LIST{ "cve=cve_id", NULL },
	},
	{	/* https://docs.github.com/rest/releases */
		.next = "link",
		.fields = LIST{ "guid=id", "title=name|tag_name", "link=html_url",
		    "content_text=body", "published=published_at|created_at",
		    "author=author.login", "enclosure=assets.browser_download_url", NULL },
		.extras = LIST{ "tag=tag_name", "prerelease=prerelease", "draft=draft", NULL },
	},
	{	/* https://hn.algolia.com/api */
		.items = "hits", .next = "page", .first = 0,
		.fields = LIST{ "guid=objectID", "title=title|story_title",
		    "link=url|https://news.ycombinator.com/item?id={objectID}",
		    "comments=https://news.ycombinator.com/item?id={objectID}",
		    "summary=story_text|comment_text", "author=author",
		    "published=created_at_i|created_at", NULL },
		.counters = LIST{ "votes=points", "comments=num_comments", NULL },
	},
	{	/* the names that huggingface_hub reads (class PaperInfo) */
		.fields = LIST{ "guid=paper.id|id", "title=title|paper.title",
		    "link=https://huggingface.co/papers/{paper.id|id}",
		    "summary_text=paper.summary|summary",
		    "published=paper.publishedAt|publishedAt",
		    "author=paper.authors|authors", "category=paper.ai_keywords|ai_keywords",
		    NULL },
		.counters = LIST{ "votes=paper.upvotes|upvotes", "comments=numComments", NULL },
		.numbers = LIST{ "stars=githubStars|paper.githubStars", NULL },
		.extras = LIST{ "submitted=submittedOnDailyAt|paper.submittedOnDailyAt|publishedAt",
		    "submitter=submittedBy.fullname|submittedOnDailyBy.fullname",
		    "code=githubRepo|paper.githubRepo", "project=projectPage|paper.projectPage",
		    "discussion=paper.discussionId|discussionId", NULL },
	},
};
