/* The files of an entry: their types, by their names where nobody says them, and which of them is
 * the one that RSS has room for. */
#include "feed_out.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SUFFIX_MAX	8		/* characters of what stands behind the last dot of a name */

/* Media types as IANA has them, or as their players want them where it has none. */
static const struct {
	const char	*suffix, *type;
} types[] = {
	{ "mp3", "audio/mpeg" }, { "m4a", "audio/mp4" }, { "m4b", "audio/mp4" },
	{ "aac", "audio/aac" }, { "ogg", "audio/ogg" }, { "oga", "audio/ogg" },
	{ "opus", "audio/ogg" }, { "spx", "audio/ogg" }, { "flac", "audio/flac" },
	{ "wav", "audio/wav" }, { "aif", "audio/aiff" }, { "aiff", "audio/aiff" },
	{ "wma", "audio/x-ms-wma" }, { "mid", "audio/midi" }, { "midi", "audio/midi" },
	{ "weba", "audio/webm" }, { "mka", "audio/x-matroska" }, { "amr", "audio/amr" },
	{ "m3u", "audio/x-mpegurl" }, { "m3u8", "application/vnd.apple.mpegurl" },
	{ "mp4", "video/mp4" }, { "m4v", "video/x-m4v" }, { "mov", "video/quicktime" },
	{ "qt", "video/quicktime" }, { "webm", "video/webm" }, { "mkv", "video/x-matroska" },
	{ "ogv", "video/ogg" }, { "avi", "video/x-msvideo" }, { "wmv", "video/x-ms-wmv" },
	{ "flv", "video/x-flv" }, { "mpg", "video/mpeg" }, { "mpeg", "video/mpeg" },
	{ "3gp", "video/3gpp" }, { "ts", "video/mp2t" },
	{ "jpg", "image/jpeg" }, { "jpeg", "image/jpeg" }, { "jpe", "image/jpeg" },
	{ "png", "image/png" }, { "gif", "image/gif" }, { "webp", "image/webp" },
	{ "avif", "image/avif" }, { "svg", "image/svg+xml" }, { "bmp", "image/bmp" },
	{ "tif", "image/tiff" }, { "tiff", "image/tiff" }, { "ico", "image/x-icon" },
	{ "heic", "image/heic" }, { "jxl", "image/jxl" },
	{ "pdf", "application/pdf" }, { "epub", "application/epub+zip" },
	{ "mobi", "application/x-mobipocket-ebook" }, { "ps", "application/postscript" },
	{ "doc", "application/msword" }, { "rtf", "application/rtf" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "xls", "application/vnd.ms-excel" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "zip", "application/zip" }, { "gz", "application/gzip" }, { "tgz", "application/gzip" },
	{ "bz2", "application/x-bzip2" }, { "xz", "application/x-xz" },
	{ "zst", "application/zstd" }, { "7z", "application/x-7z-compressed" },
	{ "rar", "application/vnd.rar" }, { "tar", "application/x-tar" },
	{ "torrent", "application/x-bittorrent" },
	{ "deb", "application/vnd.debian.binary-package" },
	{ "apk", "application/vnd.android.package-archive" },
	{ "iso", "application/x-iso9660-image" }, { "dmg", "application/x-apple-diskimage" },
	{ "swf", "application/x-shockwave-flash" },
	{ "csv", "text/csv" }, { "txt", "text/plain" }, { "md", "text/markdown" },
	{ "htm", "text/html" }, { "html", "text/html" }, { "xml", "application/xml" },
	{ "json", "application/json" }, { "ics", "text/calendar" },
	{ "vtt", "text/vtt" }, { "srt", "application/x-subrip" },
};

/* By what stands behind the last dot of a name that ends at `end`; NULL: not known. */
static const char *
type_of_name(const char *name, const char *end)
{
	const char *p = end;
	size_t i, len;

	while (p > name && p[-1] != '.' && p[-1] != '/' && end - p <= SUFFIX_MAX)
		p--;
	len = (size_t)(end - p);
	if (p == name || p[-1] != '.' || len == 0)
		return NULL;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].suffix) == len && strncasecmp(types[i].suffix, p, len) == 0)
			return types[i].type;
	return NULL;
}

const char *
type_guess(const char *url)
{
	const char *host = strstr(url, "://"), *path, *type;

	if (strncmp(url, "magnet:", 7) == 0)
		return "application/x-bittorrent";
	/* the host's own last part is no suffix */
	path = host != NULL ? host + 3 + strcspn(host + 3, "/?#") : url;
	type = type_of_name(path, path + strcspn(path, "?#"));
	/* get?file=one.mp3 */
	return type != NULL ? type : type_of_name(path, path + strcspn(path, "#"));
}

/* Whether a type says more than that it is a file. */
static int
says_type(const char *type)
{
	static const char *const empty[] = { "application/octet-stream", "binary/octet-stream",
		"application/x-download", "application/download", "application/force-download",
		"application/unknown" };
	const char *slash = strchr(type, '/');
	size_t i;

	if (slash == NULL || slash == type || slash[1] == '\0' || strpbrk(type, " <>\"") == type)
		return 0;
	for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		if (strcasecmp(type, empty[i]) == 0)
			return 0;
	return 1;
}

/* 0; -1: it has no address that fits. */
static int
file_read(struct file *f, const char *json)
{
	char said[FILE_TYPE_MAX];
	const char *type;

	if (json_text(f->url, sizeof(f->url), json_member(json, "url")) == -1 || f->url[0] == '\0')
		return -1;
	if (json_text(said, sizeof(said), json_member(json, "type")) == -1)
		said[0] = '\0';
	type = says_type(said) ? said : type_guess(f->url);
	snprintf(f->type, sizeof(f->type), "%s",
	    type != NULL ? type : "application/octet-stream");
	f->size = json_member(json, "size");
	return 0;
}

int
file_first(struct file *f, const struct item *it)
{
	f->next = json_first(it->enclosures);
	f->nth = 0;
	return file_next(f);
}

int
file_next(struct file *f)
{
	const char *json;

	while ((json = f->next) != NULL) {
		f->next = json_next(json);
		f->nth++;
		if (file_read(f, json) == 0)
			return 1;
	}
	return 0;
}

int
file_is(const struct file *f, const char *kind)
{
	return strncasecmp(f->type, kind, strlen(kind)) == 0;
}

size_t
file_chosen(const struct item *it)
{
	double own;
	int more;
	struct file f;

	if (it->cr->get_number(it->rec, "own-enclosures", &own) != 1)
		own = 1e9;
	for (more = file_first(&f, it); more && (double)f.nth <= own; more = file_next(&f))
		if (!file_is(&f, "image/") && !file_is(&f, "text/html"))
			return f.nth;
	return 0;
}

void
media_content(struct out *o, const struct file *f)
{
	static const char *const kinds[] = { "image", "audio", "video" };
	const char *medium = "document";
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (file_is(f, kinds[i]))
			medium = kinds[i];
	out_str(o, "<media:content");
	attribute_uri(o, "url", f->url);
	attribute_of_json(o, "fileSize", f->size);
	attribute(o, "type", f->type);
	attribute(o, "medium", medium);
	out_str(o, "/>\n");
}
