/* Checks what could keep the daemon from starting besides its configuration: serve's address, the
 * state folder, the files of outputs. */
#include "precheck.h"
#include "state_folder.h"
#include "base/mem.h"
#include "catalog/plugin.h"
#include "catalog/trust.h"
#include "conf/setup_sink.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- The address ---- */

int
precheck_bind(const char *listen_on, char why[WHY_MAX])
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM }, *ai = NULL;
	const char *colon = strrchr(listen_on, ':');
	int fd = -1, one = 1, v6 = listen_on[0] == '[';
	char host[64];

	if (colon != NULL && (size_t)(colon - listen_on) < sizeof(host))
		snprintf(host, sizeof(host), "%.*s", (int)(colon - listen_on) - 2 * v6,
		    listen_on + v6);
	if (colon == NULL || (size_t)(colon - listen_on) >= sizeof(host) ||
	    getaddrinfo(host, colon + 1, &hints, &ai) != 0) {
		snprintf(why, WHY_MAX, "%.64s is no address and port", listen_on);
		errno = EINVAL;
		return -1;
	}
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1) {
		snprintf(why, WHY_MAX, "%.64s: %s", listen_on, strerror(errno));
		one = errno;
		if (fd != -1)
			close(fd);
		errno = one;
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

/* Whether a daemon runs on the state folder: its admin socket accepts or refuses this user. */
static int
is_running(const struct setup *s)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, rc;

	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/admin.sock", s->state) >=
	    (int)sizeof(at.sun_path))
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return 0;
	rc = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 || errno == EACCES ||
	    errno == EAGAIN;
	close(fd);
	return rc;
}

void
precheck_listen(const struct setup *s, const struct node *tree, const char *listen_on,
    struct mistakes *m)
{
	const struct node *serve = conf_get(tree, "serve");
	char why[WHY_MAX];
	int fd;

	if (listen_on == NULL)
		return;
	fd = precheck_bind(listen_on, why);
	if (fd != -1)
		close(fd);
	else if (errno != EINVAL && !(errno == EADDRINUSE && is_running(s)))
		mistake(m, s->file, conf_line(serve, "listen", 0, 0), "serve: listen: %s", why);
}

/* ---- Folders and files ---- */

/* The errno for which the file cannot be written, or created with its folders; 0: it can be. path
 * is cut to the part that is at fault. replaced: the file is written by rename(). */
static int
writable(char path[PATH_MAX], int replaced)
{
	struct stat st;
	char *slash;

	if (lstat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return EISDIR;
		if (!S_ISREG(st.st_mode))
			return EEXIST;
		if (!replaced && access(path, R_OK | W_OK) == -1)
			return errno;
	} else if (errno != ENOENT)
		return errno;
	while ((slash = strrchr(path, '/')) != NULL && slash > path) {	/* its nearest folder */
		*slash = '\0';
		if (lstat(path, &st) == -1 && errno == ENOENT)
			continue;
		if (access(path, W_OK | X_OK) == -1)
			return errno;
		return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	}
	return 0;
}

/* The errno for which the folder cannot be written, or created in its parent; 0: it can be. */
static int
folder_writable(const char *path)
{
	char parent[PATH_MAX], *slash;
	struct stat st;

	if (stat(path, &st) == 0)
		return !S_ISDIR(st.st_mode) ? ENOTDIR : access(path, R_OK | W_OK | X_OK) == -1 ?
		    errno : 0;
	if (errno != ENOENT || snprintf(parent, sizeof(parent), "%s", path) >= (int)sizeof(parent))
		return errno;
	slash = strrchr(parent, '/');
	if (slash != NULL)
		slash[slash == parent] = '\0';
	return access(parent, W_OK | X_OK) == -1 ? errno : 0;
}

/* The same for the state folder under root, who creates it and gives it to the user: an existing
 * folder is fine whoever owns it. */
static int
folder_given(const char *path)
{
	char parent[PATH_MAX], *slash;
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (errno != ENOENT || snprintf(parent, sizeof(parent), "%s", path) >= (int)sizeof(parent))
		return errno == EACCES ? 0 : errno;
	slash = strrchr(parent, '/');
	if (slash != NULL)
		slash[slash == parent] = '\0';
	return stat(parent, &st) == -1 && errno != EACCES ? errno : 0;
}

void
precheck_given(const struct setup *s, const struct node *tree, const struct passwd *pw,
    struct mistakes *m)
{
	struct buf why;

	buf_init(&why, TRUST_WHY);
	if (state_check(s->state, pw, &why) == -1)
		mistake(m, s->file, conf_line(tree, "state", 0, 0), "state: %s: it %s", s->state,
		    why.data);
	buf_free(&why);
}

void
precheck_state(const struct setup *s, const struct node *tree, const struct passwd *pw,
    struct mistakes *m)
{
	static const char *const folders[] = { "out", "plugins" };
	static const char *const files[] = { "lock", "courant.db" };
	int line = conf_line(tree, "state", 0, 0), error;
	char path[PATH_MAX];

	error = pw != NULL ? folder_given(s->state) : folder_writable(s->state);
	if (error != 0)
		mistake(m, s->file, line, "state: %s: %s", s->state, strerror(error));
	if (error != 0 || access(s->state, W_OK | X_OK) == -1)
		return;			/* not created yet, or root gives it to the user */
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", s->state, folders[i]);
		if ((error = folder_writable(path)) != 0)
			mistake(m, s->file, line, "state: %s: %s", path, strerror(error));
		snprintf(path, sizeof(path), "%s/%s", s->state, files[i]);
		if ((error = writable(path, 0)) != 0)
			mistake(m, s->file, line, "state: %s: %s", path, strerror(error));
	}
}

static void
output_check(const struct setup *s, const struct sink *sink, const char *file, struct mistakes *m)
{
	char path[PATH_MAX], part[PATH_MAX];
	int error;

	if (snprintf(path, sizeof(path), "%s/out/%s", s->state, file) >= (int)sizeof(path))
		return;
	memcpy(part, path, sizeof(part));
	error = writable(part, plugin_lists(sink->instance->plugin));
	if (error != 0)
		mistake(m, s->file, sink->path_line, "path: %s cannot be written: %s%s%s", path,
		    strcmp(part, path) != 0 ? part : "", strcmp(part, path) != 0 ? ": " : "",
		    strerror(error));
}

void
precheck_outputs(const struct setup *s, struct mistakes *m)
{
	struct output_files files;

	if (access(s->state, X_OK) == -1)
		return;			/* not created yet, or root gives it to the user */
	for (size_t i = 0; i < s->nroutes; i++)
		for (size_t k = 0; k < s->routes[i].nsinks; k++) {
			const struct sink *sink = &s->routes[i].sinks[k];

			setup_outputs(sink->instance, &files);
			for (size_t f = 0; f < files.n; f++)
				output_check(s, sink, files.name[f], m);
			output_files_free(&files);
		}
}
