"""What the run tests share: a daemon of their own, an origin, and waiting for what can be seen."""
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("COURANT_BUILD") or os.environ.get("BUILD")
                     or TREE / "build").resolve()
LONG = os.environ.get("COURANT_LONG", "") not in ("", "0")
SLOW = float(os.environ.get("COURANT_SLOW", "1"))  # sanitizers: how much longer to wait
SANITIZED = "ASAN_OPTIONS" in os.environ
REPORT = r"(?m)^.*(?:ERROR: \w+Sanitizer|runtime error: )[\s\S]*"   # to the log's end
DENIED = r"(?m)^\S+ (?:store|fetch|send|mail|serve|index)\[\d+\]: .*denied: .*"
ROLES = ("store", "fetch", "send", "serve", "index")
SHARED = next((p for p in (pathlib.Path(os.environ.get("COURANT_SHARED", "/nonexistent")),
                           TREE.parent / "shared") if p.is_dir()), None)


def program(name):
    """A program of the build, as libtool leaves it."""
    for path in (BUILD / name, BUILD / "tests" / name, BUILD / "libexec" / name):
        if path.is_file():
            return str(path)
    raise FileNotFoundError(f"{name} is not in {BUILD}: run make, or set COURANT_BUILD")


def until(condition, seconds=20, what="", every=0.03, context=None):
    """The condition's first true value; an assertion that says what was waited for."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            more = f"\n{context()}" if context else ""
            told = f"after {seconds * SLOW:.0f} s still not: {what or condition.__name__}"
            raise AssertionError(f"{told}{more}\n-- {told}" if more else told)
        time.sleep(every)


def folder(prefix="courant-"):
    """A fresh folder that the daemon's user can reach; under /tmp, since pytest's own is 0700."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    path.chmod(0o755)
    return path


def scalar(value):
    if value is True:
        return "yes"
    if value is False:
        return "no"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def yaml(value, depth=0):
    """Maps and lists as the block YAML that a person would write."""
    pad = "  " * depth
    if isinstance(value, dict):
        return "".join(
            f"{pad}{key}:\n{yaml(v, depth + 1)}" if isinstance(v, (dict, list)) and v
            else f"{pad}{key}: {flow(v)}\n" for key, v in value.items())
    return "".join(f"{pad}- {flow(v)}\n" for v in value)


def flow(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k}: {flow(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    return scalar(value)


def processes(group):
    """The live processes of a group: {pid: command line}."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            stat = pathlib.Path("/proc", entry, "stat").read_text()
            fields = stat.rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                line = pathlib.Path("/proc", entry, "cmdline").read_bytes()
                found[int(entry)] = line.replace(b"\0", b" ").decode().strip()
    return found


def memory(pid):
    """All of a process's memory that can be read."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, rights, *_ = line.split()
            if rights[0] != "r" or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
                continue
            begin_, end = (int(x, 16) for x in span.split("-"))
            with contextlib.suppress(OSError, ValueError):
                mem.seek(begin_)
                found.append(mem.read(end - begin_))
    return b"".join(found)


class Told(dict):
    """What status told; what it left out is None."""

    def __missing__(self, key):
        return None


class Answer:
    """One HTTP answer: status, headers (names in lower case), body as it came."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    @property
    def text(self):
        body = self.body
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return body.decode()

    @property
    def json(self):
        return json.loads(self.text)


class Daemon:
    """One courantd with a configuration and state of its own, in a process group of its own."""

    def __init__(self, sources=None, routes=None, settings=None, text=None):
        self.folder = folder()
        self.state = self.folder / "state"
        self.conf = self.folder / "courant.yaml"
        self.log_path = self.folder / "log"
        self.log_path.touch()
        self.process = None
        self.reports = []
        self.denies = False                 # a test has a role make a call that its filter denies
        self.settings = settings or {}
        self.sources = sources or {}
        self.routes = routes or {}
        self.state.mkdir()
        self.own(self.state)
        if text is None:
            self.write()
        else:
            self.conf.write_text(text)

    @staticmethod
    def user():
        return "nobody" if os.geteuid() == 0 else None

    def own(self, path):
        """Gives the path, and what is below, to the user that the daemon becomes."""
        if not self.user():
            return
        who = pwd.getpwnam(self.user())
        for each in [path, *path.rglob("*")]:
            os.chown(each, who.pw_uid, who.pw_gid, follow_symlinks=False)

    def write(self, **more):
        """The configuration, from sources, routes and settings; `more` goes on top."""
        conf = {"state": str(self.state)}
        if self.user():
            conf["user"] = self.user()
        conf.update({"private": True, "serve": {"listen": "127.0.0.1:0"}})
        conf.update(self.settings)
        conf.update(more)
        if SANITIZED:           # with sanitizers a worker takes several times the memory
            conf["limits"] = {"memory": "16 GB", **(conf.get("limits") or {})}
        conf = {k: v for k, v in conf.items() if v is not None}
        if self.sources:
            conf["sources"] = self.sources
        if self.routes:
            conf["routes"] = self.routes
        self.conf.write_text(yaml(conf))

    # -- its life

    def start(self, wait=True, seconds=20, debug=False):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [program("courantd"), "-c", str(self.conf), *(["-d"] if debug else [])], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True, cwd=self.folder)
        log.close()
        if wait:
            self.until(self.ready, seconds, "roles are up and the admin socket answers")
        return self

    def ready(self):
        assert self.process.poll() is None, f"courantd ended: {self.process.returncode}\n{self.log()}"
        done = self.courant("status", "--json", check=False)
        if done.returncode != 0:
            return False
        now = json.loads(done.stdout, object_hook=Told)
        wanted = {"core", "store", "fetch", "send", "index"} | ({"serve"} if now["listen"] else set())
        return {r["name"] for r in now["roles"] if r["state"] == "running"} >= wanted

    def stop(self, seconds=20):
        """A clean stop: its exit status. Nothing of it is left behind."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            text = self.log()
            self.kill()
            raise AssertionError(f"did not stop within {seconds * SLOW:.0f} s\n{text}") from None
        self.gone()
        return code

    def gone(self):
        until(lambda: not processes(self.process.pid), 5,
              f"no process left: {processes(self.process.pid)}")

    def kill(self):
        """SIGKILL to the whole group, and wait until every process of it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.gone()

    def run(self, *arguments, seconds=30):
        """courantd in the foreground until it ends by itself: (exit status, what it said)."""
        done = subprocess.run([program("courantd"), "-c", str(self.conf), *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds * SLOW, cwd=self.folder)
        return done.returncode, done.stdout.decode(errors="replace")

    def close(self):
        """Gone, and its files; under sanitizers it ends as it should, so that leaks are seen."""
        if self.process and self.process.poll() is None:
            if SANITIZED:
                self.process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(10 * SLOW)
            self.kill()
        self.reports = re.findall(REPORT, self.log())
        if not self.denies:
            self.reports += re.findall(DENIED, self.log())
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- what can be seen of it

    def log(self):
        return self.log_path.read_text(errors="replace")

    def describe(self):
        lines = self.log().splitlines()
        try:
            status = self.courant("status", "--json", check=False, seconds=5).stdout.decode()
        except subprocess.TimeoutExpired:
            status = "no answer within 5 s"
        return "\n".join([f"-- {self.conf}", self.conf.read_text(), f"-- status: {status[:6000]}",
                          f"-- the log's last lines of {len(lines)}", *lines[-60:]])

    def until(self, condition, seconds=20, what="", every=0.03):
        return until(condition, seconds, what, every, context=self.describe)

    def wait_log(self, pattern, seconds=20, since=0):
        """Until a line of the log (from byte `since` on) matches; the match."""
        return self.until(lambda: re.search(pattern, self.log()[since:], re.M), seconds,
                          f"the log says /{pattern}/")

    def courant(self, *arguments, check=True, seconds=30, given=None):
        feed = {"input": given} if given is not None else {"stdin": subprocess.DEVNULL}
        done = subprocess.run([program("courant"), "-s", str(self.state), *arguments],
                              **feed, capture_output=True, timeout=seconds * SLOW)
        if check:
            assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return done

    def status(self):
        return json.loads(self.courant("status", "--json").stdout, object_hook=Told)

    def source(self, name):
        return next(s for s in self.status()["sources"] if s["name"] == name)

    def route(self, name):
        return next(r for r in self.status()["routes"] if r["name"] == name)

    def pids(self):
        """Of the roles, which outlive whatever a worker does."""
        return {r["name"]: r["pid"] for r in self.status()["roles"]}

    def records(self):
        return self.status()["counts"]["records"]

    def refresh(self, *names):
        """Polls these sources now (all without names) and waits until each was read again and its records delivered.

        A sink that is paused, or holds records for another try, is not waited for.
        """
        before = {s["name"]: s["checked"] for s in self.status()["sources"]
                  if not names or s["name"] in names}
        for name in before:
            self.courant("refresh", name)
        self.until(lambda: all(s["checked"] != before[s["name"]] and not s["polling"]
                               for s in self.status()["sources"] if s["name"] in before), 30, f"{sorted(before)} read again")
        head = self.status()["counts"]["head"]
        self.until(lambda: all((sink["place"] or 0) >= head or sink["paused"] or sink["retry"]
                               for r in self.status()["routes"] for sink in r["sinks"]), 30, f"delivered up to {head}")

    def explain(self, what):
        """What `courant explain` tells of the records with this id, guid or link, the newest first."""
        return json.loads(self.courant("explain", "--json", what).stdout)["items"]

    def settled(self, seconds=30):
        """Until every source was read once and every route has delivered all there is."""
        def quiet():
            now = self.status()
            head = now["counts"]["head"]
            return all(s["checked"] and not s["polling"] for s in now["sources"]) and all(
                (leg["place"] or 0) >= head for r in now["routes"] for leg in r["sinks"])
        self.until(quiet, seconds, "all sources read, all routes at the head of the log")
        return self

    def indexed(self, seconds=30):
        """Until all of the log can be searched."""
        def all_of_it():
            now = self.status()
            at = now["index"]
            return (at["n"] or 0) >= now["counts"]["head"] and not at["building"] and not at["waiting"]
        self.until(all_of_it, seconds, "all of the log is indexed")
        return self

    def search(self, query, *more, command="search", check=True):
        """The answer of `courant search`; None: it could not be answered."""
        done = self.courant(command, "--json", *more, "--", query, check=False)
        if done.stdout == b"" and not check:
            return None
        assert done.returncode in (0, 1) and done.stdout, (query, done)
        return json.loads(done.stdout, object_hook=Told)

    def out(self, name):
        return self.state / "out" / name

    def lines(self, name="all.jsonl"):
        """Records of a JSON Lines output, its rotated files included, oldest first."""
        path = self.out(name)
        found = []
        for each in sorted(path.parent.glob(path.name + "*"), key=lambda p: p.stat().st_mtime):
            data = each.read_bytes()
            if each.suffix == ".gz":
                data = gzip.decompress(data)
            found += [json.loads(line) for line in data.split(b"\n")[:-1] if line]
        return found

    def until_lines(self, count, name="all.jsonl", seconds=20):
        """Until the output has at least so many lines; fails when it has more."""
        def enough():
            found = self.lines(name) if self.out(name).parent.is_dir() else []
            return found if len(found) >= count else None
        found = self.until(enough, seconds, f"{count} lines in {name}")
        assert len(found) == count, (len(found), [r.get("title") for r in found])
        return found

    def address(self):
        host, _, port = self.status()["listen"].rpartition(":")
        return host, int(port)

    def http(self, path, method="GET", headers=None, body=None, seconds=10):
        connection = http.client.HTTPConnection(*self.address(), timeout=seconds * SLOW)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def connect(self, seconds=10):
        return socket.create_connection(self.address(), timeout=seconds * SLOW)


def rss(entries, title="T", more=""):
    """An RSS 2.0 document: entries are (guid or None, title, link or None) or whole <item>s."""
    items = []
    for each in entries:
        if isinstance(each, str):
            items.append(each)
            continue
        guid, name, link = each
        items.append("<item>" + (f"<guid isPermaLink=\"false\">{guid}</guid>" if guid else "") +
                     f"<title>{name}</title>" + (f"<link>{link}</link>" if link else "") + "</item>")
    return (f'<?xml version="1.0"?>\n<rss version="2.0"><channel><title>{title}</title>'
            f"<link>https://example.org/</link><description>d</description>{more}\n"
            + "\n".join(items) + "\n</channel></rss>\n").encode()


def numbered(first, last, tag="n"):
    """Entries first..last of an invented source, newest first."""
    return [(f"{tag}-{n}", f"{tag} number {n}", f"https://example.org/{tag}/{n}")
            for n in range(last, first - 1, -1)]


# ---- a wall clock of the test's ----

def sanitizers():
    """The sanitizers' runtime, which has to be loaded before anything else."""
    bare = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    said = subprocess.run(["ldd", program("courantd")], capture_output=True, text=True, check=True, env=bare)
    return re.findall(r"=> (\S*libasan\S*)", said.stdout)


def fake_clock(env, path):
    """Has programs started from here on read how far their clock is off from a file: "+3d"."""
    env.setenv("LD_PRELOAD", " ".join([*sanitizers(), str(BUILD / "tests" / "clock.so")]))
    env.setenv("TEST_CLOCK", str(path))
