/* The worker's crash report. The handler is safe in a crash: it reads memory that was mapped
 * before, and writes one line; glibc finds the object of an address without a lock, and so does the
 * unwinder that is linked into the worker. */
#include "crash.h"
#include "base/log.h"
#include "ipc/child.h"

#if defined(__SANITIZE_ADDRESS__) || (!defined(__x86_64__) && !defined(__aarch64__))
void
crash_watch(void)
{
}

void
crash_plugin(const char *path)
{
	(void)path;
}

void
crash_name(const char *name)
{
	(void)name;
}
#else

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define PLUGINS_MAX	64		/* plugins with names */
#define FRAMES_MAX	8		/* callers in the report */
#define STACK		(64u << 10)	/* bytes of the handler's stack: the plugin's may be full */

static struct {
	struct plugin_file {
		const char	*path, *name;
		const char	*map;
		size_t		 size;
	}		 plugin[PLUGINS_MAX];
	size_t		 n;
	pid_t		 pid;
} crash;

struct line {
	char		 text[CRASH_LINE];
	size_t		 len;
	unsigned	 frames;
	uintptr_t	 pc;		/* of the crash; frames before it are the handler's */
	int		 below;		/* the unwinder has passed pc */
};

static void
put(struct line *l, const char *s)
{
	while (*s != '\0' && l->len < sizeof(l->text) - 1)
		l->text[l->len++] = *s++;
}

static void
put_hex(struct line *l, uintptr_t n)
{
	char digits[20], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = "0123456789abcdef"[n % 16];
	while ((n /= 16) != 0);
	put(l, "0x");
	put(l, at);
}

/* ---- Names ---- */

/* The name of the function in a symbol table that contains an offset of the object; NULL: none. */
static const char *
symbol_of(const ElfW(Sym) *sym, size_t n, const char *names, size_t size, uintptr_t at)
{
	for (size_t i = 0; i < n; i++)
		if (ELF64_ST_TYPE(sym[i].st_info) == STT_FUNC && sym[i].st_shndx != SHN_UNDEF &&
		    at >= sym[i].st_value && at - sym[i].st_value < sym[i].st_size &&
		    sym[i].st_name < size)
			return names + sym[i].st_name;
	return NULL;
}

/* A part of the file; NULL: beyond its end, or not aligned. */
static const void *
part(const struct plugin_file *f, uint64_t at, uint64_t size)
{
	return at <= f->size && size <= f->size - at && at % 8 == 0 ? f->map + at : NULL;
}

/* The file's full symbol table, which is not loaded and has static functions too; NULL:
 * stripped. */
static const ElfW(Shdr) *
symbol_table(const struct plugin_file *f, const ElfW(Shdr) **names)
{
	const ElfW(Ehdr) *h = part(f, 0, sizeof(*h));
	const ElfW(Shdr) *s = h != NULL ? part(f, h->e_shoff, (uint64_t)h->e_shnum * sizeof(*s)) : NULL;

	for (size_t i = 0; s != NULL && i < h->e_shnum; i++)
		if (s[i].sh_type == SHT_SYMTAB && s[i].sh_link < h->e_shnum) {
			*names = &s[s[i].sh_link];
			return &s[i];
		}
	return NULL;
}

static const char *
symbol_in_file(const struct plugin_file *f, uintptr_t at)
{
	const ElfW(Shdr) *names, *s = symbol_table(f, &names);
	const ElfW(Sym) *sym = s != NULL ? part(f, s->sh_offset, s->sh_size) : NULL;

	if (sym == NULL || names->sh_size == 0 || names->sh_offset > f->size ||
	    names->sh_size > f->size - names->sh_offset ||
	    f->map[names->sh_offset + names->sh_size - 1] != '\0')
		return NULL;
	return symbol_of(sym, s->sh_size / sizeof(*sym), f->map + names->sh_offset, names->sh_size, at);
}

/* The number of an object's dynamic symbols, by its DT_GNU_HASH table; 0: none. */
static size_t
exported(const uint32_t *hash)
{
	uint32_t buckets = hash[0], first = hash[1], bloom = hash[2], last = 0;
	const uint32_t *bucket = hash + 4 + bloom * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	const uint32_t *chain = bucket + buckets;

	for (uint32_t i = 0; i < buckets; i++)
		last = bucket[i] > last ? bucket[i] : last;
	if (last < first)
		return 0;
	while ((chain[last - first] & 1) == 0)
		last++;
	return last + 1;
}

static const char *
symbol_exported(const struct link_map *o, uintptr_t at)
{
	const ElfW(Sym) *sym = NULL;
	const char *names = NULL;
	const uint32_t *hash = NULL;
	size_t size = 0;

	for (const ElfW(Dyn) *d = o->l_ld; d->d_tag != DT_NULL; d++)
		switch (d->d_tag) {
		case DT_SYMTAB:
			sym = (const ElfW(Sym) *)d->d_un.d_ptr;
			break;
		case DT_STRTAB:
			names = (const char *)d->d_un.d_ptr;
			break;
		case DT_STRSZ:
			size = d->d_un.d_val;
			break;
		case DT_GNU_HASH:
			hash = (const uint32_t *)d->d_un.d_ptr;
			break;
		}
	/* The pointers of the vDSO are not relocated. */
	if (sym == NULL || names == NULL || hash == NULL || (uintptr_t)hash < o->l_addr)
		return NULL;
	return symbol_of(sym, exported(hash), names, size, at);
}

static const struct plugin_file *
plugin_of(const struct link_map *o)
{
	for (size_t i = 0; i < crash.n; i++)
		if (strcmp(crash.plugin[i].path, o->l_name) == 0)
			return &crash.plugin[i];
	return NULL;
}

/* Adds "parse (feed+0x1234)". near: an address in the function. */
static void
put_place(struct line *l, uintptr_t pc, uintptr_t near)
{
	const struct plugin_file *f;
	const char *symbol, *name;
	struct dl_find_object o;

	if (_dl_find_object((void *)near, &o) != 0) {
		put_hex(l, pc);
		put(l, ", where no code is");
		return;
	}
	f = plugin_of(o.dlfo_link_map);
	near -= o.dlfo_link_map->l_addr;
	symbol = f != NULL && f->map != NULL ? symbol_in_file(f, near) : NULL;
	if (symbol == NULL)
		symbol = symbol_exported(o.dlfo_link_map, near);
	name = strrchr(o.dlfo_link_map->l_name, '/');
	name = f != NULL && f->name != NULL ? f->name : name != NULL ? name + 1 : "courant-worker";
	put(l, symbol != NULL ? symbol : "a function");
	put(l, " (");
	put(l, name);
	put(l, "+");
	put_hex(l, pc - o.dlfo_link_map->l_addr);
	put(l, ")");
}

/* ---- The signal ---- */

static void
put_caller(struct line *l, uintptr_t pc)
{
	put(l, ", called by ");
	put_place(l, pc, pc - 1);	/* pc may be past the end, after a last call */
	l->frames++;
}

static _Unwind_Reason_Code
on_frame(struct _Unwind_Context *c, void *arg)
{
	struct line *l = arg;
	uintptr_t pc = _Unwind_GetIP(c);

	if (l->below && l->frames < FRAMES_MAX && pc != 0)
		put_caller(l, pc);
	l->below |= pc == l->pc;
	return l->frames < FRAMES_MAX && pc != 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

#if defined(__x86_64__)
#define PC(u)		((uintptr_t)(u)->uc_mcontext.gregs[REG_RIP])
#define RETURN(u)	(*(const uintptr_t *)(u)->uc_mcontext.gregs[REG_RSP])
#else
#define PC(u)		((uintptr_t)(u)->uc_mcontext.pc)
#define RETURN(u)	((uintptr_t)(u)->uc_mcontext.regs[30])
#endif

static void
on_signal(int sig, siginfo_t *si, void *context)
{
	static struct line l;
	const ucontext_t *u = context;
	struct dl_find_object o;
	size_t begun;

	if (getpid() == crash.pid) {		/* not in a child of the worker */
		l.pc = PC(u);
		put(&l, "\n" CRASH_MARK);
		if (si->si_code > 0 && (sig == SIGSEGV || sig == SIGBUS)) {
			put(&l, "at address ");
			put_hex(&l, (uintptr_t)si->si_addr);
			put(&l, " ");
		}
		put(&l, "in ");
		put_place(&l, l.pc, l.pc);
		(void)!write(log_fd(), l.text, l.len);	/* the next steps may crash too */
		begun = l.len;
		if (_dl_find_object((void *)l.pc, &o) != 0)
			put_caller(&l, RETURN(u));	/* a call through a bad pointer */
		else
			(void)_Unwind_Backtrace(on_frame, &l);
		(void)!write(log_fd(), l.text + begun, l.len - begun);
		(void)!write(log_fd(), "\n", 1);
	}
	(void)raise(sig);		/* by SA_RESETHAND the default action: the process ends */
}

void
crash_watch(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
	static char stack[STACK];
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = on_signal,
		.sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER) };

	crash.pid = getpid();
	(void)sigaltstack(&own, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &sa, NULL);
}

void
crash_plugin(const char *path)
{
	struct plugin_file *f = &crash.plugin[crash.n];
	int fd = crash.n < PLUGINS_MAX ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct stat st;
	void *map;

	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		*f = (struct plugin_file){ path, NULL, map != MAP_FAILED ? map : NULL,
			(size_t)st.st_size };
		crash.n++;
	}
	close(fd);
}

void
crash_name(const char *name)
{
	if (crash.n > 0)
		crash.plugin[crash.n - 1].name = name;
}
#endif
