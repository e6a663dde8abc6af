"""Sink exec: a command for each record or batch, through the daemon: what it gets, what its end means,
and that nothing is lost and no process left behind."""
import json
import os
import re
import signal
import time
import uuid

import pytest

from courant import SLOW, numbered, rss
from test_exec import PYTHON, marked

# What each command begins with. note(): a line of the test's own file, in one write.
BEGIN = """import json, os, signal, sys, time
def note(**more):
    with open("{FOLDER}/notes/all", "a") as f: f.write(json.dumps(more) + "\\n")
def seen(name):
    path = f"{FOLDER}/notes/{name}"
    n = len(open(path).read()) if os.path.exists(path) else 0
    with open(path, "a") as f: f.write("x")
    return n
records = [json.loads(line) for line in sys.stdin]
titles = [int(r["title"].split()[-1]) for r in records]
def taken(): note(titles=titles, id=os.environ["COURANT_DELIVERY"], attempt=int(os.environ["COURANT_ATTEMPT"]))
"""
SECRET = "s3cr3t-" + "f00" * 5


@pytest.fixture
def passing(daemon, origin):
    """A daemon whose one source has so many records, and whose one route ends in a command."""
    def make(text, records=5, start=True, allow=True, settings=None, **options):
        origin.put("f.xml", rss(numbered(1, records)))
        d = daemon()
        notes = d.folder / "notes"
        notes.mkdir()
        d.own(notes)
        path = d.folder / "command.py"
        path.write_text(f"#!{PYTHON} -B\n" + (BEGIN + text).replace("{FOLDER}", str(d.folder)))
        path.chmod(0o755)
        d.settings.update({**({"allow": ["sink_exec"]} if allow else {}), **(settings or {})})
        d.sources = {"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}}
        d.routes = {"all": {"from": ["*"], "to": {"exec": {"command": [str(path)], "backlog": "all",
                                                            **options}}}}
        d.write()
        return d.start() if start else d
    return make


def notes(d):
    path = d.folder / "notes" / "all"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def titles(d):
    return [t for n in notes(d) for t in n["titles"]]


def leg(d):
    return d.route("all")["sinks"][0]


def until_taken(d, count, seconds=30):
    d.until(lambda: len(set(titles(d))) >= count, seconds, f"{count} records taken")
    d.settled()
    return notes(d)


def in_order(found):
    """Each once, oldest or newest first as the source had them."""
    assert found in (sorted(found), sorted(found, reverse=True)), found
    assert len(set(found)) == len(found), found


def failing(d, pattern, seconds=20):
    return d.until(lambda: re.search(pattern, leg(d)["reason"] or ""), seconds, f"the reason is {pattern}")


# ---- what it gets ----

def test_each_record_is_a_line_of_json_in_order_with_its_delivery_and_attempt(passing, tmp_path):
    d = passing("taken()\n", 7)
    found = until_taken(d, 7)
    assert all(len(n["titles"]) == 1 and n["attempt"] == 1 for n in found)
    in_order(titles(d))
    ids = {r["title"].split()[-1]: r["id"] for r in d.http("/api/v1/records").json["records"]}
    assert all(n["id"] == ids[str(n["titles"][0])] for n in found)
    assert leg(d)["dead"] in (None, 0) and leg(d)["delivered"] == 7


def test_the_input_is_what_sink_jsonl_writes(passing):
    d = passing("note(records=records, titles=titles)\n", 3, start=False)
    d.routes["all"]["to"] = [{"exec": d.routes["all"]["to"]["exec"]},
                             {"jsonl": {"path": "all.jsonl", "backlog": "all"}}]
    d.write()
    d.start()
    until_taken(d, 3)
    assert [r for n in notes(d) for r in n["records"]] == d.until_lines(3)


def test_a_batch_is_one_run_with_an_id_of_its_own(passing):
    d = passing("note(titles=titles, id=os.environ['COURANT_DELIVERY'], first=records[0]['id'])\n", 70,
                batch=20)
    found = until_taken(d, 70)
    in_order(titles(d))
    assert max(len(n["titles"]) for n in found) == 20 and len(found) <= 8
    assert all(n["id"] == n["first"] + (f"-b{len(n['titles'])}" if len(n["titles"]) > 1 else "")
               for n in found)


def test_the_environment_is_little_and_there_is_no_shell(passing):
    d = passing("""note(titles=titles, env=dict(os.environ), cwd=os.getcwd(), args=sys.argv[1:],
    fds=sorted(os.listdir("/proc/self/fd")))
""", 1, start=False, environment={"ROOM": "7 b", "COURANT_ROUTE": "mine"}, secrets_file="token")
    d.routes["all"]["to"]["exec"]["command"] += ["a b", "$HOME", "*"]
    d.write()
    (d.folder / "token").write_text(f"TOKEN={SECRET}\n")
    (d.folder / "token").chmod(0o600)
    d.own(d.folder / "token")
    d.start(debug=True)
    found = until_taken(d, 1)[0]
    env = {k: v for k, v in found["env"].items() if k not in ("TZ", "LC_CTYPE")}
    own = str(next((d.state / "files").iterdir()))
    assert env == {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": own, "LANG": "C.UTF-8", "ROOM": "7 b",
                   "TOKEN": SECRET, "COURANT_ROUTE": "all", "COURANT_ATTEMPT": "1",
                   "COURANT_DELIVERY": d.http("/api/v1/records").json["records"][0]["id"]}
    assert found["cwd"] == own and found["args"] == ["a b", "$HOME", "*"]
    assert found["fds"] == ["0", "1", "2", "3"], "3 is the listing itself"
    assert SECRET not in d.log() + d.courant("status", "--json").stdout.decode()


def test_what_is_not_allowed_waits_and_says_so_until_it_is(passing):
    d = passing("taken()\n", 2, allow=False)
    d.until(lambda: "allow: [sink_exec]" in str(leg(d)), 10, "it says what is missing")
    code, said = d.run("-n")
    assert code == 1 and "allow: [sink_exec]" in said, said
    assert notes(d) == []
    d.settings["allow"] = ["sink_exec"]
    d.write()
    d.courant("reload")
    until_taken(d, 2)


@pytest.mark.parametrize("options, error", [
    ({"command": ["echo hello"]}, "command: .*one word with spaces"),
    ({"folder": "here"}, "folder: .*does not begin with /"),
    ({"environment": ["a b=c"]}, "environment: .*is no NAME=VALUE"),
    ({"retry": ["soon"]}, 'retry: "soon" is no delay'),
    ({"batch": 33}, "batch: "),
])
def test_options_that_no_run_could_have_are_mistakes(passing, options, error):
    code, said = passing("", start=False, **options).run("-n")
    assert code == 1 and re.search(r"courant\.yaml:\d+: .*" + error, said), said


# ---- what its end means ----

@pytest.mark.parametrize("text, options, error", [
    ("sys.exit(75)\n", {}, "ended with exit status 75: not now"),
    ("sys.exit(69)\n", {}, "ended with exit status 69: not now"),
    ("os.kill(os.getpid(), 11)\n", {}, r"ended by signal 11 \(.*\): not now"),
    ("time.sleep(1000)\n", {"timeout": "500 ms"}, r"it ran longer than 500 ms \(timeout\): not now"),
    ("signal.signal(15, signal.SIG_IGN)\ntime.sleep(1000)\n", {"timeout": "500 ms"}, "ran longer than"),
    ("os.kill(os.getppid(), 9)\ntime.sleep(1000)\n", {}, "its guard"),
])
def test_a_failure_that_may_pass_is_tried_for_as_long_as_it_takes(passing, text, options, error):
    d = passing(f"""if titles == [{{N}}] and seen("tries") < 4:
    print("not now", file=sys.stderr, flush=True)
    {text.strip().replace(chr(10), chr(10) + "    ")}
taken()
""".replace("{N}", "3"), 5, retry=["100 ms", "200 ms"], **options)
    failing(d, error)
    until_taken(d, 5)
    in_order(titles(d))
    assert [n["attempt"] for n in notes(d) if n["titles"] == [3]] == [5]
    assert leg(d)["dead"] in (None, 0)
    assert re.search("all, exec: .*" + error, d.log())


@pytest.mark.parametrize("command, error", [
    (["/nonexistent/x"], "/nonexistent/x cannot be run: No such file"),
    (["/etc/passwd"], "cannot be run: Permission denied"),
])
def test_a_command_that_cannot_be_started_is_waited_for(passing, command, error):
    d = passing("taken()\n", 3, start=False, retry=["100 ms"])
    good = d.routes["all"]["to"]["exec"]["command"]
    d.routes["all"]["to"]["exec"]["command"] = command
    d.write()
    d.start()
    failing(d, error)
    d.routes["all"]["to"]["exec"]["command"] = good
    d.write()
    d.courant("reload")
    until_taken(d, 3)
    assert leg(d)["dead"] in (None, 0)


def test_a_refused_record_is_a_dead_letter_at_once_and_the_next_goes_on(passing):
    d = passing("""if titles == [2]:
    print("no such thing")
    sys.exit(65)
taken()
""", 4)
    until_taken(d, 3)
    d.until(lambda: leg(d)["dead"] == 1, 10, "one dead letter")
    assert sorted(titles(d)) == [1, 3, 4]
    in_order(titles(d))
    d.wait_log("all, exec: .*exit status 65: no such thing")


def test_another_failure_is_a_dead_letter_after_its_tries(passing):
    d = passing("""note(titles=[], tried=titles)
if titles == [2]: sys.exit(3)
taken()
""", 4, retry=["100 ms", "100 ms"])
    until_taken(d, 3)
    d.until(lambda: leg(d)["dead"] == 1, 10, "one dead letter")
    assert [n["tried"] for n in notes(d) if "tried" in n].count([2]) == 3
    d.wait_log("exit status 3, tried 3 times")


@pytest.mark.parametrize("status, retry", [(65, ["5 s"]), (1, []), (1, ["100 ms"])])
def test_of_a_batch_the_culprit_alone_is_a_dead_letter(passing, status, retry):
    d = passing(f"""note(titles=[], tried=titles)
if 4 in titles: sys.exit({status})
taken()
""", 10, batch=10, retry=retry)
    until_taken(d, 9)
    d.until(lambda: leg(d)["dead"] == 1, 20, "one dead letter")
    assert sorted(titles(d)) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    in_order(titles(d))
    tried = [n["tried"] for n in notes(d) if "tried" in n]
    assert len(tried) <= 12 and tried.count([4]) == 1, tried


def test_a_dead_letter_is_replayed_under_its_id_while_new_records_go_on(passing, origin):
    d = passing("""if titles[0] <= 4:
    if not os.path.exists("{FOLDER}/mended"): sys.exit(65)
    time.sleep(0.8)
taken()
""", 6)
    until_taken(d, 2)
    d.until(lambda: leg(d)["dead"] == 4, 10, "dead letters")
    (d.folder / "mended").touch()
    origin.put("f.xml", rss(numbered(1, 12)))
    d.courant("replay", "all", "--dead", "--rate", "1000", "--yes")
    d.refresh("one")
    until_taken(d, 12)
    d.until(lambda: leg(d)["dead"] == 0 and leg(d)["unconfirmed"] == 0, 10, "all is delivered")
    ids = {r["title"].split()[-1]: r["id"] for r in d.http("/api/v1/records").json["records"]}
    assert [n["id"] for n in notes(d) if n["titles"] == [4]] == [ids["4"]]
    in_order([t for t in titles(d) if t <= 4])
    assert sorted(titles(d)) == list(range(1, 13))


def test_status_78_pauses_until_somebody_resumes(passing):
    d = passing("""if titles == [2] and seen("twice") < 1: sys.exit(78)
taken()
""", 4)
    d.until(lambda: leg(d)["state"] == "paused" and "78" in (leg(d)["reason"] or ""), 10, "it is paused")
    d.courant("resume", "all")
    until_taken(d, 4)
    in_order(titles(d))


def test_a_command_that_reads_nothing_and_one_that_prints_much_are_fine(passing):
    d = passing("""for i in range(40): print("warning", i, file=sys.stderr)
sys.stdout.write("x" * (8 << 20) + "\\n")
for i in range(100000): print("line", i)
taken()
""", 3)
    until_taken(d, 3)
    d.wait_log("stderr: 40 lines, the last 10")
    assert "warning 39" in d.log() and "warning 29" not in d.log()
    assert "line 99999" not in d.log(), "what a command that did well prints is nobody's"
    d = passing("", 40, start=False)
    d.routes["all"]["to"]["exec"]["command"] = ["/bin/true"]
    d.write()
    d.start().settled()
    assert leg(d)["delivered"] == 40


def test_one_that_prints_without_end_is_ended_and_costs_the_worker_little(passing):
    d = passing("""if titles == [2] and seen("tries") < 1:
    while True: os.write(1, b"x" * 65536)
taken()
""", 3, timeout="3 s", retry=["100 ms"], settings={"limits": {"job_cpu": "1 s"}})
    until_taken(d, 3)
    in_order(titles(d))
    assert "ran longer than 3 s" in d.log() and "died" not in d.log()


def test_a_run_may_last_longer_than_a_job(passing):
    d = passing("time.sleep(3)\ntaken()\n", 2, settings={"limits": {"job_deadline": "1 s"}})
    until_taken(d, 2)
    assert "deadline" not in d.log() and leg(d)["dead"] in (None, 0)


def test_what_is_done_shows_while_others_still_run(passing):
    d = passing("time.sleep(1)\ntaken()\n", 20)
    d.until(lambda: 1 <= (leg(d)["delivered"] or 0) < 20, 8, "a part is confirmed")
    assert leg(d)["reason"] in (None, "") and not re.search("warning|error", d.log())


def test_many_that_hang_delay_no_other_route(passing):
    d = passing("", 3, start=False)
    d.settings["allow"] = ["sink_exec"]
    d.routes = {f"a{n}": {"from": ["*"], "to": {"exec": {"command": ["/bin/sleep", "1000"], "backlog": "all"}}}
                for n in range(40)}
    d.routes["z"] = {"from": ["*"], "filters": [{"match": {"any": ["number"]}}],
                     "to": {"jsonl": {"path": "all.jsonl", "backlog": "all"}}}
    d.write()
    d.start()
    d.until_lines(3, seconds=15)
    d.until(lambda: sum(r["sinks"][0]["state"] == "working" for r in d.status()["routes"]) == 40, 15,
            "all commands run")
    assert d.stop() == 0


# ---- nothing lost, nothing left ----

def with_children(token):
    """Both hold the pipes open; one ignores what can be ignored."""
    return f"""import subprocess
for trap in ("", "trap '' TERM HUP; "):
    subprocess.Popen(["/bin/sh", "-c", trap + "sleep 1000; :", "{token}"])
"""


def all_gone(d, token, seconds=5):
    d.until(lambda: not marked(token), seconds, f"none of them is left: {marked(token)}")


def test_a_command_that_ends_leaves_no_child_behind(passing):
    token = str(uuid.uuid4())
    d = passing(with_children(token) + "taken()\n", 3)
    until_taken(d, 3)
    all_gone(d, token)


@pytest.mark.parametrize("who", ["worker", "daemon", "stop", "removed"])
def test_one_that_hangs_is_gone_with_its_worker_and_its_record_comes_again(passing, who):
    token = str(uuid.uuid4())
    d = passing(with_children(token) + """if titles == [3] and not os.path.exists("{FOLDER}/mended"):
    note(titles=[], hangs=1)
    time.sleep(1000)
taken()
""", 5)
    d.until(lambda: any("hangs" in n for n in notes(d)) and len(marked(token)) >= 2, 20, "it hangs")
    if who == "worker":
        (d.folder / "mended").touch()
        os.kill(leg(d)["pid"], signal.SIGKILL)
    elif who == "daemon":
        os.kill(d.process.pid, signal.SIGKILL)
        d.process.wait()
    elif who == "stop":
        begun = time.monotonic()
        assert d.stop() == 0
        assert time.monotonic() - begun < 5 * SLOW
    else:
        d.routes["other"] = {"from": ["*"], "to": {"jsonl": {"path": "x.jsonl"}}}
        kept = d.routes.pop("all")
        d.write()
        d.courant("reload")
    all_gone(d, token)
    (d.folder / "mended").touch()
    if who == "removed":
        d.routes["all"] = kept
        d.write()
        d.courant("reload")
        return
    if who != "worker":
        d.start()
    until_taken(d, 5)
    in_order(list(dict.fromkeys(titles(d))))
    assert leg(d)["dead"] in (None, 0)
    if who == "stop":
        assert titles(d).count(1) == titles(d).count(2) == 1, "what was taken is not run again"
        assert [n["attempt"] for n in notes(d) if n["titles"] == [3]] == [1], "it was no attempt"
    all_gone(d, token)


def test_one_that_a_stop_broke_off_was_no_attempt(passing):
    d = passing("""if not os.path.exists("{FOLDER}/mended"):
    note(titles=[], hangs=1)
    time.sleep(1000)
taken()
""", 2, retry=[])
    d.until(lambda: notes(d), 20, "it hangs")
    assert d.stop() == 0
    (d.folder / "mended").touch()
    d.start()
    until_taken(d, 2)
    assert [n["attempt"] for n in notes(d) if n["titles"]] == [1, 1]
    assert leg(d)["dead"] == 0


def test_a_stop_lets_a_command_come_to_its_end(passing):
    d = passing("""note(titles=[], begun=titles)
time.sleep(1.5)
taken()
""", 5)
    d.until(lambda: notes(d), 20, "the first one runs")
    assert d.stop() == 0
    first = titles(d)
    assert len(first) == 1, "the one that ran, and no other"
    d.start()
    until_taken(d, 5)
    assert titles(d).count(first[0]) == 1 and len(titles(d)) == 5
    in_order(titles(d))


def test_kills_in_the_middle_lose_nothing_and_keep_the_order(passing):
    token = str(uuid.uuid4())
    d = passing(with_children(token) + """taken()
if titles[0] % 7 == 0 and seen(f"f{titles[0]}") < 1: sys.exit(75)
""", 120, batch=5, retry=["50 ms"])
    for n in range(6):
        at = len(set(titles(d)))
        d.until(lambda: len(set(titles(d))) >= min(at + 8, 120), 20, "some more")
        time.sleep(0.05 * n)
        d.kill()
        all_gone(d, token)
        d.start()
    until_taken(d, 120, 60)
    in_order(list(dict.fromkeys(titles(d))))
    d.until(lambda: leg(d)["state"] == "idle", 10, "all is done")
    ids = {}
    for n in notes(d):
        ids.setdefault(tuple(n["titles"]), set()).add(n["id"])
    assert all(len(i) == 1 for i in ids.values()), "a batch that comes again has its id"
    assert leg(d)["dead"] in (None, 0)
    all_gone(d, token)
