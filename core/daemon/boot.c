/* The start, before the loop: reads and checks the configuration, prepares folders, user and
 * socket, and gives up root. */
#include "boot.h"
#include "precheck.h"
#include "state_folder.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/user.h"
#include "catalog/trust.h"
#include "conf/check.h"
#include "conf/setup_checked.h"
#include "conf/setup_read.h"
#include "daemon/supervise/core.h"
#include "ipc/child.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG		128
#define NOBODY		"nobody"	/* who has no files, on each system */
#define EXIT_LOCKED	75		/* another daemon has locked the state folder */

/* Checks a plugin folder of a configuration that is just checked. */
static void
check_folder(const struct setup *s, const char *folder, int line, struct mistakes *m)
{
	struct buf why;

	buf_init(&why, TRUST_WHY);
	if (access(folder, R_OK | X_OK) == -1)
		mistake(m, s->file, line, "plugins: %s: %s", folder, strerror(errno));
	else if (trust_folder(folder, geteuid(), &why) == -1)
		mistake(m, s->file, line, "plugins: %s: %s", folder,
		    why.len > 0 ? why.data : strerror(errno));
	buf_free(&why);
}

/* Inspects the plugins; blocks, as there is no loop yet. A missing folder is a mistake only if the
 * configuration is just checked (copies NULL): a running daemon waits for it. */
static void
scan_plugins(struct core *c, const struct setup *s, const struct node *tree, const char *copies,
    struct mistakes *m)
{
	if (copies != NULL)
		catalog_copies(c->catalog, copies);
	catalog_folder(c->catalog, child_plugin_dir());
	for (size_t i = 0; i < s->nplugin_dirs; i++) {
		catalog_folder(c->catalog, s->plugin_dirs[i]);
		if (copies == NULL)
			check_folder(s, s->plugin_dirs[i], conf_line(tree, "plugins", i, 0), m);
	}
	catalog_inspect_now(c->catalog);
}

/* Reads the whole configuration; NULL: it has mistakes. copies: folder for copies of plugins; NULL:
 * it is only checked. */
static struct setup *
read_setup(struct core *c, struct setup *s, struct node *tree, const char *copies,
    struct mistakes *m)
{
	int rc;

	scan_plugins(c, s, tree, copies, m);
	rc = setup_read(s, tree, c->catalog, m);
	checks_now(c->checks, s);
	setup_checked(s, m);
	if (copies == NULL)
		precheck_outputs(s, m);
	if (rc == -1 || m->n > 0) {
		setup_free(s);
		s = NULL;
	}
	malloc_trim(0);
	return s;
}

/* Writes to b a line for each thing that waits for a plugin, and for what a later version will
 * have. Returns the number of those that wait. */
static size_t
waiting(const struct setup *s, struct buf *b)
{
	size_t n;

	buf_init(b, 1u << 20);
	n = setup_waiting(s, b);
	(void)setup_warnings(s, b);
	return n;
}

static int
make_folder(const char *path, mode_t mode)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	log_error("%s: %s", path, strerror(errno));
	return -1;
}

/* Finds the user to become. 0 and *pw NULL: the daemon was not started as root; -1 and why: no user
 * fits. */
static int
find_user(const struct setup *s, const char *asked, const struct passwd **pw, struct buf *why)
{
	const char *name = asked != NULL ? asked : s->user;

	*pw = NULL;
	if (!user_is_root())
		return 0;
	if (name == NULL)
		buf_str(why, "started as root: say whom to run as, by `user:` or -u USER");
	else
		*pw = user_find(name, why);
	return *pw != NULL ? 0 : -1;
}

static int
drop_root(const struct passwd *pw)
{
	struct buf why;
	int rc = 0;

	if (pw == NULL)
		return 0;
	buf_init(&why, WHY_MAX);
	rc = user_become(pw, &why);
	if (rc == -1)
		log_error("%s", why.data);
	buf_free(&why);
	return rc;
}

/* Binds serve's socket; core's listen is the address that it got. */
static int
bind_serve(struct core *c, const char *listen_on)
{
	char why[WHY_MAX], name[64], port[16];
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = precheck_bind(listen_on, why);

	if (fd == -1) {
		log_error("serve: listen: %s", why);
		return -1;
	}
	if (listen(fd, BACKLOG) == -1 || getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ||
	    getnameinfo((struct sockaddr *)&ss, len, name, sizeof(name), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		log_error("serve: listen: %s: %s", listen_on, strerror(errno));
		close(fd);
		return -1;
	}
	snprintf(c->listen, sizeof(c->listen), listen_on[0] == '[' ? "[%.40s]:%.8s" :
	    "%.40s:%.8s", name, port);
	return fd;
}

static int
take_lock(struct core *c)
{
	char *path = xasprintf("%s/lock", c->state);
	int rc = 0;

	c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->lock == -1) {
		log_error("%s: %s", path, strerror(errno));
		rc = 73;
	} else if (flock(c->lock, LOCK_EX | LOCK_NB) == -1) {
		log_error("%s is held: another courantd runs on this state folder", path);
		rc = EXIT_LOCKED;
	}
	free(path);
	return rc;
}

/* The address for serve, from the tree: a low port is bound while the process is root. setup_read()
 * reports mistakes in it. NULL: serve is off. */
static const char *
early_listen(const struct node *tree)
{
	const struct node *serve = conf_get(tree, "serve");
	const struct node *at = serve != NULL && serve->kind == CONF_MAP ?
	    conf_get(serve, "listen") : NULL;

	return at != NULL && at->kind == CONF_SCALAR ? at->text : NULL;
}

/* Does all that needs root, then gives root up. 0, or an exit status. */
static int
prepare(struct core *c, const struct setup *s, const char *listen_on, const char *user)
{
	char *plugins = xasprintf("%s/plugins", s->state);
	const struct passwd *pw;
	struct buf why;
	int rc = 0, bound = 1;

	c->state = xstrdup(s->state);
	buf_init(&why, WHY_MAX);
	if (find_user(s, user, &pw, &why) == -1) {
		log_error("%s: %s", s->file, why.data);
		rc = EXIT_CONF;
	}
	buf_free(&why);
	if (rc == 0 && (pw != NULL ? state_give(c->state, 0750, pw) :
	    make_folder(c->state, 0750)) == -1)
		rc = 73;
	if (rc == 0 && listen_on != NULL)
		bound = (c->listener = bind_serve(c, listen_on)) != -1;
	if (rc == 0 && drop_root(pw) == -1)
		rc = EXIT_CONF;
	if (rc == 0)
		prctl(PR_SET_DUMPABLE, 0);
	c->database = xasprintf("%s/courant.db", s->state);
	c->out = xasprintf("%s/out", s->state);
	if (rc == 0 && (make_folder(c->out, 0750) == -1 ||
	    make_folder(plugins, 0750) == -1))
		rc = 73;
	if (rc == 0)
		rc = take_lock(c);
	if (rc == 0 && !bound)
		rc = EXIT_CONF;		/* not EXIT_LOCKED: no daemon runs here */
	free(plugins);
	return rc;
}

static void
mistakes_drop(struct mistakes *m)
{
	mistakes_free(m);
	mistakes_init(m);
}

/* Reads the top of the configuration again as the daemon's user, who must be able to read the files
 * that it names. NULL: mistakes. */
static struct setup *
read_again(struct setup *s, struct node **tree, struct mistakes *m)
{
	struct setup *again;

	conf_free(*tree);
	again = setup_again(s, m, tree);
	if (again != NULL)
		again->again = 0;	/* its mistakes are the configuration's */
	if (access(s->file, R_OK) == -1)
		log_warn("%s: the user that the daemon runs as cannot read it, so no reload can: %s",
		    s->file, strerror(errno));
	setup_free(s);
	return again;
}

int
boot_check(struct core *c, struct setup *s, struct node *tree, const char *user, struct mistakes *m)
{
	int root = user_is_root(), found;
	const struct passwd *pw;
	struct buf b, why;
	size_t n;

	buf_init(&why, 2 * WHY_MAX);
	found = find_user(s, user, &pw, &why) == 0 && pw != NULL;
	if (found)
		mistakes_drop(m);	/* read_again() finds those of the top again */
	else if (root) {		/* the rest is checked as the user with the least rights */
		mistake(m, s->file, 0, "%s", why.data);
		buf_clear(&why);
		pw = user_find(NOBODY, &why);
	}
	precheck_listen(s, tree, early_listen(tree), m);
	if (found)
		precheck_given(s, tree, pw, m);
	if (root && (pw == NULL || user_become(pw, &why) == -1)) {
		mistake(m, s->file, 0, "no plugin is looked at as root, but %s", why.data);
		setup_free(s);
		conf_free(tree);
		s = NULL;
	} else if (found)
		s = read_again(s, &tree, m);
	buf_free(&why);
	if (s != NULL) {
		precheck_state(s, tree, pw, m);
		s = read_setup(c, s, tree, NULL, m);
	}
	if (s == NULL) {
		shown_lines(stderr, m->text.data);
		return EXIT_CONF;
	}
	n = waiting(s, &b);
	if (b.len > 0)
		shown_lines(stderr, b.data);
	if (n == 0)
		shown_print(stdout, "%s: %zu sources, %zu routes: good\n", s->file, s->nsources, s->nroutes);
	buf_free(&b);
	setup_free(s);
	return n > 0 ? EXIT_CONF : 0;
}

struct setup *
boot_begin(struct core *c, struct setup *s, struct node *tree, const char *user, struct mistakes *m,
    int *status)
{
	char *copies = xasprintf("%s/plugins", s->state);
	int root = user_is_root();
	struct buf b;

	*status = prepare(c, s, early_listen(tree), user);
	if (*status != 0) {
		conf_free(tree);
		setup_free(s);
		free(copies);
		return NULL;
	}
	*status = EXIT_CONF;
	if (root) {
		mistakes_drop(m);
		s = read_again(s, &tree, m);
	}
	if (s != NULL)
		s = read_setup(c, s, tree, copies, m);
	free(copies);
	if (s != NULL) {
		(void)waiting(s, &b);
		log_lines(log_warn, b.data);
		buf_free(&b);
	}
	return s;
}
