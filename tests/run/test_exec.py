"""Plugin exec: commands that print records, run by a worker that may, and by no other."""
import json
import os
import re
import signal
import time
import uuid

import pytest

from courant import SLOW, TREE

PYTHON = "/usr/bin/python3"


def script(d, text, name="command.py"):
    """A program that the daemon's user may run; {FOLDER} in it is the test's own."""
    path = d.folder / name
    path.write_text(f"#!{PYTHON} -B\nimport json, os, signal, sys, time\n"
                    "def put(**more): print(json.dumps(more), flush=True)\n"
                    + text.replace("{FOLDER}", str(d.folder)))
    path.chmod(0o755)
    return str(path)


def runs(d, text, allow=True, settings=None, **options):
    """A daemon with one command, and what it prints as JSON Lines."""
    d.settings.update({**({"allow": ["source_exec"]} if allow else {}), **(settings or {})})
    d.sources = {"told": {"plugin": "exec", "command": [script(d, text)], "every": "1 h",
                          **options}}
    d.routes = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    return d


def ended(d, state, seconds=20):
    """The source, once its run has ended so."""
    return d.until(lambda: (s := d.source("told"))["state"] == state and not s["streaming"] and s,
                   seconds, f"the run ends as {state}")


def files(d):
    """The command's own folder."""
    return next((d.state / "files").iterdir())


def marked(token):
    """Processes with this word among their arguments, zombies too: {pid: state}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                state = f.read().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if token.encode() in words:
            found[int(pid)] = state
    return found


WHOLE = {
    "guid": "a-1", "title": "A & b", "link": "https://example.org/1",
    "published": "2024-05-06T07:08:09Z", "updated": "2024-05-07T00:00:00Z",
    "authors": [{"name": "Ada", "mail": "ada@example.org", "uri": "https://ada.example.org/"},
                {"name": "Bob"}],
    "contributors": [{"name": "Eve"}], "categories": ["x", "y"], "summary": "<p>short</p>",
    "content": "<p>long</p>", "language": "en", "image": "https://example.org/i.png",
    "comments": "https://example.org/c", "rights": "free",
    "enclosures": [{"url": "https://example.org/e.ogg", "type": "audio/ogg", "size": 12},
                   {"url": "https://example.org/f"}],
    "extras": {"k": "v"}, "numbers": {"rating": 1.5}, "counters": {"votes": 7}}


def test_a_line_has_the_fields_of_our_json_lines_and_gives_them_again(daemon):
    d = runs(daemon(), f"put(**{WHOLE!r})\n")
    d.start()
    line = d.until_lines(1)[0]
    assert {k: v for k, v in line.items() if k not in ("id", "schema", "source", "seen", "story")} == WHOLE
    again = daemon()
    runs(again, f"print({json.dumps(line)!r})\n")
    again.start()
    second = again.until_lines(1)[0]
    for key in WHOLE:
        assert second[key] == line[key], key


def test_usual_names_and_plain_texts_do_as_well(daemon):
    d = runs(daemon(), """put(id=7, title="x", url="https://example.org/7", published=1700000000,
    summary_text="1 < 2", author="Ada", tags=["t"], enclosures=["https://example.org/e"])
put(link="https://example.org/8")
""")
    d.start()
    first, second = d.until_lines(2)
    assert (first["guid"], first["link"]) == ("7", "https://example.org/7")
    assert first["published"] == "2023-11-14T22:13:20Z" and first["summary"] == "1 &lt; 2"
    assert first["authors"] == [{"name": "Ada"}] and first["categories"] == ["t"]
    assert first["enclosures"] == [{"url": "https://example.org/e"}]
    assert second["link"] == "https://example.org/8"


def test_a_second_run_comes_after_every_and_gives_nothing_new(daemon):
    d = runs(daemon(), """with open("runs", "a") as f: f.write("run\\n")
n = open("runs").read().count("run")
for i in range(20): put(guid=f"g{i}", title=f"t{i}")
if n >= 3: put(guid="late", title="late")
""", every="300 ms")
    d.start()
    d.until(lambda: d.records() == 21, 20, "the third run brought one more")
    assert (files(d) / "runs").read_text().count("run") >= 3
    counts = d.status()["counts"]
    assert (counts["records"], counts["revisions"]) == (21, 0), counts
    assert len(d.until_lines(21)) == 21


def test_bad_lines_are_told_by_number_and_the_others_are_taken(daemon):
    d = runs(daemon(), r"""out = sys.stdout.buffer
out.write(b'{"guid": "1", "title": "one", "titel": "?"}\r\n\n')
out.write(b'Traceback: oh no\n[1, 2]\n{"title": "nameless"}\n')
out.write(b'{"guid": "2", "title": "caf\xe9"}\n')
out.write(b'{"guid": "3", "title": "' + b"x" * 3000 + b'"}\n')
out.write(b'{"guid": "4", "title": "no end of line"}')
""", max_line="2000 B")
    d.start()
    assert [r["title"] for r in d.until_lines(3)] == ["one", "caf\ufffd", "no end of line"]
    log = d.log()
    assert "line 1: a record has no such fields" in log and "titel" in log
    for n, why in ((3, "it is no JSON"), (4, "it is no object"), (5, "neither guid"),
                   (7, "longer than 2000 bytes")):
        assert re.search(rf"line {n}: .*{why}", log), (n, log)
    assert "no UTF-8" in log
    assert ended(d, "ok")["error"] is None


@pytest.mark.parametrize("text, options, error, kept", [
    ("print('Usage: x')\n", {}, r"none of 1 lines .* line 1: it is no JSON.*Usage: x", 0),
    ("put(guid='1', title='x')\nprint('no\\nkey', file=sys.stderr)\nsys.exit(3)\n", {},
     "ended with exit status 3: key", 1),
    ("put(guid='1', title='x')\nos.kill(os.getpid(), 11)\n", {},
     "ended by signal 11", 1),
    ("", {"command": ["/nonexistent/x"]}, "/nonexistent/x cannot be run: No such file", 0),
    ("", {"command": ["no-such-program-here"]}, "no-such-program-here cannot be run", 0),
    ("", {"command": ["/etc/passwd"]}, "cannot be run: Permission denied", 0),
    ("", {"folder": "/nonexistent"}, "cannot be run: No such file", 0),
    ("put(guid='1', title='x')\ntime.sleep(1000)\n", {"timeout": "500 ms"}, "it ran longer", 1),
    ("signal.signal(15, signal.SIG_IGN)\nput(guid='1', title='x')\ntime.sleep(1000)\n",
     {"timeout": "500 ms"}, "it ran longer than", 1),
    ("put(guid='1', title='x')\nwhile 1: print('x' * 100)\n", {"max_output": "500 kB"},
     "more than 500000 bytes", 1),
    ("put(guid='1', title='x')\nx = 'x' * (1 << 30)\n", {"memory": "200 MB"},
     "exit status 1: MemoryError", 1),
    ("os.kill(os.getppid(), 9)\ntime.sleep(1000)\n", {}, "its guard", 0),
])
def test_a_run_that_fails_is_shown_with_its_reason_and_keeps_what_it_brought(
        daemon, text, options, error, kept):
    if "memory" in options and "ASAN_OPTIONS" in os.environ:
        pytest.skip("sanitizers")
    d = runs(daemon(), text, **options)
    d.start()
    source = ended(d, "failing")
    assert re.search(error, source["error"]), source
    assert d.records() == kept
    assert re.search("told: .*" + error, d.log())
    assert re.search(r"its stream begins again in 60000 ms", d.log()), "a minute, not every"


@pytest.mark.parametrize("options, error", [
    ({"command": ["echo hello"]}, "command: .*one word with spaces"),
    ({"folder": "here"}, "folder: .*does not begin with /"),
    ({"environment": ["a b=c"]}, "environment: .*is no NAME=VALUE"),
])
def test_options_that_no_run_could_have_are_mistakes(daemon, options, error):
    code, said = runs(daemon(), "", **options).run("-n")
    assert code == 1 and re.search(r"courant\.yaml:\d+: source told: " + error, said), said


def test_standard_error_is_in_the_log_the_last_lines_of_it(daemon):
    d = runs(daemon(), "for i in range(30): print('warning', i, file=sys.stderr)\n")
    d.start()
    ended(d, "ok")
    d.wait_log("stderr: 30 lines, the last 10")
    assert re.findall(r"stderr: warning (\d+)", d.log()) == [str(n) for n in range(20, 30)]


SECRET = "s3cr3t-" + "f00" * 5


def test_there_is_no_shell_and_the_environment_is_what_was_configured(daemon):
    d = daemon()
    runs(d, """put(guid="args", title=json.dumps(sys.argv[1:]))
put(guid="env", title=json.dumps(dict(os.environ)))
put(guid="cwd", title=os.getcwd())
put(guid="fds", title=json.dumps(sorted(os.listdir("/proc/self/fd"))))
put(guid="stdin", title=repr(sys.stdin.read()))
print("token", os.environ["TOKEN"], file=sys.stderr)
print("token", os.environ["TOKEN"])
""", environment={"ROOM": "7 b", "LANG": "C"}, secrets_file="token")
    d.sources["told"]["command"] += ["a b", "$HOME", "*", "`id`"]
    d.write()
    (d.folder / "token").write_text(f"TOKEN={SECRET}\n\nOTHER=x\n")
    (d.folder / "token").chmod(0o600)
    d.own(d.folder / "token")
    d.start(debug=True)
    found = {r["guid"]: r["title"] for r in d.until_lines(5)}
    assert json.loads(found["args"]) == ["a b", "$HOME", "*", "`id`"]
    env = json.loads(found["env"])
    env.pop("TZ", None)
    env.pop("LC_CTYPE", None)           # Python's own
    own = str(files(d))
    assert env == {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": own, "LANG": "C", "ROOM": "7 b",
                   "TOKEN": SECRET, "OTHER": "x"}
    assert found["cwd"] == own and found["stdin"] == "''"
    assert json.loads(found["fds"]) == ["0", "1", "2", "3"], "3 is the listing itself"
    ended(d, "ok")
    assert "stderr: token ****" in d.log() and re.search(r"line 6: .*token \*\*\*\*", d.log())
    assert SECRET not in d.log() + d.courant("status", "--json").stdout.decode()


@pytest.mark.sandbox
def test_a_command_may_do_what_a_program_does_and_is_not_ended_by_what_it_may_not(daemon):
    d = runs(daemon(), """import resource
put(guid="memory", title=str(resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY))
put(guid="files", title=str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
put(guid="nice", title=str(os.nice(5)))
put(guid="read", title=open("/etc/passwd").read(4))
try: os.setgroups([])
except OSError as e: put(guid="groups", title=e.strerror)
try: put(guid="pipe", title=os.popen("echo a | tr a b").read())
except BrokenPipeError: pass
""")
    d.start()
    assert {r["guid"]: r["title"] for r in d.until_lines(6)} == {
        "memory": "True", "files": "1024", "nice": "5", "read": "root",
        "groups": "Function not implemented", "pipe": "b"}


def test_what_is_not_allowed_waits_and_says_so_until_it_is(daemon):
    d = runs(daemon(), "put(guid='1', title='x')\n", allow=False)
    d.start()
    reason = "waiting for plugin source_exec: it wants "
    source = d.source("told")
    assert source["state"] == "waiting" and reason in source["error"], source
    assert "allow: [source_exec]" in source["error"]
    assert reason in d.courant("status").stdout.decode()
    code, said = d.run("-n")
    assert code == 1 and "allow: [source_exec]" in said, said
    assert reason.encode() in d.courant("refresh", "told", check=False).stderr
    assert d.records() == 0 and not (d.state / "files").exists()
    d.settings["allow"] = ["source_exec"]
    d.write()
    assert d.run("-n")[0] == 0
    d.courant("reload")
    d.until_lines(1)
    ended(d, "ok")
    del d.settings["allow"]
    d.write()
    d.courant("reload")
    d.until(lambda: d.source("told")["state"] == "waiting", 10, "it waits again")


HANGS = """import subprocess
for trap in ("", "trap '' TERM HUP; "):
    subprocess.Popen(["/bin/sh", "-c", trap + "sleep 1000; :", sys.argv[1]])
put(guid=str(os.getpid()), title="x")
time.sleep(1000)
"""


def hanging(d, text=HANGS):
    """A command with children of its own, all of which have a word of theirs."""
    token = str(uuid.uuid4())
    runs(d, text)
    d.sources["told"]["command"].append(token)
    d.write()
    return token


def all_there(d, token):
    d.until(lambda: len(marked(token)) == 3, 20, "the command and its two children run")


def all_gone(d, token, seconds=5):
    d.until(lambda: not marked(token), seconds, f"none of them is left: {marked(token)}")


@pytest.mark.parametrize("who", ["worker", "guard", "command", "daemon", "stop", "reload", "all"])
def test_nothing_of_a_command_outlives_its_worker_or_itself(daemon, who):
    d = daemon()
    token = hanging(d)
    d.start()
    all_there(d, token)
    worker = d.source("told")["pid"]
    command = int(d.until(lambda: d.out("all.jsonl").exists() and d.lines(), 10,
                          "it told its number")[0]["guid"])
    with open(f"/proc/{command}/stat", encoding="ascii") as f:
        parent, group = f.read().rpartition(")")[2].split()[1:3]
    assert parent == group, "the guard leads the group"
    if who in ("worker", "guard", "command"):
        os.kill({"worker": worker, "guard": int(parent), "command": command}[who], signal.SIGKILL)
        ended(d, "failing")
    elif who == "daemon":
        os.kill(d.process.pid, signal.SIGKILL)
    elif who == "all":
        d.kill()
    elif who == "stop":
        assert d.stop() == 0
    else:
        d.sources["told"]["command"][-1] = "another"
        d.write()
        d.courant("reload")
    all_gone(d, token)


def test_a_command_that_ends_leaves_no_child_behind(daemon):
    d = daemon()
    token = hanging(d, HANGS.replace("time.sleep(1000)", ""))
    d.start()
    ended(d, "ok")
    all_gone(d, token)
    assert d.records() == 1


def test_one_that_stays_is_read_as_it_prints_and_may_finish_when_told_to_end(daemon):
    d = runs(daemon(), """def end(*_):
    put(guid="end", title="end")
    sys.exit(0)
signal.signal(15, end)
print("begins", file=sys.stderr, flush=True)
n = 0
while True:
    put(guid=f"n{n}", title=f"n{n}")
    n += 1
    time.sleep(0.05)
""", follow=True)
    d.start()
    d.until(lambda: d.out("all.jsonl").exists() and len(d.lines()) >= 20, 20, "they are delivered")
    source = d.source("told")
    assert source["streaming"] and source["state"] == "ok", source
    assert "stderr: begins" in d.log()
    assert d.stop() == 0
    d.sources["told"]["command"] = ["/bin/true"]
    d.write()
    d.start()
    d.until(lambda: d.lines()[-1]["title"] == "end", 10, "its last line was kept")
    found = [r["title"] for r in d.lines()][:-1]
    assert found == [f"n{i}" for i in range(len(found))]


def test_one_that_stays_and_is_silent_for_too_long_is_begun_again(daemon):
    d = runs(daemon(), """with open("runs", "a") as f: f.write("run\\n")
for i in range(4):
    put(guid=str(i), title="x")
    time.sleep(0.3)
time.sleep(1000)
""", follow=True, timeout="900 ms", every="300 ms")
    d.start()
    d.until(lambda: "printed nothing for 900 ms" in (d.source("told")["error"] or ""), 20,
            "it is told")
    d.until(lambda: (files(d) / "runs").read_text().count("run") >= 2, 20, "it is begun again")
    assert d.records() == 4


def test_kills_in_the_middle_lose_no_line_and_make_none_twice(daemon):
    d = runs(daemon(), """for i in range(4000):
    put(guid=f"g{i:04}", title=f"t{i}", content_text="x" * 300)
    if i % 400 == 0: time.sleep(0.05)
""")
    d.start(wait=False)
    for n in range(8):
        time.sleep(0.15 * (n % 4 + 1))
        d.kill()
        d.start(wait=n == 7)
    d.until(lambda: d.records() == 4000, 30 * SLOW, "all are stored")
    ended(d, "ok")
    assert d.status()["counts"]["revisions"] == 0
    d.until(lambda: len({r["guid"] for r in d.lines()}) == 4000, 30, "all are delivered")
    ids = {}
    for r in d.lines():
        ids.setdefault(r["guid"], set()).add(r["id"])
    assert all(len(i) == 1 for i in ids.values())


def test_what_ran_well_is_not_run_again_by_a_restart_but_by_a_refresh(daemon):
    d = runs(daemon(), """with open("runs", "a") as f: f.write("run\\n")
put(guid="1", title="x")
""")
    d.start()
    due = ended(d, "ok")["due"]
    assert due
    for _ in range(2):
        assert d.stop() == 0
        d.start()
        d.until(lambda: d.source("told")["due"], 10, "it has a time")
        assert d.source("told")["due"] == due
    assert (files(d) / "runs").read_text().count("run") == 1
    d.courant("refresh", "told")
    d.until(lambda: (files(d) / "runs").read_text().count("run") == 2, 10, "it was run")
    ended(d, "ok")


def test_what_failed_can_be_run_again_at_once(daemon):
    d = runs(daemon(), """put(guid="1", title="x")
sys.exit(0 if os.path.exists("{FOLDER}/mended") else 1)
""")
    d.start()
    assert "exit status 1" in ended(d, "failing")["error"]
    (d.folder / "mended").touch()
    d.courant("refresh", "told")
    assert ended(d, "ok")["error"] is None


def test_every_command_needs_every_and_its_mistakes_have_lines(daemon):
    d = runs(daemon(), "")
    del d.sources["told"]["every"], d.sources["told"]["command"]
    d.sources["told"]["folow"] = True
    d.write()
    code, said = d.run("-n")
    assert code == 1
    for part in ("every: has to be given", "command: has to be given", "did you mean `follow`"):
        assert part in said, said
    d.sources["told"] = {"plugin": "exec", "command": "x", "every": "5 min..1 h"}
    d.write()
    code, said = d.run("-n")
    assert code == 1 and re.search(r"courant.yaml:\d+: .*every", said), said


def test_a_group_runs_one_command_for_each_entry(daemon):
    d = runs(daemon(), "put(guid=sys.argv[1], title=sys.argv[1])\n")
    d.sources["told"]["command"].append("{each}")
    d.sources["told"]["each"] = ["a", "b", "c"]
    d.write()
    d.start()
    assert sorted((r["source"], r["title"]) for r in d.until_lines(3)) == [
        (f"told/{n}", n) for n in "abc"]


def test_the_example_that_is_shipped_tells_what_was_installed(daemon):
    text = (TREE / "conf" / "commands.yaml").read_text()
    d = daemon(text="")
    log = d.folder / "dpkg.log"
    log.write_text("2026-11-21 12:28:37 status unpacked man-db:amd64 2.11.2-2\n"
                   "2026-11-21 12:28:40 status installed man-db:amd64 2.11.2-2\n")
    for old, new in (("state-commands", str(d.state)), ("/var/log/dpkg.log", str(log)),
                     ("{ feed: { path: commands } }", "{ jsonl: { path: all.jsonl } }")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    d.conf.write_text(text + (f"user: {d.user()}\n" if d.user() else ""))
    d.start()
    line = d.until_lines(1)[0]
    assert line["title"] == "man-db:amd64 2.11.2-2", line
    assert line["published"] == "2026-11-21T12:28:40Z"
