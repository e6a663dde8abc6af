/* Requests to the running daemon, over its admin socket. */
#include "cli_daemon.h"
#include "cli_print.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf/setup_read.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef COURANT_SYSCONFDIR
#define COURANT_SYSCONFDIR	"/etc"
#endif
#define CONF_DEFAULT	COURANT_SYSCONFDIR "/courant/courant.yaml"
#define ANSWER_MS	30000

static const char *conf_file = CONF_DEFAULT;
static int conf_named;			/* by -c */
static const char *state_dir;

void
cli_daemon_conf(const char *file)
{
	conf_file = file;
	conf_named = 1;
}

void
cli_daemon_state(const char *dir)
{
	state_dir = dir;
}

void
cli_daemon_tried(const char *file)
{
	struct mistakes m;
	struct node *tree = NULL;
	struct setup *s;

	if (conf_named && state_dir == NULL) {
		mistakes_init(&m);
		s = setup_open(conf_file, &m, &tree);
		if (s == NULL) {
			print_lines(m.text.data, 1);
			exit(1);
		}
		state_dir = xstrdup(s->state);
		conf_free(tree);
		setup_free(s);
		mistakes_free(&m);
	}
	cli_daemon_conf(file);
}

const char *
cli_conf(void)
{
	return conf_named || access(conf_file, R_OK) == 0 ? conf_file : NULL;
}

const char *
cli_conf_denied(void)
{
	return access(conf_file, R_OK) == -1 && errno == EACCES ? conf_file : NULL;
}

/* The path of the admin socket; NULL, and mistakes: the configuration cannot be read. */
static char *
socket_path(struct mistakes *m)
{
	struct node *tree = NULL;
	struct setup *s;
	char *path;

	if (state_dir != NULL)
		return xasprintf("%s/admin.sock", state_dir);
	s = setup_open(conf_file, m, &tree);
	if (s == NULL)
		return NULL;
	path = xasprintf("%s/admin.sock", s->state);
	conf_free(tree);
	setup_free(s);
	return path;
}

/* -1 with errno. */
static int
daemon_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

struct chan *
cli_daemon_open(void)
{
	struct mistakes m;
	char *path;
	int fd;

	mistakes_init(&m);
	path = socket_path(&m);
	if (path == NULL) {
		print_lines(m.text.data, 1);
		print_error("courant: name the daemon's state folder with -s, or its "
		    "configuration with -c\n");
		exit(1);
	}
	fd = daemon_connect(path);
	if (fd == -1) {
		print_error("courant: %s: %s; does courantd run?\n", path, strerror(errno));
		exit(1);
	}
	free(path);
	mistakes_free(&m);
	return chan_new(fd);
}

int
cli_ask_over(struct chan *c, const char *command, const char *arg, char **text, size_t *len)
{
	struct frame f;
	struct wire w;
	struct buf b;
	const char *s;
	size_t size = 0;
	uint32_t status;

	buf_init(&b, msg_limit(MSG_ASK));
	wire_put_str(&b, command);
	wire_put_str(&b, arg);
	if (chan_send(c, MSG_ASK, 1, &b, -1, -1) == -1 || chan_recv(c, &f, ANSWER_MS) != 1 ||
	    f.type != MSG_TOLD) {
		print_error("courant: the daemon does not answer; its log may say why\n");
		exit(1);
	}
	wire_init(&w, f.data, f.len);
	status = wire_u32(&w);
	s = wire_str(&w);
	if (s == NULL && f.fd[0] != -1 && (s = memfd_map(f.fd[0], SIZE_MAX, &size)) != NULL) {
		*text = xmalloc(size + 1);
		memcpy(*text, s, size);
		(*text)[size] = '\0';
		memfd_unmap(s, size);
	} else if (s != NULL && wire_end(&w) == 0) {
		*text = xstrdup(s);
		size = strlen(s);
	} else {
		print_error("courant: the daemon's answer cannot be read%s\n",
		    f.fd[0] == -1 ? ": it came without its text" : "");
		exit(1);
	}
	if (len != NULL)
		*len = size;
	buf_free(&b);
	return (int)status;
}

/* The same; c is freed. */
static int
ask_once(struct chan *c, const char *command, const char *arg, char **text)
{
	int status = cli_ask_over(c, command, arg, text, NULL);

	chan_free(c);
	return status;
}

int
cli_ask(const char *command, const char *arg, char **text)
{
	return ask_once(cli_daemon_open(), command, arg, text);
}

int
cli_ask_running(const char *command, char **text)
{
	struct mistakes m;
	char *path = NULL;
	int fd = -1;

	mistakes_init(&m);
	if (state_dir != NULL || cli_conf() != NULL)
		path = socket_path(&m);
	if (path != NULL)
		fd = daemon_connect(path);
	if (path != NULL && fd == -1 && errno != ENOENT && errno != ECONNREFUSED)
		print_error("courant: %s: %s: the daemon is not asked\n", path, strerror(errno));
	free(path);
	mistakes_free(&m);
	return fd == -1 || ask_once(chan_new(fd), command, NULL, text) != 0 ? -1 : 0;
}

json_t *
cli_ask_json(const char *command, const char *arg)
{
	char *text = NULL;
	int status = cli_ask(command, arg, &text);
	json_t *answer = status == 0 ? json_loads(text, 0, NULL) : NULL;

	if (answer == NULL) {
		print_error("courant: ");
		print_lines(status != 0 ? text : "the answer cannot be read\n", 1);
	}
	free(text);
	return answer;
}

json_t *
cli_ask_about(const char *command, const json_t *question)
{
	char *arg = json_dumps(question, JSON_COMPACT);
	json_t *answer = cli_ask_json(command, arg);

	free(arg);
	return answer;
}
