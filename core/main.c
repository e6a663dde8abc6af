/* courantd: reads the command line, becomes one of the roles or the core, and runs its loop. */
#include "check.h"
#include "core.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "roles.h"
#include "child.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef COURANT_SYSCONFDIR
#define COURANT_SYSCONFDIR	"/etc"
#endif
#define CONF_DEFAULT	COURANT_SYSCONFDIR "/courant/courant.yaml"
#define DRAIN_MS	5000		/* for deliveries under way when the daemon stops */
#define BACKLOG		128
#define EXIT_CONF	1		/* the configuration is refused */
#define EXIT_LOCKED	75		/* another daemon has the state folder */

static const struct {
	const char	*name;
	int		(*main)(int debug);
} roles[] = {
	{ "store", store_main },
	{ "fetch", fetch_main },
	{ "send", send_main },
	{ "serve", serve_main },
};

/* A role dies with core, even when core is killed. */
static int
role_main(const char *name, int debug)
{
	if (spawn_bind() == -1)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);	/* from a terminal it reaches all; core tells us */
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].name, name) == 0) {
			log_open(roles[i].name, debug);
			prctl(PR_SET_NAME, roles[i].name);
			return roles[i].main(debug);
		}
	fprintf(stderr, "courantd: there is no role %s\n", name);
	return 2;
}

static int
usage(void)
{
	fprintf(stderr, "usage: courantd [-c FILE] [-u USER] [-dfnV]\n"
	    "  -c FILE  configuration (default %s)\n"
	    "  -n       check the configuration and exit\n"
	    "  -u USER  user to run as when started as root (over `user:`)\n"
	    "  -d       log more\n"
	    "  -f       stay in the foreground, as it always does\n"
	    "  -V       print the version\n", CONF_DEFAULT);
	return 2;
}

/* ---- reading the configuration ---- */

/* Blocks: for the time before there is a loop. A folder that is not there yet is waited for, but when
 * the configuration is only checked it is a mistake. */
static void
scan_plugins(struct core *c, const struct setup *s, const char *copies, struct mistakes *m)
{
	if (copies != NULL)
		catalog_copies(c->catalog, copies);
	catalog_folder(c->catalog, spawn_plugin_dir());
	for (size_t i = 0; i < s->nplugin_dirs; i++) {
		catalog_folder(c->catalog, s->plugin_dirs[i]);
		if (copies == NULL && access(s->plugin_dirs[i], R_OK | X_OK) == -1)
			mistake(m, s->file, 0, "plugins: %s: %s", s->plugin_dirs[i],
			    strerror(errno));
	}
	catalog_look_now(c->catalog);
}

/* The whole configuration, or NULL and the mistakes. copies: where plugins are copied; or NULL. */
static struct setup *
read_setup(struct core *c, struct setup *s, struct node *tree, const char *copies,
    struct mistakes *m)
{
	int rc;

	scan_plugins(c, s, copies, m);
	rc = setup_read(s, tree, c->catalog, m);
	checks_now(c->checks, s);
	setup_checked(s, m);
	if (rc == -1 || m->n > 0) {
		setup_free(s);
		s = NULL;
	}
	malloc_trim(0);
	return s;
}

/* Prints what waits for a plugin. Returns how many. */
static size_t
report_waiting(const struct setup *s)
{
	struct buf b;
	size_t n;

	buf_init(&b, 1u << 20);
	n = setup_waiting(s, &b);
	if (n > 0)
		fputs(b.data, stderr);
	buf_free(&b);
	return n;
}

static int
check_only(struct core *c, struct setup *s, struct node *tree, struct mistakes *m)
{
	int rc;

	s = read_setup(c, s, tree, NULL, m);
	if (s == NULL) {
		fputs(m->text.data, stderr);
		mistakes_free(m);
		return EXIT_CONF;
	}
	rc = report_waiting(s) > 0 ? EXIT_CONF : 0;
	if (rc == 0)
		printf("%s: %zu sources, %zu routes: good\n", s->file, s->nsources, s->nroutes);
	setup_free(s);
	return rc;
}

/* ---- folders, user, socket ---- */

static int
make_folder(const char *path, mode_t mode, const struct passwd *pw)
{
	if (mkdir(path, mode) == -1 && errno != EEXIST) {
		log_warn("%s: %s", path, strerror(errno));
		return -1;
	}
	if (pw != NULL && chown(path, pw->pw_uid, pw->pw_gid) == -1) {
		log_warn("%s: cannot be given to %s: %s", path, pw->pw_name, strerror(errno));
		return -1;
	}
	return 0;
}

/* The user to become: NULL and 0 when we are nobody special; -1 when root names none. */
static int
find_user(const struct setup *s, const char *asked, struct passwd **pw)
{
	const char *name = asked != NULL ? asked : s->user;

	*pw = NULL;
	if (geteuid() != 0)
		return 0;
	if (name == NULL) {
		log_warn("started as root: say whom to run as, by `user:` in %s or -u USER", s->file);
		return -1;
	}
	*pw = getpwnam(name);
	if (*pw == NULL) {
		log_warn("there is no user %s", name);
		return -1;
	}
	if ((*pw)->pw_uid == 0) {
		log_warn("user %s is root, as whom this daemon does not run", name);
		return -1;
	}
	return 0;
}

static int
drop_root(const struct passwd *pw)
{
	if (pw == NULL)
		return 0;
	if (setgroups(1, &pw->pw_gid) == -1 || setgid(pw->pw_gid) == -1 ||
	    setuid(pw->pw_uid) == -1 || setuid(0) != -1) {
		log_warn("cannot become user %s: %s", pw->pw_name, strerror(errno));
		return -1;
	}
	return 0;
}

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" as a listening socket; notes where it really listens. */
static int
bind_serve(struct core *c, const char *listen_on)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM }, *ai = NULL;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char host[64], name[64], port[16];
	const char *colon = strrchr(listen_on, ':');
	int fd = -1, one = 1, v6 = listen_on[0] == '[';

	if (colon == NULL || (size_t)(colon - listen_on) >= sizeof(host))
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - listen_on) - 2 * v6, listen_on + v6);
	if (getaddrinfo(host, colon + 1, &hints, &ai) != 0) {
		log_warn("serve: listen: %s is no address and port", listen_on);
		return -1;
	}
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 || listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ||
	    getnameinfo((struct sockaddr *)&ss, len, name, sizeof(name), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		log_warn("serve: listen: %s: %s", listen_on, strerror(errno));
		if (fd != -1)
			close(fd);
		fd = -1;
	} else
		snprintf(c->listen, sizeof(c->listen), v6 ? "[%.40s]:%.8s" : "%.40s:%.8s", name,
		    port);
	freeaddrinfo(ai);
	return fd;
}

static int
take_lock(struct core *c)
{
	char *path = xasprintf("%s/lock", c->state);
	int rc = 0;

	c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->lock == -1) {
		log_warn("%s: %s", path, strerror(errno));
		rc = 73;
	} else if (flock(c->lock, LOCK_EX | LOCK_NB) == -1) {
		log_warn("%s is held: another courantd runs on this state folder", path);
		rc = EXIT_LOCKED;
	}
	free(path);
	return rc;
}

/* Where serve is to listen, as the tree has it: a low port is bound while we are still root. What
 * is wrong with it, setup_read() tells. NULL: nowhere. */
static const char *
early_listen(const struct node *tree)
{
	const struct node *serve = conf_get(tree, "serve");
	const struct node *at = serve != NULL && serve->kind == CONF_MAP ?
	    conf_get(serve, "listen") : NULL;

	return at != NULL && at->kind == CONF_SCALAR ? at->text : NULL;
}

/* All that needs root, then root is gone. 0, or an exit status. */
static int
prepare(struct core *c, const struct setup *s, const char *listen_on, const char *user)
{
	char *plugins = xasprintf("%s/plugins", s->state);
	struct passwd *pw;
	int rc, bound = 1;

	c->state = xstrdup(s->state);
	rc = find_user(s, user, &pw) == -1 ? EXIT_CONF : 0;
	if (rc == 0 && make_folder(c->state, 0750, pw) == -1)
		rc = 73;
	if (rc == 0 && listen_on != NULL)
		bound = (c->listener = bind_serve(c, listen_on)) != -1;
	if (rc == 0 && drop_root(pw) == -1)
		rc = EXIT_CONF;
	if (rc == 0)
		prctl(PR_SET_DUMPABLE, 0);
	c->database = xasprintf("%s/courant.db", s->state);
	c->out = xasprintf("%s/out", s->state);
	if (rc == 0 && (make_folder(c->out, 0750, NULL) == -1 ||
	    make_folder(plugins, 0750, NULL) == -1))
		rc = 73;
	if (rc == 0)
		rc = take_lock(c);
	if (rc == 0 && !bound)
		rc = EXIT_CONF;		/* unless another daemon, which has the lock, has the port */
	free(plugins);
	return rc;
}

/* ---- the running core ---- */

/* Takes the new setup: what ran under the old one is told. */
static void
take_setup(struct core *c, struct setup *next)
{
	struct setup *old = c->setup;

	c->setup = next;
	c->next = NULL;
	poll_setup(c, old);
	deliver_setup(c);
	roles_configure(c);
	if (old != NULL)
		log_info("configuration taken: %zu sources, %zu routes", next->nsources,
		    next->nroutes);
	setup_free(old);
	change_setup(c);
}

/* Whether it is to stop and nothing is under way. */
static int
core_quiet(const struct core *c)
{
	return c->stopping && c->busy_stations == 0 && !stream_busy(c) && !visit_busy(c) &&
	    !intake_busy(c);
}

/* Its own turn of the loop: whoever asked for it may still hold what a new setup frees. */
static void
on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;

	(void)fd;
	(void)what;
	if (core_quiet(c))
		event_base_loopexit(c->base, NULL);
	else if (!c->stopping && c->next != NULL)
		take_setup(c, c->next);
}

void
core_idle(struct core *c)
{
	if (core_quiet(c))
		event_active(c->idle, EV_TIMEOUT, 0);
}

void
core_exit(struct core *c, int status)
{
	const struct timeval drain = { .tv_sec = DRAIN_MS / 1000 };

	if (c->stopping) {
		event_base_loopexit(c->base, NULL);
		return;
	}
	c->stopping = 1;
	c->status = status;
	event_base_loopexit(c->base, &drain);
	stream_stop(c);
	visit_stop(c);
	core_idle(c);
}

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	log_info("stops: signal %d", (int)sig);
	core_exit(arg, 0);
}

static void
on_hangup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	core_reload(arg);
}

static void
on_signal(struct core *c, int sig, event_callback_fn cb)
{
	struct event *ev = evsignal_new(c->base, sig, cb, c);

	if (ev == NULL || event_add(ev, NULL) == -1)
		fatal("no event for signal %d", sig);
}

static int
run(struct core *c, struct setup *s)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	c->base = event_base_new();
	if (c->base == NULL)
		fatal("no event loop");
	on_signal(c, SIGTERM, on_stop);
	on_signal(c, SIGINT, on_stop);
	on_signal(c, SIGHUP, on_hangup);
	c->idle = evtimer_new(c->base, on_idle, c);
	if (c->idle == NULL)
		fatal("no event for a new setup");
	errand_init(c);
	pool_init(c);
	poll_init(c);
	intake_init(c);
	stream_init(c);
	visit_init(c);
	change_init(c);
	reload_init(c);
	take_setup(c, s);
	change_look(c, 0);	/* what changed before it was watched */
	roles_start(c);
	admin_start(c);
	log_info("courantd %s: %zu sources, %zu routes%s%s", PACKAGE_VERSION, s->nsources,
	    s->nroutes, c->listener != -1 ? ", http://" : "", c->listen);
	event_base_dispatch(c->base);
	c->stopping = 1;
	admin_stop(c);
	reload_stop(c);
	pool_stop(c);
	errand_stop(c);
	roles_stop(c);
	log_info("stopped");
	return c->status;
}

static int
core_main(const char *file, const char *user, int check, int debug)
{
	static struct core core = { .listener = -1, .lock = -1 };
	struct core *c = &core;
	struct mistakes m;
	struct node *tree = NULL;
	struct setup *s;
	char *copies;
	int rc;

	log_open("core", debug);
	c->debug = debug;
	c->started = date_ticks();
	c->catalog = catalog_new();
	c->checks = checks_new();
	mistakes_init(&m);
	s = setup_open(file, &m, &tree);
	if (s == NULL) {
		fputs(m.text.data, stderr);
		mistakes_free(&m);
		return EXIT_CONF;
	}
	if (check)
		return check_only(c, s, tree, &m);
	rc = prepare(c, s, early_listen(tree), user);
	if (rc != 0) {
		conf_free(tree);
		setup_free(s);
		mistakes_free(&m);
		return rc;
	}
	copies = xasprintf("%s/plugins", c->state);
	s = read_setup(c, s, tree, copies, &m);
	free(copies);
	if (s == NULL) {
		fputs(m.text.data, stderr);
		mistakes_free(&m);
		return EXIT_CONF;
	}
	mistakes_free(&m);
	(void)report_waiting(s);
	return run(c, s);
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "role", required_argument, NULL, 'R' },
		{ "debug", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *file = CONF_DEFAULT, *user = NULL, *role = NULL;
	int opt, check = 0, debug = 0;

	while ((opt = getopt_long(argc, argv, "c:u:dfnVh", longs, NULL)) != -1)
		switch (opt) {
		case 'c':
			file = optarg;
			break;
		case 'u':
			user = optarg;
			break;
		case 'd':
			debug = 1;
			break;
		case 'f':
			break;
		case 'n':
			check = 1;
			break;
		case 'R':
			role = optarg;
			break;
		case 'V':
			printf("courantd %s\n", PACKAGE_VERSION);
			return 0;
		default:
			return usage();
		}
	if (optind < argc)
		return usage();
	return role != NULL ? role_main(role, debug) : core_main(file, user, check, debug);
}
