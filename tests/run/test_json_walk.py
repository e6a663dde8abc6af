"""Plugin json on many pages: errors in the middle, and kills of each process; nothing is lost, nothing
comes twice."""
import email.utils
import os
import random
import re
import signal
import sqlite3
import time

import pytest

from api import pages
from courant import LONG, SLOW, processes

ROUTE = {"lines": {"from": ["*"], "backlog": "all", "to": {"jsonl": {"path": "all.jsonl"}}}}


def begin(daemon, url, options, every="1 h"):
    d = daemon({"api": {"plugin": "json", "url": url, "every": every, **options}}, ROUTE)
    return d.start(debug=True)


def rows(d, sql):
    with sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True) as db:
        found = db.execute(sql).fetchall()
    db.close()
    return found


def idle(d):
    d.until(lambda: d.source("api")["checked"] and not d.source("api")["polling"], 20, "no poll runs")


# -- a page in the middle that is none

BAD = {
    "error": ({"error": {"message": "quota is used up"}}, 200, {}, "an error: quota is used up"),
    "message": ({"message": "no such cursor"}, 200, {}, "an error: no such cursor"),
    "status": ({"status": "error", "message": "try later", "list": []}, 200, {},
               "an error: try later"),
    "html": ("<!doctype html>\n<title>502</title>", 200, {"Content_Type": "text/html"},
             'no JSON: line 1: .*the document begins "<!doctype html>"'),
    "cut": ('{"list": [{"key": 3}, {"key"', 200, {}, "no JSON: line 1: .*end of file"),
    "empty": ("", 200, {}, "the document is empty"),
    "500": ("{}", 500, {}, "status 500"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_page_in_the_middle_is_told_and_gone_on_with(daemon, api, bad):
    url, options, at = pages(api, "link", 5)
    body, status, headers, why = BAD[bad]
    good = api.answers[at[2]]
    api.set(at[2], body, status, **headers)
    d = begin(daemon, url, options)
    d.until_lines(4)
    idle(d)
    told = d.source("api")
    assert told["state"] == "failing" and re.search(why, told["error"]), told
    assert at[2] in told["error"], told
    assert rows(d, "SELECT count(*) FROM owed") == [(1,)]
    d.kill()
    d.start(debug=True)
    api.answers[at[2]] = good
    d.refresh("api")
    assert sorted(int(r["guid"]) for r in d.until_lines(10)) == list(range(1, 11))
    d.until(lambda: d.source("api")["state"] == "ok", 10, "the source is well again")
    assert [api.paths().count(p) for p in at] == [1, 1, 2, 1, 1], api.paths()


def test_an_error_beside_items_is_shown_and_the_items_count(daemon, api):
    url, options, at = pages(api, "url", 1)
    api.set(at[0], {"list": [{"key": 1}], "errors": [{"message": "two shards are missing"}]})
    d = begin(daemon, url, options)
    d.until_lines(1)
    idle(d)
    told = d.source("api")
    assert told["state"] == "partial" and "two shards are missing" in told["error"], told


@pytest.mark.parametrize("text,guids", [
    ('{"list": [{"key": "\\ud83d", "a": NaN}, {"key": "b"}]}', ["\ufffd", "b"]),
    ('{"list": [{"key": 18446744073709551615}, {"key": 1234567890123456789}]}',
     ["18446744073709551615", "1234567890123456789"]),
    ('{"list": [{"key": "a\\u0000b"}, {"key": "a\\u0000c"}], "x\\u0000": -Infinity}',
     ["a\ufffdb", "a\ufffdc"]),
    ('{"list": [{"key": "a", "key": "b"}, {"key": "c\td"}]}', ["b", "c d"]),
    (b'{"list": [{"key": "\xff", "n": NaN}]}', ["\ufffd"]),
], ids=["surrogate", "long", "zero", "twice", "bytes"])
def test_what_programs_write_that_is_no_json_is_read(daemon, api, text, guids):
    url, options, at = pages(api, "url", 1)
    api.set(at[0], text)
    d = begin(daemon, url, options)
    assert sorted(r["guid"] for r in d.until_lines(len(guids))) == sorted(guids)


@pytest.mark.parametrize("body,why", [
    (b"[" * 100000, "maximum parsing depth"),
    (b"{\"a\":" * 3000 + b"1" + b"}" * 3000, "maximum parsing depth"),
    (b'{"list": [' + b"[]," * 5_000_000 + b"[]]}", "none of 10000 items|bytes of JSON take more memory"),
    (b'{"list": ["' + b"\\ud83d" * 2_000_000 + b'"]}', "none of 1 items"),
    (b'{"list": "' + b"x" * 20_000_000 + b'"}', "the document is over"),
], ids=["lists", "objects", "many", "mended", "large"])
def test_hostile_documents_fail_with_a_reason_and_kill_nobody(daemon, api, body, why):
    url, options, at = pages(api, "url", 1)
    api.set(at[0], body)
    d = begin(daemon, url, options)
    d.until(lambda: d.source("api")["error"], 40, "it failed")
    assert re.search(why, d.source("api")["error"]), d.source("api")["error"]
    assert "died" not in d.log() and not d.status()["obituaries"]


# -- servers that ask to wait

def wait_header(how, seconds):
    return email.utils.formatdate(time.time() + seconds, usegmt=True) if how == "date" else str(seconds)


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("status,how", [(429, "seconds"), (503, "date")])
@pytest.mark.parametrize("place", [0, 2], ids=["first", "third"])
def test_retry_after_holds_over_a_restart(daemon, api, status, how, place, end):
    url, options, at = pages(api, "link", 3)
    asked = 4
    api.set(at[place], "{}", status, times=1, Retry_After=wait_header(how, asked))
    d = begin(daemon, url, options, every="100 ms..1 h")
    d.until(lambda: api.paths().count(at[place]) == 1, 10, "it was asked to wait")
    d.until(lambda: "status %d" % status in (d.source("api")["error"] or ""), 10, "it knows")
    if end == "kill":
        time.sleep(0.2)         # a group of store's is written every 20 ms, 100 under load
        d.kill()
    else:
        d.stop()
    d.start(debug=True)
    d.until_lines(6)
    first, second = api.times(at[place])[:2]
    assert asked - 1.1 < second - first < (asked + 4) * SLOW, second - first
    d.until(lambda: d.source("api")["state"] == "ok", 10, "the source is well again")
    assert api.paths().count(at[0]) - (place == 0) >= 1
    if place:
        assert [api.paths().count(p) for p in at[:3]][1:] == [1, 2]


# -- kills

PAGES, ITEMS = 8, 3
KILLS = 24 if LONG else 5


def pid_of(d, role):
    """Of a role, or of the worker that parses; None: there is none now."""
    if role != "worker":
        return next((p for p, line in processes(d.process.pid).items() if f"--role {role}" in line),
                    None)
    return next((w["pid"] for w in d.status()["workers"] if w["plugin"] == "json"), None)


def kill_role(d, role):
    """Kills it in the middle of the walk: a worker, once it has a page."""
    since, before = len(d.log()), d.log().count("commits")
    pid = d.until(lambda: pid_of(d, role), 20, f"{role} is there")
    if role == "worker":
        os.kill(pid, signal.SIGSTOP)
        d.until(lambda: "fetched, status 200" in d.log()[since:] or not d.source("api")["polling"],
                20, "the worker has a page, or the walk is over")
    else:
        time.sleep(random.random() * 0.04)
    os.kill(pid, signal.SIGKILL)
    if role != "worker":
        d.until(lambda: d.ready(), 20, f"{role} is back")
    return before


@pytest.mark.parametrize("role,kind", [(r, k) for r in ("core", "store", "fetch", "worker")
                                       for k in ("link", "cursor", "page", "offset")] if LONG else
                         [("core", "link"), ("store", "cursor"), ("fetch", "page"),
                          ("worker", "offset"), ("store", "link"), ("core", "offset")])
def test_kills_of_any_process_lose_no_record_and_make_none_twice(daemon, api, role, kind):
    random.seed(role + kind)
    url, options, at = pages(api, kind, PAGES, ITEMS, delay=0.03)
    api.set(at[4], "{}", 429, times=1, Retry_After="1")
    d = begin(daemon, url, options, every="200 ms..1 h")
    within = 0
    for n in range(KILLS):
        stored = len(rows(d, "SELECT 1 FROM item")) if n else 0
        d.until(lambda: len(rows(d, "SELECT 1 FROM item")) > stored or
                stored == PAGES * ITEMS, 30, "another page is stored")
        if role == "core":
            time.sleep(random.random() * 0.04)
            os.kill(d.process.pid, signal.SIGKILL)
            d.process.wait()
            d.gone()
            within += rows(d, "SELECT count(*) FROM owed")[0][0] > 0
            d.start(debug=True)
        else:
            within += d.source("api")["polling"] or 0
            kill_role(d, role)
    d.until(lambda: rows(d, "SELECT count(*) FROM item") == [(PAGES * ITEMS,)] and
            rows(d, "SELECT count(*) FROM owed") == [(0,)], 30, "all pages are read")
    idle(d)
    found = d.until_lines(PAGES * ITEMS)
    assert sorted(int(r["guid"]) for r in found) == list(range(1, PAGES * ITEMS + 1))
    d.settled()
    assert len({r["id"] for r in d.lines()}) == len(d.lines()) == PAGES * ITEMS
    assert within >= KILLS // 3, f"{within} of {KILLS} kills within a walk"
    assert "parked" not in d.log() and "given up" not in d.log()
