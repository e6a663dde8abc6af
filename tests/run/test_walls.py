"""The walls of the sandbox against plugins that try them all, while they are loaded and in their callback,
with the kernel's own Landlock and with that of Debian 12's kernel (ABI 2)."""
import contextlib
import os
import pathlib
import platform
import pty
import re
import shutil
import signal
import subprocess
import time

import pytest

from courant import BUILD, program

pytestmark = pytest.mark.sandbox
FOLDER = BUILD / "tests" / "evil" / "walls"
REFUSED = {"Function not implemented", "Permission denied", "Operation not permitted",
           "Invalid cross-device link"}


def attacked(d, plugin, allow=True):
    """A daemon with one plugin of tests/evil/walls, granted what it asks for, and a file in its state
    folder that is none of the plugin's."""
    where = d.folder / "plugins"
    where.mkdir()
    shutil.copy(FOLDER / f"source_{plugin}.so", where)
    (where / f"source_{plugin}.so").chmod(0o755)
    victim = d.state / "victim"
    victim.write_text("whole")
    victim.chmod(0o600)
    d.own(victim)
    d.settings.update({"plugins": [str(where)], "allow": [f"source_{plugin}"] if allow else []})
    d.sources = {"evil": {"plugin": plugin}}
    d.routes = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    return d


def seen(path):
    """What an attack would change of a file."""
    now = path.stat()
    return (now.st_ino, now.st_size, now.st_mode, now.st_uid, now.st_mtime_ns, now.st_ctime_ns, now.st_nlink,
            os.listxattr(path))


def told(d):
    """What became of each attempt: {name: "done" or the error}."""
    d.until(lambda: d.out("all.jsonl").exists() and [r for r in d.lines() if r["guid"] == "end"], 20,
            "all attempts are told")
    return {r["guid"]: r["title"] for r in d.lines() if r["guid"] != "end"}


def done(attempts, refused=REFUSED):
    """The attempts that were not refused, at either time."""
    return {name.removeprefix("loading ") for name, how in attempts.items() if how not in refused}


def denied(d, call, name="evil"):
    """Whether the log warns of a call, of the plugin's file and of its source."""
    log = d.log()
    return re.search(rf"warning: \S*/source_\w+\.so says: denied: {call}$", log, re.M) and \
        re.search(rf"warning: \w+ for {name} says: denied: {call}$", log, re.M)


@pytest.mark.parametrize("grant, may", [
    ("nothing", set()), ("files", set()),
    ("sockets", {"names_resolver", "names_hosts", "names_certificates"})])
def test_no_plugin_changes_or_reads_files_that_are_none_of_its_own(daemon, abi, grant, may):
    d = attacked(daemon(), f"change_{grant}")
    before = seen(d.state / "victim")
    d.start()
    attempts = told(d)
    # With files of its own the calls are made: on a descriptor that only reads, on what is not there.
    odd = {"Invalid argument", "No such file or directory"} if grant == "files" else set()
    assert done(attempts, REFUSED | odd) == may, attempts
    assert len(attempts) > 80
    assert seen(d.state / "victim") == before and (d.state / "victim").read_text() == "whole"
    assert not list(d.state.glob("made-*"))
    plugin = next(d.state.glob("plugins/*.so"))
    assert all(each.stat().st_size > 1000 for each in d.state.glob("plugins/*.so")), plugin
    for call in ("truncate", "fchmodat", "chmod", "chown", "utimensat", "setxattr", "fcntl"):
        d.until(lambda: denied(d, call), 10, f"the log warns of {call}")
    if grant != "files":
        for call in ("openat", "linkat", "rename"):
            d.until(lambda: denied(d, call), 10, f"the log warns of {call}")
    assert d.source("evil")["state"] == "ok"


@pytest.mark.parametrize("grant, may", [
    ("nothing", set()), ("files", set()), ("sockets", {"timerfd"}),
    ("commands", {"affinity", "death", "dumpable", "timer_create", "setitimer", "timerfd", "setsid", "alarm"})])
def test_no_plugin_owns_the_daemons_descriptors_or_moves_other_processes(daemon, abi, grant, may, monkeypatch):
    monkeypatch.setenv("COURANT_TEST_SECRET", "x")
    d = attacked(daemon(), f"owner_{grant}")
    d.start()
    pids = d.pids()
    cpus = {pid: os.sched_getaffinity(pid) for pid in pids.values()}
    nice = {pid: os.getpriority(os.PRIO_PROCESS, pid) for pid in pids.values()}
    attempts = told(d)
    gone = {name for name in attempts if attempts[name] == "No such file or directory"}
    assert {name for name in gone if "variable_" in name} == gone and len(gone) == 6, attempts
    assert done({n: how for n, how in attempts.items() if n not in gone}) == may, attempts
    assert d.pids() == pids
    assert {pid: os.sched_getaffinity(pid) for pid in cpus} == cpus
    assert {pid: os.getpriority(os.PRIO_PROCESS, pid) for pid in nice} == nice
    if grant != "commands":             # a denied call fails there without a word
        for call in ("ioctl", "fcntl", "sched_setaffinity", "sched_setattr", "setpriority", "timer_create",
                     "prlimit64"):
            d.until(lambda: denied(d, call), 10, f"the log warns of {call}")


def test_signals_of_descriptors_end_no_role(daemon):
    d = daemon().start()
    pids = d.pids()
    for number in (signal.SIGIO, signal.SIGURG, signal.SIGRTMIN, signal.SIGRTMIN + 5, signal.SIGRTMAX):
        for pid in pids.values():
            os.kill(pid, number)
    assert d.pids() == pids


CALLS = {
    "job": "read write close fstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn "
           "pread64 pwrite64 readv writev sched_yield mremap madvise pause nanosleep getpid sendmsg recvmsg exit "
           "uname gettimeofday getrusage sysinfo times getuid getgid geteuid getegid getppid sigaltstack gettid "
           "futex sched_getaffinity restart_syscall clock_gettime clock_getres clock_nanosleep exit_group ppoll "
           "set_robust_list getrandom rseq time",
    "load": "newfstatat access faccessat dup2 dup3 statfs get_mempolicy",
    "files": "newfstatat statx getdents64 unlinkat mkdirat renameat renameat2 linkat ftruncate fsync fdatasync "
             "sync_file_range fallocate faccessat faccessat2 readlinkat flock getcwd chdir fchdir umask dup dup3 "
             "fstatfs statfs preadv pwritev copy_file_range sendfile fadvise64 access unlink mkdir rmdir rename "
             "link readlink dup2",
    "sockets": "newfstatat access faccessat dup2 dup3 statfs get_mempolicy "
               "connect bind listen accept accept4 sendto recvfrom sendmmsg "
               "recvmmsg shutdown getsockname getpeername getsockopt setsockopt select pselect6 epoll_create "
               "epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 pipe pipe2 "
               "timerfd_create timerfd_settime timerfd_gettime signalfd4 rt_sigtimedwait rt_sigsuspend "
               "rt_sigpending dup sendfile preadv pwritev statx getdents64 readlink readlinkat faccessat2 getcwd "
               "fstatfs fadvise64 umask getpgrp getresuid getresgid membarrier getcpu mlock munlock "
               "sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min",
}
# Its arguments decide, and those of the sweep mean nothing; or no filter sees it.
ODD = {"mmap", "mprotect", "futex"}
UNSEEN = {"pause", "exit", "exit_group", "rt_sigreturn", "rt_sigsuspend", "fork", "vfork", "uretprobe", "uprobe"}


def names():
    """The system calls of this machine: {number: name}."""
    text = subprocess.run(["gcc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                          capture_output=True, text=True, check=True).stdout
    found = {int(n): name for name, n in re.findall(r"#define __NR_(\w+) (\d+)$", text, re.M)}
    return {**found, 335: "uretprobe", 336: "uprobe"}


@pytest.mark.skipif(platform.machine() != "x86_64" or not shutil.which("gcc"), reason="the numbers are of x86_64")
@pytest.mark.parametrize("grant", ["nothing", "files", "sockets"])
def test_a_sweep_of_all_system_calls_finds_those_of_the_list_and_no_other(daemon, abi, grant):
    d = attacked(daemon(), f"sweep_{grant}")
    d.start()
    sweep, name = told(d), names()
    for when, parts in (("loading", {"job", "load"}), ("callback", {"job"})):
        wanted = set(" ".join(CALLS[p] for p in parts | ({grant} - {"nothing"})).split())
        found = {name.get(int(n), n) for n in sweep[when].split()}
        # Arguments that are all ones: the call is refused by them.
        assert found - wanted - UNSEEN == set(), when
        assert wanted - found - ODD == set(), when


def test_each_worker_has_no_new_privileges_and_a_filter(daemon, abi):
    d = attacked(daemon(), "owner_sockets")
    for grant in ("nothing", "files", "commands"):
        shutil.copy(FOLDER / f"source_owner_{grant}.so", d.folder / "plugins")
        d.sources[grant] = {"plugin": f"owner_{grant}"}
    d.settings["allow"] = ["source_owner_sockets", "source_owner_commands"]
    d.write()
    d.start()
    told(d)
    children = pathlib.Path(f"/proc/{d.process.pid}/task/{d.process.pid}/children")
    seen_of, first_look, last = set(), {}, {}

    def look(pid):
        proc = pathlib.Path(f"/proc/{pid}")
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state = (proc / "status").read_text()
            if "State:\tZ" not in state:
                first_look.setdefault(pid, time.monotonic())
                last[pid] = state, (proc / "environ").read_bytes(), os.readlink(proc / "fd/0")

    def each():
        # One that hides from core is ended soon, and starts again: its last moment is looked at, and the log names it.
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            for pid in children.read_text().split():
                look(int(pid))
        plugins = {w["pid"]: w["plugin"] for w in d.status()["workers"]} | {
            int(pid): plugin for pid, plugin in re.findall(r"worker (\d+) \((owner_commands)\) died", d.log())}
        for pid in plugins.keys() & last.keys():
            state, environment, first = last[pid]
            if "Seccomp:\t2" not in state and time.monotonic() - first_look[pid] < 1:
                continue        # it begins
            assert re.search(r"^NoNewPrivs:\s1$", state, re.M) and re.search(r"^Seccomp:\s2$", state, re.M), plugins[pid]
            assert {v.partition(b"=")[0] for v in environment.split(b"\0")} <= {b"", b"TZ", b"LD_LIBRARY_PATH"}
            assert first == "/dev/null"
            seen_of.add(plugins[pid])
        return {"owner_sockets", "owner_nothing", "owner_files", "owner_commands"} < seen_of
    d.until(each, 20, "each was looked at while it ran")


def test_a_kernel_without_landlock_is_told_and_the_filters_hold(daemon, landlock):
    landlock("0")
    d = attacked(daemon(), "change_nothing")
    before = seen(d.state / "victim")
    d.start()
    attempts = told(d)
    reads = {"open_read", "etc_folder", "etc_passwd", "etc_fstab", "share_doc", "environment", "names_resolver",
             "names_hosts", "names_certificates"}
    could = {name for name, how in attempts.items() if how == "done"}
    assert could <= {f"loading {name}" for name in reads}, attempts
    assert seen(d.state / "victim") == before
    assert d.log().count("has no Landlock") == 1, "once, loudly"
    assert re.search(r"core\[\d+\]: warning: this kernel has no Landlock", d.log())
    assert d.status()["landlock"] == 0
    assert "warning: this kernel has no Landlock" in d.courant("status").stdout.decode()
    assert "landlock" not in d.http("/api/v1/status").json


def test_the_version_of_landlock_is_in_the_status(daemon, abi):
    d = attacked(daemon(), "change_nothing").start()
    version = d.status()["landlock"]
    assert version == 2 if abi else version > 0
    assert "no Landlock" not in d.log() + d.courant("status").stdout.decode()


TERMINAL = """
#include <courant/plugin.h>
#include <stdio.h>
#include <unistd.h>

static int terminals[2];

static int
count(void)
{
	return isatty(0) + isatty(1) + isatty(2);
}

__attribute__((constructor)) static void
loading(void)
{
	terminals[0] = count();
	printf("loading\\n");
	fflush(stdout);
}

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r = cr->record(cr, "x");

	(void)opts, (void)page;
	terminals[1] = count();
	fprintf(stderr, "\\033[31mred \\302\\2330m\\n");
	cr->set(r, CR_TITLE, terminals[0] + terminals[1] == 0 ? "none" : "a terminal");
	cr->emit(cr, r);
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "terminal", .version = "1", .help = "h", .parse = parse,
};
"""


def on_terminal(*arguments):
    """Runs courant on a terminal of its own: all that it prints there."""
    ours, its = pty.openpty()
    process = subprocess.Popen([program("courant"), *arguments], stdin=its, stdout=its, stderr=its,
                               start_new_session=True)
    os.close(its)
    text = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:                 # its last descriptor is closed
            part = b""
        if not part:
            break
        text += part
    os.close(ours)
    process.wait()
    return text


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs a compiler")
def test_a_plugin_never_has_the_terminal_of_a_command(daemon):
    d = daemon()
    source, plugin = d.folder / "terminal.c", d.folder / "source_terminal.so"
    source.write_text(TERMINAL)
    include = pathlib.Path(__file__).resolve().parents[2] / "include"
    subprocess.run(["gcc", "-shared", "-fPIC", f"-I{include}", "-o", plugin, source], check=True)
    page = d.folder / "page"
    page.write_text("x")
    said = on_terminal("parse", "--plugin", str(plugin), str(page))
    assert b'"none"' in said and b"red" in said, said
    assert b"\033[31m" not in said and b"\302\233" not in said, "it acts on no terminal"
    about = on_terminal("plugins", str(plugin))
    assert b"terminal" in about and b"\033" not in about, about
