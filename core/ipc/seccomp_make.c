/* Makes filter programs of tables by libseccomp. */
#ifdef COURANT_SANDBOX
#include "seccomp_make.h"
#include "filter.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#include <linux/filter.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CALLS_MAX	512		/* system call numbers whose names are known */

/* libseccomp returns a negative errno. The tables are our own: a failure is an impossible state. */
static void
must(int rc, const char *what)
{
	if (rc < 0)
		fatal("libseccomp: %s: %s", what, strerror(-rc));
}

static void
add(scmp_filter_ctx ctx, const struct part *p, uint32_t grants)
{
	const struct rule *r;

	if ((grants & p->with) != p->with || (grants & p->without) != 0)
		return;
	for (r = p->rules; r < p->rules + p->n; r++)
		must(seccomp_rule_add_array(ctx, p->action, r->call, r->nargs, r->arg),
		    "a rule");
}

static struct bytes
export(scmp_filter_ctx ctx)
{
	struct sock_filter code[FILTER_MAX + 1];
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t len;
	void *copy;

	if (fd == -1)
		fatal("memfd_create: %s", strerror(errno));
	must(seccomp_export_bpf(ctx, fd), "the program");
	len = pread(fd, code, sizeof(code), 0);
	if (len <= 0 || (size_t)len == sizeof(code))
		fatal("a filter of system calls has %zd bytes", len);
	close(fd);
	copy = xmalloc((size_t)len);
	memcpy(copy, code, (size_t)len);
	return (struct bytes){ copy, (size_t)len };
}

struct bytes
seccomp_make(const struct part *parts, size_t n, uint32_t otherwise, uint32_t grants)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	struct bytes b;

	if (ctx == NULL)
		fatal("libseccomp cannot begin a filter");
	must(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
	    "other machines' calls");
	/* The kernel runs a new filter on every call number: this saves a seventh of the start. */
	must(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "a binary tree");
	for (size_t i = 0; i < n; i++)
		add(ctx, &parts[i], grants);
	b = export(ctx);
	seccomp_release(ctx);
	return b;
}
struct bytes
seccomp_names(void)
{
	struct buf b;
	char *name;
	int i;

	buf_init(&b, 1u << 16);
	for (i = 0; i < CALLS_MAX; i++) {
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
		buf_str(&b, name);
		buf_char(&b, '\0');
		free(name);
	}
	if (b.over)
		fatal("the names of system calls are over 64 KiB");
	return (struct bytes){ b.data, b.len };
}
#endif
