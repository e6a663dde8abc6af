/* The files of name look-ups and certificates, which are what the roles fetch, send and mail read. */
#include "lookup.h"
#include "confine.h"
#include "landlock.h"
#include "base/log.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWITCH_LINE	512		/* bytes of a line of nsswitch.conf */
#define SWITCH		"/etc/nsswitch.conf"

/* Files that an administrator replaces while the daemon runs. A rule of Landlock is for the file
 * that was there, and not for its name. */
static const char *const files[] = {
	"/etc/resolv.conf", "/etc/hosts", SWITCH, "/etc/host.conf", "/etc/gai.conf",
};
#define FILES		(sizeof(files) / sizeof(files[0]))
/* What is below a folder may be replaced. */
static const char *const folders[] = {
	"/run/systemd/resolve", "/run/resolvconf", "/etc/ssl/certs", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates", "/etc/ca-certificates", "/etc/pki/tls/certs",
	"/etc/pki/ca-trust", "/usr/share/pki", "/var/lib/ca-certificates", "/etc/ssl/openssl.cnf",
	"/dev/null", "/dev/urandom",
};
#define FOLDERS		(sizeof(folders) / sizeof(folders[0]))

/* The file that a name stood for when the role was confined; of zeros: there was none. */
static struct place {
	dev_t	 dev;
	ino_t	 inode;
} places[FILES + 1];		/* the last: ca */

static struct place
place_of(const char *path)
{
	struct stat st;

	return path != NULL && stat(path, &st) == 0 ? (struct place){ st.st_dev, st.st_ino } :
	    (struct place){ 0 };
}

/* Loads what the line "hosts:" of nsswitch.conf names: libc loads a module at the first look-up,
 * which is too late. files and dns are in libc itself. */
static void
modules_load(void)
{
	char line[SWITCH_LINE], name[SWITCH_LINE + 16], *at, *word;
	FILE *f = fopen(SWITCH, "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "#\n")] = '\0';
		at = line + strspn(line, " \t");
		if (strncmp(at, "hosts:", 6) != 0)
			continue;
		for (word = strtok_r(at + 6, " \t", &at); word != NULL;
		    word = strtok_r(NULL, " \t", &at)) {
			if (word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0' ||
			    strcmp(word, "files") == 0 || strcmp(word, "dns") == 0)
				continue;	/* or an action: [NOTFOUND=return] */
			snprintf(name, sizeof(name), "libnss_%s.so.2", word);
			if (dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) == NULL)
				log_debug("%s: %s", name, dlerror());
		}
	}
	if (f != NULL)
		fclose(f);
}

void
lookup_confine(enum role_id id, const char *ca, const char *bundle, const char *folder)
{
	struct confine_path paths[FILES + FOLDERS + 3];
	size_t n = 0;

	modules_load();
	for (size_t i = 0; i < FILES; i++) {
		places[i] = place_of(files[i]);
		paths[n++] = (struct confine_path){ files[i], LAND_READ };
	}
	places[FILES] = place_of(ca);
	paths[n++] = (struct confine_path){ ca, LAND_READ };
	for (size_t i = 0; i < FOLDERS; i++)
		paths[n++] = (struct confine_path){ folders[i], LAND_READ };
	paths[n++] = (struct confine_path){ bundle, LAND_READ };
	paths[n++] = (struct confine_path){ folder, LAND_READ };
	confine(id, paths, n);
}

static int
replaced(const char *path, struct place was)
{
	const struct place now = place_of(path);
	int fd;

	if (now.inode == 0 || (now.inode == was.inode && now.dev == was.dev))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		close(fd);
	return fd == -1 && errno == EACCES;
}

const char *
lookup_replaced(const char *ca)
{
	for (size_t i = 0; i < FILES; i++)
		if (replaced(files[i], places[i]))
			return files[i];
	return replaced(ca, places[FILES]) ? ca : NULL;
}
