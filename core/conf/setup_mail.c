/* Reads `mail`: the server to which mail is handed over, and from whom it is. */
#include "setup_mail.h"
#include "setup_value.h"
#include "base/digest.h"
#include "base/idn.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"
#include "base/utf8.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_BYTES	200		/* of the name before the address in `from` */
#define SECRET_MAX	8192		/* bytes of a password or token */
#define RATE_MAX	1000000		/* messages of one unit of time */
#define PORT_SUBMIT	587		/* RFC 6409; of smtps: 465, RFC 8314 */
#define PORT_TLS	465
#define PORT_LOCAL	25		/* of a mail server on this machine */

struct mail_said {
	const char	*server, *user, *password, *token, *from, *hello, *bounces, *leave, *rate;
	int		 starttls;
	int64_t		 at_once, per_connection;
};
static const struct cr_option mail_own[] = {
	CR_OPTION(struct mail_said, server, STRING, "", NULL, NULL),
	CR_OPTION(struct mail_said, starttls, BOOL, "yes", NULL, NULL),
	CR_OPTION(struct mail_said, user, STRING, "", NULL, NULL),
	CR_OPTION(struct mail_said, password, SECRET, "", NULL, NULL),
	CR_OPTION(struct mail_said, token, SECRET, "", NULL, NULL),
	CR_OPTION(struct mail_said, from, STRING, "", NULL, NULL),
	CR_OPTION(struct mail_said, hello, STRING, "", NULL, NULL),
	CR_OPTION(struct mail_said, bounces, STRING, "", NULL, NULL),
	CR_OPTION(struct mail_said, leave, STRING, "", NULL, NULL),
	CR_OPTION(struct mail_said, at_once, INT, "2", "1..32", NULL),
	CR_OPTION(struct mail_said, rate, STRING, "", NULL, NULL),
	CR_OPTION(struct mail_said, per_connection, INT, "100", "1..100000", NULL),
	CR_END
};

/* ---- The server ---- */

/* Whether a host is this machine by what its name or address says, without a look-up. */
static int
host_is_loopback(const char *host)
{
	struct in_addr four;

	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	    (inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127);
}

/* Splits smtp://HOST:PORT. NULL; or what is wrong with it. */
static const char *
server_split(const char *server, int *tls, char host[IDN_HOST_MAX + 1], int *port)
{
	struct url u;

	for (const char *c = server; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return "has a space or a control character in it";
	if (url_split(&u, server) == -1 || (!text_is(u.scheme, u.scheme_len, "smtp") &&
	    !text_is(u.scheme, u.scheme_len, "smtps")))
		return "is not smtp://HOST:PORT or smtps://HOST:PORT";
	*tls = u.scheme_len == 5;
	if (u.user != NULL)
		return "has a user in it: say `user` and `password_file` instead";
	if (u.host == NULL || u.host_len == 0)
		return "names no host, as in smtp://mail.example.org:587";
	if (u.path_len > 1 || u.query != NULL || u.fragment != NULL)
		return "ends with the host and the port; what to say in EHLO is `hello`";
	if (idn_host(host, u.host, u.host_len) == 0)
		return "has a host that is none";
	if (u.host[u.host_len] == ':' && u.port == 0 && u.host[u.host_len + 1] != '\0' &&
	    u.host[u.host_len + 1] != '/')
		return "has a port that is none";
	*port = u.port;
	return NULL;
}

static void
server_read(struct setup_reader *r, const struct node *n, const struct mail_said *said,
    int starttls_said)
{
	struct mail_conf *m = &r->setup->mail;
	const int line = conf_line(n, "server", 0, n->line);
	char host[IDN_HOST_MAX + 1] = "", *url;
	int tls = 0, port = 0, local;
	const char *why;

	if (said->server == NULL) {
		wrong(r, n->line, "there is no server; say mail: { server: smtp://HOST:PORT }");
		return;
	}
	why = server_split(said->server, &tls, host, &port);
	if (why != NULL) {
		wrong(r, line, "server: \"%s\" %s", strchr(said->server, '@') != NULL ?
		    "..." : said->server, why);
		return;
	}
	local = host_is_loopback(host);
	if (starttls_said && !said->starttls && !local && !tls)
		wrong(r, conf_line(n, "starttls", 0, n->line),
		    "starttls: no, but %s is another machine: mail goes there encrypted", host);
	m->plain = !tls && local && !(starttls_said && said->starttls);
	if (port == 0)
		port = tls ? PORT_TLS : local ? PORT_LOCAL : PORT_SUBMIT;
	url = xasprintf("%s://%s:%d", tls ? "smtps" : "smtp", host, port);
	m->server = text_copy(r, url);
	free(url);
}

static int
secret_good(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return 0;
	return n <= SECRET_MAX;
}

static void
login_read(struct setup_reader *r, const struct node *n, const struct mail_said *said)
{
	struct mail_conf *m = &r->setup->mail;
	const char *secret = said->token != NULL ? said->token : said->password;
	const char *name = said->token != NULL ? "token" : "password";
	const int line = conf_line(n, said->token != NULL ? "token_file" : "password_file", 0,
	    conf_line(n, name, 0, n->line));

	m->token = said->token != NULL;
	m->user = text_copy(r, said->user);
	m->password = text_copy(r, secret);
	if (said->token != NULL && said->password != NULL)
		wrong(r, n->line, "has a password and a token: a server takes one of them");
	if (secret != NULL && said->user == NULL)
		wrong(r, line, "%s: is for a user: say `user` as well", name);
	if (secret == NULL && said->user != NULL)
		wrong(r, conf_line(n, "user", 0, n->line), "user: has no password: say `password_file` or `token_file`");
	if (secret != NULL && !secret_good(secret))
		wrong(r, line, "%s: is one line of text, of at most %d bytes", name, SECRET_MAX);
	if (said->user != NULL && !secret_good(said->user))
		wrong(r, conf_line(n, "user", 0, n->line), "user: is one line of text");
}

/* ---- From whom ---- */

/* The address in its form on the wire; "" when it is none, which is a mistake. Its local part is of
 * ASCII, since servers without SMTPUTF8 have to take mail from it. */
static char *
address_read(struct setup_reader *r, int line, const char *option, const char *address)
{
	char why[128], wire[MAILBOX_MAX + 1] = "";

	if (mailbox_check(address, why, sizeof(why)) == -1)
		wrong(r, line, "%s: \"%s\" is no mail address: %s", option, address, why);
	else if (mailbox_wide(address))
		wrong(r, line, "%s: \"%s\" has characters outside ASCII before the @, which most "
		    "servers refuse", option, address);
	else
		mailbox_wire(wire, address);
	return text_copy(r, wire);
}

/* Copies a name as written before an address, without the quotes around it (RFC 5322 3.2.4). */
static void
name_copy(char *out, const char *s, size_t n)
{
	const int quoted = n >= 2 && s[0] == '"' && s[n - 1] == '"';
	size_t len = 0;

	for (size_t i = (size_t)quoted; i < n - (size_t)quoted && len < NAME_MAX_BYTES; i++) {
		if (quoted && s[i] == '\\' && i + 2 < n)
			i++;
		out[len++] = s[i];
	}
	out[len] = '\0';
}

static void
from_read(struct setup_reader *r, const struct node *n, const char *from)
{
	struct mail_conf *m = &r->setup->mail;
	const int line = conf_line(n, "from", 0, n->line);
	const char *open = from != NULL ? strrchr(from, '<') : NULL;
	char name[NAME_MAX_BYTES + 1] = "", *address;
	size_t len, before;

	m->from = m->from_name = text_copy(r, "");
	if (from == NULL) {
		wrong(r, n->line, "from: has to be given, as in `from: Papers <papers@example.org>`");
		return;
	}
	for (const char *c = from; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			wrong(r, line, "from: is one line, without control characters");
			return;
		}
	len = strlen(from);
	before = open != NULL ? (size_t)(open - from) : 0;
	while (before > 0 && from[before - 1] == ' ')
		before--;
	if (before > NAME_MAX_BYTES) {
		wrong(r, line, "from: the name is longer than %d bytes", NAME_MAX_BYTES);
		return;
	}
	if (open != NULL && from[len - 1] != '>') {
		wrong(r, line, "from: NAME <ADDRESS> ends with >");
		return;
	}
	name_copy(name, from, before);
	address = open != NULL ? xstrndup(open + 1, len - (size_t)(open - from) - 2) : xstrdup(from);
	m->from = address_read(r, line, "from", address);
	m->from_name = text_copy(r, name);
	free(address);
}

/* The host of `serve: base`, or this machine's name. */
static void
hello_default(const struct setup *s, char host[IDN_HOST_MAX + 1])
{
	char name[HOST_NAME_MAX + 1] = "";
	struct url u;

	if (s->base[0] != '\0' && url_split(&u, s->base) == 0 && u.host != NULL &&
	    idn_host(host, u.host, u.host_len) > 0)
		return;
	(void)gethostname(name, sizeof(name) - 1);
	if (idn_host(host, name, strlen(name)) == 0)
		memcpy(host, "localhost", sizeof("localhost"));
}

static void
hello_read(struct setup_reader *r, const struct node *n, const char *hello)
{
	char host[IDN_HOST_MAX + 1];

	if (hello == NULL)
		hello_default(r->setup, host);
	else if (idn_host(host, hello, strlen(hello)) == 0)
		wrong(r, conf_line(n, "hello", 0, n->line),
		    "hello: \"%s\" is no host name, as papers.example.org is one", hello);
	r->setup->mail.hello = text_copy(r, host);
}

/* ---- How much ---- */

/* "600/h": how many messages in how many ms. -1: it is no rate. */
static int
rate_parse(const char *s, uint32_t *count, int64_t *ms)
{
	static const struct { const char *name; int64_t ms; } units[] = {
		{ "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	};
	char *end;
	long n;

	if (*s < '0' || *s > '9')
		return -1;
	n = strtol(s, &end, 10);
	if (*end != '/' || n < 1 || n > RATE_MAX)
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end + 1, units[i].name) == 0) {
			*count = (uint32_t)n;
			*ms = units[i].ms;
			return 0;
		}
	return -1;
}

void
mail_read(struct setup_reader *r, const struct node *n)
{
	struct mail_conf *m = &r->setup->mail;
	struct mail_said said = { 0 };
	struct options given = { 0 };

	if (n == NULL || !is_map(r, n, "mail") || n->child == NULL)
		return;
	snprintf(r->where, sizeof(r->where), "mail: ");
	r->inline_secret = 0;
	section_read(r, n, mail_own, NULL, &said, sizeof(said), &given);
	m->line = n->line;
	m->inline_secret = r->inline_secret;
	m->at_once = (uint32_t)said.at_once;
	m->per_connection = (uint32_t)said.per_connection;
	server_read(r, n, &said, options_get(&given, "starttls") != NULL);
	login_read(r, n, &said);
	from_read(r, n, said.from);
	hello_read(r, n, said.hello);
	m->bounces = said.bounces == NULL ? m->from : address_read(r,
	    conf_line(n, "bounces", 0, n->line), "bounces", said.bounces);
	if (said.leave != NULL)
		m->leave = address_read(r, conf_line(n, "leave", 0, n->line), "leave", said.leave);
	if (said.rate != NULL && rate_parse(said.rate, &m->rate, &m->rate_ms) == -1)
		wrong(r, conf_line(n, "rate", 0, n->line), "rate: \"%s\" is not N/s, N/min, N/h or "
		    "N/d, as 600/h is", said.rate);
	r->where[0] = '\0';
	option_unfill(mail_own, &said);
	options_free(&given);
}

/* ---- Settings side by side ---- */

void
mail_conf_means(const struct mail_conf *m, struct digest *d)
{
	digest_str(d, m->server);
	digest_str(d, m->user);
	digest_str(d, m->password);
	digest_str(d, m->from);
	digest_str(d, m->from_name);
	digest_str(d, m->hello);
	digest_str(d, m->bounces);
	digest_str(d, m->leave);
	digest_int(d, m->token);
	digest_int(d, m->plain);
	digest_int(d, m->at_once);
	digest_int(d, m->per_connection);
	digest_int(d, m->rate);
	digest_int(d, m->rate_ms);
}

int
mail_conf_same(const struct mail_conf *a, const struct mail_conf *b)
{
	unsigned char means[2][DIGEST_SIZE];
	struct digest *d = digest_new();

	digest_begin(d);
	mail_conf_means(a, d);
	digest_end(d, means[0]);
	digest_begin(d);
	mail_conf_means(b, d);
	digest_end(d, means[1]);
	digest_free(d);
	return memcmp(means[0], means[1], DIGEST_SIZE) == 0;
}

void
mail_conf_forget(struct mail_conf *m)
{
	if (m->password != NULL)
		explicit_bzero(m->password, strlen(m->password));
}
