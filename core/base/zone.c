/* Time zones by name. */
#include "zone.h"
#include "mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ZONE_LIST	ZONE_FOLDER "/tzdata.zi"	/* `Z NAME ...`, `L TARGET NAME` */

static int
is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < ZONE_MAX && name[0] != '/' && name[0] != '.' &&
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == len &&
	    strstr(name, "//") == NULL && name[len - 1] != '/';
}

int
zone_check(const char *name)
{
	char path[sizeof(ZONE_FOLDER) + ZONE_MAX], magic[4] = { 0 };
	FILE *f;
	int is;

	if (!is_name(name))
		return -1;
	snprintf(path, sizeof(path), ZONE_FOLDER "/%s", name);
	if ((f = fopen(path, "re")) == NULL)
		return -1;
	is = fread(magic, 1, sizeof(magic), f) == sizeof(magic) && memcmp(magic, "TZif", 4) == 0;
	fclose(f);
	return is ? 0 : -1;
}

/* Takes a zone's name, without the folder in front of it. 1: it is one. */
static int
machine_is(char name[ZONE_MAX], const char *text)
{
	const char *at = strstr(text, "zoneinfo/");

	text = at != NULL ? at + strlen("zoneinfo/") : text;
	if (strlen(text) >= ZONE_MAX || zone_check(text) == -1)
		return 0;
	memcpy(name, text, strlen(text) + 1);
	return 1;
}

void
zone_machine(char name[ZONE_MAX])
{
	const char *tz = getenv("TZ");
	char text[PATH_MAX];
	ssize_t n;
	FILE *f;

	if (tz != NULL && machine_is(name, tz + (tz[0] == ':')))
		return;
	if ((n = readlink("/etc/localtime", text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		if (machine_is(name, text))
			return;
	}
	if ((f = fopen("/etc/timezone", "re")) != NULL) {
		if (fgets(text, sizeof(text), f) == NULL)
			text[0] = '\0';
		fclose(f);
		text[strcspn(text, "\n")] = '\0';
		if (machine_is(name, text))
			return;
	}
	memcpy(name, "UTC", sizeof("UTC"));
}

int64_t
zone_offset(const char *name, int64_t t)
{
	const char *tz = getenv("TZ");
	char *before = tz != NULL ? xstrdup(tz) : NULL, path[ZONE_MAX + 1];
	time_t at = (time_t)t;
	int64_t offset = 0;
	struct tm tm;

	if (strlen(name) < ZONE_MAX) {
		snprintf(path, sizeof(path), ":%s", name);
		setenv("TZ", path, 1);
		tzset();
		if (localtime_r(&at, &tm) != NULL)
			offset = tm.tm_gmtoff;
		if (before != NULL)
			setenv("TZ", before, 1);
		else
			unsetenv("TZ");
		tzset();
	}
	free(before);
	return offset;
}

/* The name in a line of ZONE_LIST; NULL: the line has none. */
static const char *
listed(char *line)
{
	char *save = NULL, *word = strtok_r(line, " \n", &save);
	int link = word != NULL && strcmp(word, "L") == 0;

	if (word == NULL || (!link && strcmp(word, "Z") != 0))
		return NULL;
	word = strtok_r(NULL, " \n", &save);
	return link && word != NULL ? strtok_r(NULL, " \n", &save) : word;
}

char **
zone_names(void)
{
	char **names = xcalloc(1, sizeof(*names)), line[256];
	FILE *f = fopen(ZONE_LIST, "re");
	const char *name;
	size_t n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if ((name = listed(line)) == NULL)
			continue;
		names = xreallocarray(names, n + 2, sizeof(*names));
		names[n++] = xstrdup(name);
		names[n] = NULL;
	}
	if (f != NULL)
		fclose(f);
	return names;
}

void
zone_names_free(char **names)
{
	for (size_t i = 0; names[i] != NULL; i++)
		free(names[i]);
	free(names);
}
