/* A plugin's own libraries, and the machine that it is for, by the ELF headers of its file. */
#include "library.h"
#include "trust.h"
#include "base/mem.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX	64		/* segments of a file */
#define DYNAMIC_MAX	512		/* entries of its dynamic section */
#define STRINGS_MAX	(4u << 20)	/* bytes of its strings */

#if defined(__x86_64__)
#define MACHINE		EM_X86_64
#elif defined(__aarch64__)
#define MACHINE		EM_AARCH64
#else
#define MACHINE		EM_NONE		/* not checked: dlopen() reports it */
#endif

/* The needed parts of a file's headers. */
struct object {
	int		 fd;
	Elf64_Phdr	 segment[HEADERS_MAX];
	size_t		 nsegments;
	Elf64_Dyn	 entry[DYNAMIC_MAX];
	size_t		 nentries;
	char		*strings;	/* ends with a NUL */
	uint64_t	 size;		/* of strings */
};

/* ---- Machines ---- */

static const char *
machine_name(unsigned machine)
{
	static const struct { unsigned machine; const char *name; } names[] = {
		{ EM_X86_64, "x86_64" }, { EM_386, "i386" }, { EM_AARCH64, "aarch64" },
		{ EM_ARM, "arm" }, { EM_RISCV, "riscv" }, { EM_PPC64, "ppc64" }, { EM_PPC, "ppc" },
		{ EM_S390, "s390" }, { EM_MIPS, "mips" }, { 258, "loongarch" },
		{ EM_SPARCV9, "sparc64" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return NULL;
}

static uint16_t
read_half(const unsigned char *p, int data)
{
	return (uint16_t)(data == ELFDATA2MSB ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

/* -1 and why, when the file is a shared object for another processor than ours. */
static int
check_machine(const unsigned char *head, struct buf *why)
{
	unsigned machine = read_half(head + offsetof(Elf64_Ehdr, e_machine), head[EI_DATA]);
	const char *name = machine_name(machine), *own = machine_name(MACHINE);
	int bits = head[EI_CLASS] == ELFCLASS32 ? 32 : 64;

	if (own == NULL || (machine == MACHINE && bits == 64 && head[EI_DATA] == ELFDATA2LSB))
		return 0;
	buf_str(why, "is made for the processor ");
	if (name != NULL)
		buf_str(why, name);
	else
		buf_fmt(why, "number %u", machine);
	buf_fmt(why, " (%d bits%s), and this machine has %s (64 bits): get or make a build for it", bits,
	    head[EI_DATA] == ELFDATA2MSB ? ", big-endian" : "", own);
	return -1;
}

/* ---- Headers ---- */

static int
read_at(int fd, void *to, size_t n, uint64_t at)
{
	ssize_t got;

	do
		got = at <= INT64_MAX ? pread(fd, to, n, (off_t)at) : -1;
	while (got == -1 && errno == EINTR && at <= INT64_MAX);
	return got == (ssize_t)n ? 0 : -1;
}

/* The file offset of an address of the loaded object. -1: no segment holds it. */
static int
offset_of(const struct object *o, uint64_t address, uint64_t *offset)
{
	for (size_t i = 0; i < o->nsegments; i++) {
		const Elf64_Phdr *s = &o->segment[i];

		if (s->p_type == PT_LOAD && address >= s->p_vaddr &&
		    address - s->p_vaddr < s->p_filesz) {
			*offset = address - s->p_vaddr + s->p_offset;
			return 0;
		}
	}
	return -1;
}

static uint64_t
entry_of(const struct object *o, int64_t tag)
{
	for (size_t i = 0; i < o->nentries; i++)
		if (o->entry[i].d_tag == tag)
			return o->entry[i].d_un.d_val;
	return 0;
}

static int
strings_read(struct object *o)
{
	uint64_t at;

	o->size = entry_of(o, DT_STRSZ);
	if (o->size == 0 || o->size > STRINGS_MAX || offset_of(o, entry_of(o, DT_STRTAB), &at) == -1)
		return -1;
	o->strings = xmalloc(o->size + 1);
	o->strings[o->size] = '\0';
	return read_at(o->fd, o->strings, o->size, at);
}

/* Reads the dynamic section and its strings. -1: none, or unreadable. */
static int
object_read(struct object *o, const Elf64_Ehdr *h)
{
	const Elf64_Phdr *dynamic = NULL;

	o->nsegments = h->e_phnum;
	if (h->e_phentsize != sizeof(Elf64_Phdr) || o->nsegments > HEADERS_MAX ||
	    read_at(o->fd, o->segment, o->nsegments * sizeof(Elf64_Phdr), h->e_phoff) == -1)
		return -1;
	for (size_t i = 0; i < o->nsegments; i++)
		if (o->segment[i].p_type == PT_DYNAMIC)
			dynamic = &o->segment[i];
	if (dynamic == NULL)
		return -1;
	o->nentries = dynamic->p_filesz / sizeof(Elf64_Dyn);
	if (o->nentries > DYNAMIC_MAX)
		o->nentries = DYNAMIC_MAX;
	if (read_at(o->fd, o->entry, o->nentries * sizeof(Elf64_Dyn), dynamic->p_offset) == -1)
		return -1;
	return strings_read(o);
}

static const char *
string_of(const struct object *o, uint64_t at)
{
	return at < o->size ? o->strings + at : "";
}

/* ---- Searching ---- */

/* The system's folders, in which every worker may read. */
static int
is_system(const char *path)
{
	static const char *const folders[] = { "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/",
		"/usr/local/lib/" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strncmp(path, folders[i], strlen(folders[i])) == 0)
			return 1;
	return 0;
}

/* Libraries that the worker has loaded already, and the loader itself. */
static int
is_loaded(const char *name)
{
	return strcmp(name, "libc.so.6") == 0 || strncmp(name, "ld-linux", 8) == 0;
}

static int
is_found(const struct libraries *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].name, name) == 0)
			return 1;
	return 0;
}

/* One folder of a search path, with $ORIGIN replaced by the folder of the file. NULL: it is not
 * absolute, or holds another variable of the loader. */
static char *
folder_of_path(const char *path, size_t len, const char *origin)
{
	static const char *const names[] = { "$ORIGIN", "${ORIGIN}" };
	struct buf b;
	char *folder = NULL;

	buf_init(&b, PATH_MAX);
	for (size_t i = 0, n; i < len; i += n) {
		n = 1;
		for (size_t k = 0; k < 2; k++)
			if (len - i >= strlen(names[k]) &&
			    strncmp(path + i, names[k], strlen(names[k])) == 0)
				n = strlen(names[k]);
		if (n > 1)
			buf_str(&b, origin);
		else
			buf_char(&b, path[i]);
	}
	if (!b.over && b.len > 0 && b.data[0] == '/' && strchr(b.data, '$') == NULL)
		folder = xstrdup(b.data);
	buf_free(&b);
	return folder;
}

/* Opens a library that is there, where it can be trusted. -1, and why. */
static int
library_open(struct library *l, struct buf *why)
{
	struct buf untrusted;

	buf_init(&untrusted, 4 * PATH_MAX);
	l->fd = trust_open(l->file, geteuid(), &untrusted);
	if (l->fd == -1 || fstat(l->fd, &l->st) == -1)
		buf_fmt(why, "its library %s %s%s", l->file, untrusted.len > 0 ? untrusted.data :
		    "cannot be opened: ", untrusted.len > 0 ? "" : strerror(errno));
	buf_free(&untrusted);
	if (why->len == 0)
		return 0;
	if (l->fd != -1)
		close(l->fd);
	return -1;
}

/* Opens the library in the first folder of the path that has it. 1: opened; 0: no folder has it; -1,
 * and why: it cannot be trusted. */
static int
search(struct libraries *all, const char *name, const char *path, const char *origin, struct buf *why)
{
	struct library *l = &all->v[all->n];
	char *folder;
	size_t len;
	int fixed;

	for (; *path != '\0'; path += len + (path[len] == ':')) {
		len = strcspn(path, ":");
		folder = folder_of_path(path, len, origin);
		if (folder == NULL)
			continue;
		*l = (struct library){ .file = xasprintf("%s/%s", folder, name), .fd = -1 };
		free(folder);
		if (access(l->file, R_OK) == -1) {
			free(l->file);
			continue;
		}
		/* The loader finds it by the copy's path, too. */
		fixed = memchr(path, '$', len) == NULL && is_system(l->file);
		if (fixed || library_open(l, why) == -1) {
			free(l->file);
			return fixed ? 0 : -1;
		}
		l->name = xstrdup(name);
		all->n++;
		return 1;
	}
	return 0;
}

/* Opens the library if it is among the copies. -1, and why: it is no file of its own there. */
static int
search_copies(struct libraries *all, const char *name, struct buf *why)
{
	struct library *l = &all->v[all->n];

	*l = (struct library){ .file = xasprintf("%s/%s", all->copies, name) };
	l->fd = open(l->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (l->fd != -1 && fstat(l->fd, &l->st) == 0) {
		l->name = xstrdup(name);
		all->n++;
		return 0;
	}
	if (errno != ENOENT)
		buf_fmt(why, "%s cannot be opened: %s", l->file, strerror(errno));
	free(l->file);
	return why->len > 0 ? -1 : 0;
}

/* Finds the libraries that one object needs, by its own search path. A DT_RPATH (without
 * DT_RUNPATH) also holds for the libraries of its libraries: `above` is that of the objects that
 * need this one. */
static int
object_needs(struct libraries *all, const struct object *o, const char *file, const char *above,
    struct buf *why)
{
	uint64_t runpath = entry_of(o, DT_RUNPATH), rpath = entry_of(o, DT_RPATH);
	const char *path = string_of(o, runpath != 0 ? runpath : rpath), *name;
	char *origin = xstrndup(file, (size_t)(strrchr(file, '/') - file));
	int rc = 0;

	if (runpath == 0 && rpath == 0)
		path = "";
	for (size_t i = 0; i < o->nentries && o->entry[i].d_tag != DT_NULL && rc == 0; i++) {
		if (o->entry[i].d_tag != DT_NEEDED)
			continue;
		name = string_of(o, o->entry[i].d_un.d_val);
		if (*name == '\0' || strchr(name, '/') != NULL || strlen(name) > NAME_MAX ||
		    is_loaded(name) || is_found(all, name))
			continue;
		if (all->n == LIBRARY_MAX) {
			buf_fmt(why, "brings more than %d libraries of its own", LIBRARY_MAX);
			rc = -1;
		} else if (all->copies != NULL) {
			rc = search_copies(all, name, why);
		} else {
			rc = search(all, name, path, origin, why);
			if (rc == 0 && runpath == 0)
				rc = search(all, name, above, origin, why);
			rc = rc == -1 ? -1 : 0;
		}
	}
	free(origin);
	return rc;
}

/* -1 and why. */
static int
object_find(struct libraries *all, const char *file, int fd, const char *above, struct buf *why)
{
	struct object o = { .fd = fd };
	Elf64_Ehdr h;
	int rc = 0;

	if (read_at(fd, &h, sizeof(h), 0) == -1 || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	if (check_machine((const unsigned char *)&h, why) == -1)
		return -1;
	if (object_read(&o, &h) == 0)
		rc = object_needs(all, &o, file, above, why);
	free(o.strings);
	return rc;
}

/* The DT_RPATH of a file, made absolute; "": it has none. */
static void
rpath_of(const char *file, int fd, struct buf *b)
{
	struct object o = { .fd = fd };
	char *origin = xstrndup(file, (size_t)(strrchr(file, '/') - file)), *folder;
	const char *path;
	Elf64_Ehdr h;
	size_t len;

	if (read_at(fd, &h, sizeof(h), 0) == 0 && memcmp(h.e_ident, ELFMAG, SELFMAG) == 0 &&
	    object_read(&o, &h) == 0 && entry_of(&o, DT_RUNPATH) == 0 && entry_of(&o, DT_RPATH) != 0)
		for (path = string_of(&o, entry_of(&o, DT_RPATH)); *path != '\0';
		    path += len + (path[len] == ':')) {
			len = strcspn(path, ":");
			folder = folder_of_path(path, len, origin);
			if (folder != NULL)
				buf_fmt(b, "%s%s", b->len > 0 ? ":" : "", folder);
			free(folder);
		}
	free(o.strings);
	free(origin);
}

/* Finds the libraries of those that were found. */
static int
find_theirs(struct libraries *all, const char *above, struct buf *why)
{
	struct buf one;
	int rc = 0;

	for (size_t i = 0; i < all->n && rc == 0; i++) {
		buf_init(&one, 4 * PATH_MAX);
		rc = object_find(all, all->v[i].file, all->v[i].fd, above, &one);
		if (rc == -1)
			buf_fmt(why, "its library %s %s", all->v[i].file, one.data);
		buf_free(&one);
	}
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct library *)a)->name, ((const struct library *)b)->name);
}

int
libraries_copied(struct libraries *all, const char *folder, int fd, struct buf *why)
{
	int rc;

	*all = (struct libraries){ .copies = folder };
	rc = object_find(all, "/", fd, "", why);
	if (rc == 0)
		rc = find_theirs(all, "", why);
	qsort(all->v, all->n, sizeof(all->v[0]), by_name);
	return rc;
}

int
libraries_find(struct libraries *all, const char *file, int fd, struct buf *why)
{
	char real[PATH_MAX];
	struct buf above;
	int rc;

	*all = (struct libraries){ .n = 0 };
	if (strchr(file, '/') == NULL || file[0] != '/')
		file = realpath(file, real) != NULL ? real : "/";
	buf_init(&above, 4 * PATH_MAX);
	rpath_of(file, fd, &above);
	rc = object_find(all, file, fd, "", why);
	if (rc == 0)
		rc = find_theirs(all, above.len > 0 ? above.data : "", why);
	buf_free(&above);
	qsort(all->v, all->n, sizeof(all->v[0]), by_name);
	return rc;
}

void
libraries_close(struct libraries *all)
{
	for (size_t i = 0; i < all->n; i++) {
		close(all->v[i].fd);
		free(all->v[i].name);
		free(all->v[i].file);
	}
	all->n = 0;
}

void
libraries_folders(const struct libraries *all, struct buf *b)
{
	for (size_t i = 0; i < all->n; i++) {
		const char *file = all->v[i].file;
		int len = (int)(strrchr(file, '/') - file), history_entry = 0;

		for (size_t k = 0; k < i; k++)
			history_entry |= strncmp(all->v[k].file, file, (size_t)len + 1) == 0 &&
			    strchr(all->v[k].file + len + 1, '/') == NULL;
		if (!history_entry)
			buf_fmt(b, "%s%.*s", b->len > 0 ? ":" : "", len, file);
	}
}
