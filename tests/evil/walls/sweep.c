/* Makes every system call of the machine, with arguments that mean nothing, and tells which of them
 * were not refused: the attempt's name is the call's number. */
#include "walls.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#define CALLS		471		/* 0 to 470 */

static struct sweep { int error[CALLS]; } swept[2];

/* Calls that end, stop or double the process when they are allowed. */
static int
ends(int call)
{
	static const int these[] = { SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigsuspend,
#if defined(__x86_64__)
		SYS_pause, SYS_fork, SYS_vfork,
		335, 336,	/* uretprobe, uprobe: no filter sees them, and they raise SIGILL */
#endif
	};

	for (size_t i = 0; i < sizeof(these) / sizeof(these[0]); i++)
		if (these[i] == call)
			return 1;
	return 0;
}

static void
attempts_run(int when)
{
	for (int i = 0; i < CALLS; i++) {
		errno = 0;
		if (ends(i) || syscall(i, -1L, -1L, -1L, -1L, -1L, -1L) != -1)
			swept[when].error[i] = 0;
		else
			swept[when].error[i] = errno;
	}
}

/* One record for each time: the numbers of the calls that did not fail with ENOSYS. */
static void
tell_all(struct cr *cr, const char *when, const struct sweep *s)
{
	struct cr_record *rec = cr->record(cr, when);
	char text[CALLS * 5] = "";
	size_t n = 0;

	for (int i = 0; i < CALLS; i++)
		if (s->error[i] != ENOSYS)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%d ", i);
	cr->set(rec, CR_TITLE, text);
	cr->emit(cr, rec);
}

static void
attempts_tell(struct cr *cr)
{
	tell_all(cr, "loading", &swept[0]);
	tell_all(cr, "callback", &swept[1]);
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = WALLS_NAME, .version = "1", .help = "hostile", .wants = WALLS_WANTS,
	.stream = stream,
};
