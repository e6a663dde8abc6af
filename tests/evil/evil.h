/* What the hostile plugins share. Each tries one thing. When it manages what it must not, it emits a
 * record titled "broken out: WHAT"; when it is stopped and lives on, one titled "stopped: WHAT". */
#include <courant/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline void
tell(struct cr *cr, const char *what, int managed)
{
	struct cr_record *rec = cr->record(cr, what);
	char title[200];

	snprintf(title, sizeof(title), "%s: %s: %s", managed ? "broken out" : "stopped", what,
	    managed ? "done" : strerror(errno));
	cr->set(rec, CR_TITLE, title);
	cr->emit(cr, rec);
}

/* The page that evil() is called for. */
__attribute__((unused)) static const struct cr_page *evil_page;

/* A source that is called `n` and does what function evil() does to each page. */
#define EVIL_SOURCE(n) \
	static int \
	parse(struct cr *cr, void *opts, const struct cr_page *page) \
	{ \
		(void)opts; \
		evil_page = page; \
		evil(cr); \
		return 0; \
	} \
	const struct cr_plugin cr_plugin_v1 = { \
		CR_PLUGIN, .name = n, .version = "1", .help = "hostile", .parse = parse, \
	}
/* One that is harmless once it is loaded. */
#define EVIL_CONSTRUCTOR(n) \
	static int \
	parse(struct cr *cr, void *opts, const struct cr_page *page) \
	{ \
		(void)opts, (void)page; \
		tell(cr, n, 0); \
		return 0; \
	} \
	const struct cr_plugin cr_plugin_v1 = { \
		CR_PLUGIN, .name = n, .version = "1", .help = "hostile", .parse = parse, \
	}
/* A stream, function stream(), with a table of options for the struct t that wants w. */
#define EVIL_STREAM(n, t, w) \
	const struct cr_plugin cr_plugin_v1 = { \
		CR_PLUGIN, .name = n, .version = "1", .help = "hostile", .stream = stream, \
		.wants = w, .options = options, .options_size = sizeof(t), \
	}
