/* Names that stay in the output folder, and its folders. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is wrong with one name of a path, or NULL. */
static const char *
files_name_wrong(const char *name, size_t len)
{
	size_t i;

	if (len == 0)
		return "has an empty name in it";
	if (name[0] == '.')
		return "has a name in it that begins with a dot";
	if (len > FILES_NAME_MAX)
		return "has a name in it of more than 255 bytes";
	for (i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return "has a control character in it";
	return NULL;
}

const char *
files_wrong(const char *path, size_t spare)
{
	const char *name = path, *why;
	size_t len;

	if (path == NULL || path[0] == '\0')
		return "is empty";
	if (path[0] == '/')
		return "begins with /: it is relative to the output folder";
	if (strlen(path) + spare > FILES_PATH_MAX)
		return "is longer than 1024 bytes";
	for (;; name += len + 1) {
		len = strcspn(name, "/");
		if ((why = files_name_wrong(name, len)) != NULL)
			return why;
		if (name[len] == '\0')
			break;
	}
	return len + spare > FILES_NAME_MAX ? "is too long" : NULL;
}

const char *
files_folder(char *out, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	if (len == 0 || len > FILES_PATH_MAX)
		return memcpy(out, ".", 2);
	memcpy(out, path, len);
	out[len] = '\0';
	return out;
}

int
files_sync_folder(const char *path)
{
	char folder[FILES_PATH_MAX + 1];
	int fd = open(files_folder(folder, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc, saved;

	if (fd == -1)
		return -1;
	rc = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

int
files_make_folders(const char *path)
{
	char at[FILES_PATH_MAX + 1];
	const char *slash = path;
	size_t len;

	while ((slash = strchr(slash, '/')) != NULL) {
		len = (size_t)(slash++ - path);
		if (len > FILES_PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(at, path, len);
		at[len] = '\0';
		if (mkdir(at, 0755) == 0) {
			if (files_sync_folder(at) == -1)
				return -1;
		} else if (errno != EEXIST)
			return -1;
	}
	return 0;
}

int
files_write(int fd, const char *p, size_t len)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n)
		while ((n = write(fd, p, len)) == -1)
			if (errno != EINTR)
				return -1;
	return 0;
}
