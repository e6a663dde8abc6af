/* What the plugins share that try the sandbox's walls: each tries all it can while it is loaded, and
 * again in its callback, and then emits a record for each attempt: the guid is the attempt's name,
 * "loading NAME" for the first time, the title "done" or the error. WALLS_NAME and WALLS_WANTS make
 * plugins of it that have other grants. */
#include <courant/plugin.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char state[4096];		/* the daemon's state folder */
static char victim[4200];		/* a file in it that is none of the plugin's */
static char copy[4096];			/* the plugin's own file */

struct attempt {
	const char	*name;
	long		(*try)(void);	/* -1 with errno: it was refused */
	int		 error[2];	/* while loading, in the callback; 0: done */
};
#define FUNCTION(name, what)	static long try_##name(void) { return what; }
#define ENTRY(name, what)	{ #name, try_##name, { 0, 0 } },
/* list: a macro that calls its argument with the name and the expression of each attempt. */
#define ATTEMPTS(list)		list(FUNCTION) static struct attempt attempts[] = { list(ENTRY) }

static void attempts_run(int when);

/* The plugin's own file is STATE/plugins/HASH.so. */
__attribute__((constructor)) static void
loading(void)
{
	Dl_info info;
	int i, slashes = 0;

	if (dladdr((void *)(uintptr_t)loading, &info) == 0)
		return;
	snprintf(copy, sizeof(copy), "%s", info.dli_fname);
	snprintf(state, sizeof(state), "%s", info.dli_fname);
	for (i = (int)strlen(state); i > 0 && slashes < 2; i--)
		slashes += state[i] == '/';
	state[i + 1] = '\0';
	snprintf(victim, sizeof(victim), "%s/victim", state);
	attempts_run(0);
}

static void
tell_one(struct cr *cr, const char *when, const char *name, int error)
{
	struct cr_record *rec;
	char guid[200];

	snprintf(guid, sizeof(guid), "%s%s", when, name);
	rec = cr->record(cr, guid);
	cr->set(rec, CR_TITLE, error == 0 ? "done" : strerror(error));
	cr->emit(cr, rec);
}

static void attempts_tell(struct cr *);

static int
stream(struct cr *cr, void *opts)
{
	(void)opts;
	attempts_run(1);
	attempts_tell(cr);
	tell_one(cr, "", "end", 0);
	cr->stored(cr);
	while (cr->wait(cr, -1, -1) != -1)
		;
	return 0;
}

/* The rest of a plugin with a table of attempts. */
#define WALLS_PLUGIN() \
	static void \
	attempts_run(int when) \
	{ \
		for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) \
			attempts[i].error[when] = attempts[i].try() == -1 ? errno : 0; \
	} \
	static void \
	attempts_tell(struct cr *cr) \
	{ \
		for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) { \
			tell_one(cr, "loading ", attempts[i].name, attempts[i].error[0]); \
			tell_one(cr, "", attempts[i].name, attempts[i].error[1]); \
		} \
	} \
	const struct cr_plugin cr_plugin_v1 = { \
		CR_PLUGIN, .name = WALLS_NAME, .version = "1", .help = "hostile", \
		.wants = WALLS_WANTS, .stream = stream, \
	}
