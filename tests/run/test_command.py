"""The command line as people meet it: help, names mistyped, groups, exit statuses, a terminal's columns."""
import fcntl
import json
import os
import re
import shutil
import struct
import subprocess
import termios
import unicodedata

import pytest

from courant import BUILD, SLOW, folder, numbered, program, rss
from test_path import EVERYTHING, sources

COMMANDS = ("status", "reload", "refresh", "resume", "dead", "replay", "drop", "test", "explain", "plugins",
            "parse", "fetch", "filter", "help")


def courant(*arguments, text=b"", **more):
    return subprocess.run([program("courant"), *arguments], input=text, capture_output=True,
                          timeout=60 * SLOW, **more)


def on_terminal(*arguments, columns=80):
    """What the command prints on a terminal that wide, its lines."""
    here, there = os.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    done = subprocess.Popen([program("courant"), *arguments], stdin=subprocess.DEVNULL, stdout=there,
                            stderr=subprocess.STDOUT)
    os.close(there)
    said = b""
    while True:
        try:
            part = os.read(here, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(here)
    done.wait(30 * SLOW)
    return said.decode().replace("\r\n", "\n").splitlines()


def width(text):
    """Columns of a terminal that a text takes."""
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


# ---- help, and what is mistyped

def test_the_daemon_tells_about_itself():
    done = subprocess.run([program("courantd"), "--help"], capture_output=True, timeout=60 * SLOW)
    assert done.returncode == 0 and done.stdout.startswith(b"usage: courantd ") and not done.stderr
    done = subprocess.run([program("courantd"), "--hlep"], capture_output=True, timeout=60 * SLOW)
    assert done.returncode == 2 and b"usage: courantd " in done.stderr and not done.stdout


def test_every_command_tells_about_itself():
    listed = courant("help").stdout.decode()
    assert courant("--help").stdout.decode() == listed
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\S", listed, re.M), name
        ways = [courant(name, "--help"), courant(name, "-h"), courant("help", name)]
        assert "\\x" not in ways[0].stdout.decode(), "no line is shown as what it is written with"
        assert [w.returncode for w in ways] == [0, 0, 0], name
        assert ways[0].stdout == ways[1].stdout == ways[2].stdout
        assert ways[0].stdout.startswith(f"usage: courant {name}".encode()) and not ways[0].stderr


@pytest.mark.parametrize("arguments, near", [
    (["stauts"], "did you mean status?"), (["refesh", "x"], "did you mean refresh?"),
    (["help", "explian"], "did you mean explain?"),
    (["status", "--jsno"], "did you mean --json?"), (["parse", "--btach"], "did you mean --batch?"),
    (["fetch", "feed", "--page", "3", "--ulr=x"], "did you mean --url?"),
    (["filter", "match", "--whi"], "did you mean --why?"),
    (["plugins", "--jsob"], "did you mean --json?"), (["explain", "x", "--jason"], "--json?"),
    (["status", "-c", "x"], "courant -c FILE status"), (["parse", "-z", "x"], "no option -z"),
    (["parse", "--url"], "--url wants a value"), (["status", "--json=1"], "--json takes no value"),
    (["qwertyuiop"], "`courant help` lists all"), ([], "courant help"),
    (["reload", "now"], "usage: courant reload"), (["refresh"], "usage: courant refresh"),
    (["fetch", "feed", "--pages", "0"], "--pages 0"),
])
def test_what_is_mistyped_is_named_with_the_nearest(arguments, near):
    done = courant(*arguments)
    assert done.returncode == 2 and near in done.stderr.decode() and not done.stdout, done


def test_a_plugin_or_source_mistyped_is_named_with_the_nearest(daemon, origin):
    d = daemon(sources({"kestrels": origin.put("k.xml", rss(numbered(1, 1)))}), EVERYTHING).start()
    said = d.courant("refresh", "kestrel", check=False)
    assert said.returncode == 1 and b"did you mean kestrels?" in said.stderr
    done = courant("-c", str(d.conf), "fetch", "kestrles")
    assert done.returncode == 1 and b"did you mean kestrels?" in done.stderr, done
    done = courant("filter", "mach")
    assert done.returncode == 1 and b"did you mean match?" in done.stderr, done


# ---- parse

GOOD = rss(numbered(1, 2))


@pytest.fixture
def files():
    where = folder()
    (where / "good").write_bytes(GOOD)
    (where / "bad").write_bytes(b"<html><body>no feed</body></html>")
    yield where
    shutil.rmtree(where)


def test_parse_ends_with_1_when_a_file_failed(files):
    good, bad, none = (str(files / n) for n in ("good", "bad", "none"))
    assert courant("parse", good).returncode == 0
    for each in ([bad], [none], [good, bad], [bad, good], [good, none], [str(files)]):
        done = courant("parse", *each)
        assert done.returncode == 1 and b'"error"' in done.stdout, (each, done)
    done = courant("parse", os.fsencode(str(files)) + b"/n\xff")
    assert done.returncode == 1 and b'"error"' in done.stdout, "a name that is no UTF-8"


def test_parse_ends_with_1_when_a_line_of_a_batch_failed(files):
    good, bad = files / "good", files / "bad"
    assert courant("parse", "--batch", text=b"%s\t-\n" % bytes(good)).returncode == 0
    for line in (f"{bad}\t-\n{good}\t-\n", f"{files}/none\t-\n{good}\n", f"{good}\t{files}/none\n"):
        done = courant("parse", "--batch", text=line.encode())
        assert done.returncode == 1, (line, done)
        assert len(done.stdout.splitlines()) == line.count("\n"), "and goes on"


def test_parse_ends_with_1_when_its_plugin_failed_crashed_or_its_plan_did(files):
    evil = BUILD / "tests" / "evil"
    for plugin in ("crash", "abort", "exit"):
        shutil.copy(evil / f"{plugin}.so", files / f"source_{plugin}.so")
        done = courant("parse", "--plugin", str(files / f"source_{plugin}.so"), str(files / "good"))
        assert done.returncode == 1 and b'"error"' in done.stdout, (plugin, done)


def test_parse_that_cannot_write_its_answer_fails(files):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program("courant"), "parse", str(files / "good")], stdout=full,
                              stderr=subprocess.PIPE, timeout=60 * SLOW)
    assert done.returncode == 1 and b"No space left" in done.stderr


# ---- fetch

def test_fetch_of_a_name_is_a_source_of_the_configuration_first(daemon, origin):
    one, two = (origin.put(f"{n}.xml", rss(numbered(1, n, f"t{n}"))) for n in (2, 3))
    d = daemon({"feed": {"plugin": "feed", "url": one},
                "group": {"plugin": "feed", "each": ["3"], "url": origin.url("/{each}.xml")}},
               EVERYTHING)

    def fetched(*arguments):
        done = courant("-c", str(d.conf), "fetch", *arguments)
        return done.returncode, [json.loads(line)["guid"] for line in done.stdout.splitlines()], done

    assert fetched("feed")[:2] == (0, ["t2-2", "t2-1"]), "a source that is called as a plugin is"
    assert fetched("group/3")[:2] == (0, ["t3-3", "t3-2", "t3-1"]), two
    assert fetched("--plugin", "feed", "--url", two)[1] == ["t3-3", "t3-2", "t3-1"]
    code, found, done = fetched("feed", "--url", two)
    assert code == 2 and not found and b"--plugin feed" in done.stderr
    del d.sources["feed"]
    d.write()
    assert fetched("feed", "--url", two)[1] == ["t3-3", "t3-2", "t3-1"], "then a plugin"
    code, _, done = fetched("nothing")
    assert code == 1 and b"no source named nothing" in done.stderr


def test_fetch_of_a_source_takes_its_file_secrets_and_pages(daemon, origin):
    origin.put("key.json", b'[{"id": 1, "url": "https://example.org/1", "title": "T"}]')
    d = daemon({"api": {"plugin": "json", "url": origin.url("/key.json"), "items": ".",
                        "auth": {"bearer_file": "token"}},
                "file": {"plugin": "feed", "url": "file:///nowhere"}}, EVERYTHING)
    (d.folder / "token").write_text("hush\n")
    (d.folder / "token").chmod(0o600)
    d.own(d.folder / "token")           # as whom a command of root's goes on
    (d.folder / "f.xml").write_bytes(GOOD)
    d.sources["file"]["url"] = f"file://{d.folder}/f.xml"
    d.settings["files"] = [str(d.folder)]
    d.write()
    done = courant("-c", str(d.conf), "fetch", "api")
    assert done.returncode == 0 and json.loads(done.stdout)["title"] == "T", done
    asked = [r for r in origin.requests() if r["path"] == "/key.json"]
    assert asked[-1]["headers"]["authorization"] == "Bearer hush", asked
    assert b"hush" not in done.stdout + done.stderr
    done = courant("-c", str(d.conf), "fetch", "file")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2, done


# ---- refresh

def test_refresh_of_a_group_of_all_and_of_several(daemon, origin):
    urls = {n: origin.put(f"{n}.xml", rss(numbered(1, 1, n))) for n in ("a", "b", "c", "d")}
    d = daemon({"g": {"plugin": "feed", "each": ["a", "b"], "url": origin.url("/{each}.xml"), "every": "1 h"},
                "gc": {"plugin": "feed", "url": urls["c"], "every": "1 h"},
                "d": {"plugin": "feed", "url": urls["d"], "every": "1 h"}}, EVERYTHING).start().settled()

    def polled(*names):
        before = {s["name"]: s["checked"] for s in d.status()["sources"]}
        said = d.courant("refresh", *names).stdout.decode()
        wanted = {"g": {"g/a", "g/b"}, "*": set(before), "g*": {"g/a", "g/b", "gc"}}
        wanted = set().union(*(wanted.get(n, {n}) for n in names))
        d.until(lambda: all(s["checked"] != before[s["name"]] for s in d.status()["sources"]
                            if s["name"] in wanted), 20, f"{wanted} polled")
        assert {s["name"] for s in d.status()["sources"] if s["checked"] != before[s["name"]]} == wanted
        return said

    assert "2 of 2 sources are polled" in polled("g")
    assert "4 of 4 sources are polled" in polled("*")
    assert "3 of 3 sources are polled" in polled("g*")
    assert polled("d", "g/a") == ""
    done = d.courant("refresh", "d", "gh", check=False)
    assert done.returncode == 1 and b"no source or group gh" in done.stderr
    done = d.courant("refresh", "x*", check=False)
    assert done.returncode == 1, done


# ---- what is shown

NAMES = ["plain", "猛禽類の観察記録" * 6, "кестрель-" * 11, "e\u0301te\u0301" * 20, "🦅🐦" * 24, "x" * 120,
         "👨\u200d👩\u200d👧 👍🏽 ❤\ufe0f", "हिन्दी समाचार"]


def table(lines, head):
    """The rows below a head, and the columns at which its words begin."""
    at = next(i for i, line in enumerate(lines) if line.startswith(head))
    rows = []
    for line in lines[at + 1:]:
        if line == "":
            break
        if not line.startswith("    "):
            rows.append(line)
    return lines[at], rows


def column(head, row, word):
    """The text of a row that stands below a word of the head, where terminals put it."""
    begin, n, out = head.index(word), 0, ""
    for c in row:
        if n >= begin:
            out += c
        n += width(c)
    return out


def test_status_aligns_in_80_columns_with_any_name(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon({**{n: {"plugin": "feed", "url": url, "every": "1 h"} for n in NAMES},
                "missing": {"plugin": "feed", "url": origin.url("/missing"), "every": "1 h"}},
               {"all": EVERYTHING["everything"],
                **{"r" + n[:30]: {"from": ["*"], "to": {"jsonl": {"path": f"{i}.jsonl"}}}
                   for i, n in enumerate(NAMES)}}).start().settled()
    lines = on_terminal("-s", str(d.state), "status")
    assert max(map(width, lines)) <= 80, [line for line in lines if width(line) > 80]
    head, rows = table(lines, "SOURCE ")
    assert len(rows) == len(NAMES) + 1
    for row in rows:
        assert re.match(r"(ok|failing) +\d+ ", column(head, row, "STATE")), row
        assert re.fullmatch(r"(in \d+ (s|min|h)|now)", column(head, row, "NEXT")), row
    assert sum("…" in row for row in rows) == 5, rows
    assert any(row.startswith("👨👩👧 👍 ❤ ") for row in rows), "what terminals differ in is left out"
    head, rows = table(lines, "ROUTE ")
    assert len(rows) == len(NAMES) + 2
    assert all(re.match(r"[a-z]+ ", column(head, row, "STATE")) for row in rows), rows
    wide = on_terminal("-s", str(d.state), "status", columns=200)
    head, rows = table(wide, "SOURCE ")
    assert any("x" * 120 in row for row in rows), "a wider terminal is used"
    said = d.courant("status").stdout.decode()
    assert all(n in said for n in NAMES) and "…" not in said, "no script misses anything"
    assert re.search(r"^missing +failing .* \d{4}-\d\d-\d\dT", said, re.M), "and times are whole"


def test_explain_aligns_in_80_columns_with_any_text(daemon, origin):
    title = "\x1b]0;gone\x07" + "猛禽類 " * 40
    origin.put("f.xml", rss([("g", "猛禽類の観察記録、" * 12 + "kestrels &#27;[2J nest", "https://example.org/1")],
                            title=title.replace("\x1b", "").replace("\x07", "")))
    d = daemon({NAMES[1]: {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
               {NAMES[5]: {"from": ["*"], "filters": [{"match": {"any": ["nest"]}}],
                           "to": {"jsonl": {"path": "all.jsonl"}}}}).start().settled()
    lines = on_terminal("-s", str(d.state), "explain", "g")
    assert max(map(width, lines)) <= 80, [line for line in lines if width(line) > 80]
    assert not [c for line in lines for c in line if ord(c) < 32 or ord(c) == 127]
    assert re.search(r"^  first seen (0|\d+) s ago, place 1 of the log", "\n".join(lines), re.M), lines
    said = d.courant("explain", "g").stdout.decode()
    assert NAMES[1] in said and re.search(r"first seen \d{4}-\d\d-\d\dT", said)


def test_status_counts_what_receivers_confirmed_and_all_that_waits(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 7)))
    hook = origin.url("/hook")
    origin.set("/hook", status=503)
    d = daemon({"one": {"plugin": "feed", "url": url, "every": "1 h"}},
               {"list": {"from": ["*"], "to": {"feed": {"path": "list"}}},
                "hook": {"from": ["*"], "backlog": "all", "to": {"webhook": {"url": hook}}}}).start()
    d.until(lambda: d.route("hook")["sinks"][0]["state"] == "retrying", 20, "the hook is tried again")
    leg = d.route("hook")["sinks"][0]
    assert (leg["delivered"], leg["unconfirmed"], leg["dead"]) == (0, 7, 0), leg
    d.until(lambda: d.route("list")["sinks"][0]["delivered"] == 7, 20, "the list holds them")
    origin.put("f.xml", rss(numbered(1, 9)))
    d.refresh("one")
    d.until(lambda: d.route("list")["sinks"][0]["delivered"] == 9, 20, "each record is counted once")
    assert d.route("hook")["sinks"][0]["unconfirmed"] == 9
    head, rows = table(d.courant("status").stdout.decode().splitlines(), "ROUTE ")
    shown = {r.split()[0]: r.split()[-3:] for r in rows}
    assert shown["list"] == ["9", "0", "0"] and shown["hook"] == ["0", "9", "0"], rows
    origin.set("/hook", body="ok")
    d.courant("resume", "hook")
    d.until(lambda: d.route("hook")["sinks"][0]["delivered"] == 9, 20, "all arrived")
    assert d.route("hook")["sinks"][0]["unconfirmed"] == 0


def test_status_says_below_a_source_what_is_wrong_with_it(daemon, origin):
    origin.put("new.xml", rss(numbered(1, 2)))
    origin.set("/old.xml", redirect=origin.url("/new.xml"), status=301)
    d = daemon({"moved": {"plugin": "feed", "url": origin.url("/old.xml"), "every": "1 h"},
                "none": {"plugin": "feed", "url": origin.url("/none"), "every": "1 h"}}, EVERYTHING).start().settled()
    said = d.courant("status").stdout.decode()
    rows = said[said.index("\nmoved ") + 1:].split("\n\n")[0].splitlines()
    assert [row.split()[:2] for row in rows[::2]] == [["moved", "ok"], ["none", "failing"]], rows
    assert [row.strip() for row in rows[1::2]] == [f"moved for good to {origin.url('/new.xml')}: change its url",
                                                   d.source("none")["error"]], rows
