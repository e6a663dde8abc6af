"""Polls of several pages: planned, asked for, followed; broken off anywhere and gone on with."""
import contextlib
import random
import re
import shutil
import sqlite3
import time

import pytest

from courant import BUILD, LONG, SLOW, memory, processes


@pytest.fixture
def made(daemon, origin):
    """A daemon with the plugins pages and planned, and one route of everything."""
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}})
    where = d.folder / "plugins"
    where.mkdir()
    for name in ("pages", "planned"):
        shutil.copy(BUILD / "tests" / "plugins" / f"source_{name}.so", where)
        (where / f"source_{name}.so").chmod(0o755)
    where.chmod(0o755)
    d.settings = {"plugins": [str(where)]}
    d.origin = origin
    return d


def begin(d, plugin="pages", debug=False, **options):
    if plugin == "pages":
        options.setdefault("url", d.origin.url("/1"))
    d.sources = {"s": {"plugin": plugin, "every": "1 h", **options}}
    d.write()
    return d.start(debug=debug)


def page(d, name, *lines, **rule):
    d.origin.set(f"/{name}", body="\n".join(lines) + "\n", type="text/plain", **rule)


def guids(d):
    return [r["guid"] for r in d.lines()]


def rows(d, sql):
    with sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True) as db:
        found = db.execute(sql).fetchall()
    db.close()
    return found


def test_a_plan_of_three_pages_with_tags(made):
    for n in (1, 2, 3):
        page(made, f"p{n}", f"r{n}|title {n}")
    begin(made, "planned", plan=[made.origin.url(f"/p{n}") + f"#tag {n}" for n in (1, 2, 3)])
    found = made.until_lines(3)
    assert [(r["guid"], r["extras"]["tag"], r["extras"]["nth"]) for r in found] == [
        ("r1", "tag 1", "0"), ("r2", "tag 2", "0"), ("r3", "tag 3", "0")]
    made.settled()
    assert made.source("s")["state"] == "ok"
    assert rows(made, "SELECT count(*) FROM owed") == [(0,)]
    assert rows(made, "SELECT count(*) FROM walk") == [(0,)]


def test_a_plan_of_nothing_is_a_poll_of_nothing(made):
    begin(made, "planned").settled()
    assert made.source("s")["state"] == "ok"
    assert made.origin.hits() == 0


def test_a_planned_post_brings_its_body(made):
    page(made, "p", "r1|t")
    begin(made, "planned", plan=[made.origin.url("/p")], post="a=b&c")
    made.until_lines(1)
    asked, = made.origin.requests("/p")
    assert (asked["method"], asked["body"]) == ("POST", "a=b&c")


def test_next_is_followed_until_a_page_holds_nothing_new(made):
    page(made, 1, "a|a", "next /2")
    page(made, 2, "b|b", "next /3")
    page(made, 3, "c|c")
    begin(made)
    found = made.until_lines(3)
    assert [(r["guid"], r["extras"]["nth"]) for r in found] == [("a", "0"), ("b", "1"), ("c", "2")]
    made.settled()
    page(made, 1, "d|d", "a|a", "next /2")
    made.refresh("s")
    made.until_lines(4)
    assert [made.origin.hits(f"/{n}") for n in (1, 2, 3)] == [2, 2, 1]
    made.refresh("s")
    assert [made.origin.hits(f"/{n}") for n in (1, 2, 3)] == [3, 2, 1]


def test_pages_limits_how_often_next_is_followed(made):
    for n in range(1, 7):
        page(made, n, f"r{n}|t", f"next /{n + 1}")
    begin(made, pages=3)
    made.until_lines(3)
    made.settled()
    assert made.origin.hits() == 3


def test_state_counts_for_the_job_after_the_one_that_is_whole(made):
    page(made, 1, "a|a", "state 5", "next /2")
    page(made, 2, "b|b")
    begin(made)
    assert [r["extras"].get("high") for r in made.until_lines(2)] == [None, None]
    page(made, 1, "c|c", "state 9", "next /2")
    page(made, 2, "d|d", "fail not today")
    made.refresh("s")
    made.wait_log("/2: not today")
    made.refresh("s")                        # goes on with the page owed, and fails again
    page(made, 2, "d|d", "e|e")
    made.refresh("s")
    page(made, 1, "f|f")
    made.refresh("s")
    found = {r["guid"]: r["extras"].get("high") for r in made.until_lines(6)}
    assert found == {"a": None, "b": None, "c": "5", "d": "5", "e": "5", "f": "9"}
    assert made.origin.hits("/1") == 3


def test_a_page_that_asks_to_wait_is_gone_on_with(made):
    page(made, 1, "a|a", "next /2")
    made.origin.set("/2", {"status": 429, "headers": {"Retry-After": "1"}}, {"body": "b|b\nnext /3\n"})
    page(made, 3, "c|c")
    begin(made, every="200 ms..1 h")
    made.until_lines(3)
    asked = [r["path"] for r in made.origin.requests()][:4]
    assert asked == ["/1", "/2", "/2", "/3"]
    first, second = [r["time"] for r in made.origin.requests("/2")][:2]
    assert second - first >= 1000
    made.until(lambda: made.source("s")["state"] == "ok", 10, "the source is well again")


def test_a_page_that_is_gone_is_given_up_and_made_up_for(made):
    page(made, 1, "a|a", "next /2")
    made.origin.set("/2", status=404)
    begin(made).settled()
    assert guids(made) == ["a"]
    told = made.source("s")
    assert told["state"] == "failing" and "/2: " in told["error"] and "404" in told["error"], told
    assert rows(made, "SELECT count(*) FROM owed") == [(0,)]
    page(made, 2, "b|b", "next /3")
    page(made, 3, "c|c")
    made.refresh("s")                        # past what is known on its first page
    made.until_lines(3)
    made.until(lambda: made.source("s")["state"] == "ok", 10, "the source is well again")
    made.refresh("s")
    assert [made.origin.hits(f"/{n}") for n in (1, 2, 3)] == [3, 2, 1]


def test_a_planned_page_that_is_gone_stops_no_other(made):
    page(made, "p1", "a|a")
    made.origin.set("/p2", status=410)
    page(made, "p3", "c|c")
    begin(made, "planned", plan=[made.origin.url(f"/p{n}") for n in (1, 2, 3)])
    made.until_lines(2)
    made.settled()
    assert guids(made) == ["a", "c"]
    told = made.source("s")
    assert told["state"] == "failing" and "/p2: " in told["error"], told


def test_a_page_that_fails_again_and_again_is_given_up(made):
    page(made, 1, "a|a", "next /2")
    made.origin.set("/2", status=500)
    begin(made).settled()
    for _ in range(4):
        assert "given up" not in made.log()
        assert rows(made, "SELECT count(*) FROM owed") == [(1,)]
        made.refresh("s")
    made.wait_log("s: given up: .*/2: .*500")
    assert made.origin.hits("/1") == 1 and made.origin.hits("/2") == 5
    assert rows(made, "SELECT count(*) FROM owed") == [(0,)]


def test_a_page_that_kills_workers_stays_owed(made):
    page(made, 1, "a|a", "next /2")
    page(made, 2, "b|b", "crash")
    begin(made).settled()
    assert made.source("s")["state"] == "parked"
    page(made, 2, "b|b")
    made.refresh("s")
    assert [r["guid"] for r in made.until_lines(2)] == ["a", "b"]
    assert made.origin.hits("/1") == 1


def test_a_changed_source_begins_anew(made):
    page(made, 1, "a|a", "next /2")
    made.origin.set("/2", status=500)
    begin(made).settled()
    assert rows(made, "SELECT count(*) FROM owed") == [(1,)]
    made.sources["s"]["wait"] = "1 ms"
    made.write()
    page(made, 2, "b|b")
    made.courant("reload")
    assert [r["guid"] for r in made.until_lines(2)] == ["a", "b"]
    assert made.origin.hits("/1") == 2


CHAIN = 8
KILLS = 100 if LONG else 16


def chain(d, turn):
    """Pages that follow each other, all with records of this turn."""
    for n in range(1, CHAIN + 1):
        page(d, n, f"t{turn}p{n}a|t", f"t{turn}p{n}b|t", f"state {turn}",
             f"next /{n + 1}" if n < CHAIN else "", delay=8)


def test_killed_at_any_page_nothing_is_lost_or_repeated(made):
    random.seed(20261121)
    made.sources = {"s": {"plugin": "pages", "url": made.origin.url("/1"), "every": "100 ms",
                          "pages": CHAIN}}
    made.write()
    kills, turn, known, within = 0, 1, set(), 0
    chain(made, turn)
    while kills < KILLS:
        since = len(made.log())
        made.start(wait=False, debug=True)
        wanted = random.randint(1, 3)
        made.until(lambda: len(re.findall(r"s: job \d+ commits", made.log()[since:])) >= wanted or
                   "fetched, status 304" in made.log()[since:], 20, "some pages are stored")
        time.sleep(random.random() * 0.03)
        made.kill()
        kills += 1
        now = {rid for rid, in rows(made, "SELECT hex(rid) FROM item")}
        assert known <= now and len(now) <= 2 * CHAIN * turn
        known = now
        owed, = rows(made, "SELECT count(*) FROM owed")[0]
        within += owed > 0
        if len(now) == 2 * CHAIN * turn and not owed:
            turn += 1
            chain(made, turn)
    made.start()
    made.until(lambda: rows(made, "SELECT count(*) FROM item") == [(2 * CHAIN * turn,)] and
               rows(made, "SELECT count(*) FROM owed") == [(0,)], 20, "all pages are read")
    assert within >= KILLS / 3, f"{within} of {kills} within a walk"
    assert known <= {rid for rid, in rows(made, "SELECT hex(rid) FROM item")}
    assert rows(made, "SELECT value FROM state") == [(str(turn),)]
    made.settled()
    delivered = [r["id"] for r in made.lines()]
    assert len(set(delivered)) == 2 * CHAIN * turn
    assert len({r["guid"] for r in made.lines()}) == 2 * CHAIN * turn


SECRET = "Vm9-veiled+word/8431"


def test_a_secret_goes_to_its_origin_and_nowhere_else(made):
    there = made.origin.url("/x", host="localhost")
    page(made, 1, "a|a", "next /2", f"fetch {there}", f"keyed {there}/own", "fetch /moved")
    page(made, 2, "b|b", "keyed /own")
    page(made, "own", "o|o")
    page(made, "x", "x|x")
    page(made, "m", "m|m")
    made.origin.set("/moved", redirect=made.origin.url("/m", host="localhost"))
    begin(made, debug=True, key=SECRET)
    assert sorted(r["guid"] for r in made.until_lines(5)) == ["a", "b", "m", "o", "x"]
    got = {r["path"]: r["headers"] for r in made.origin.requests()}
    assert {p: h.get("x-key") for p, h in got.items()} == {
        "/1": SECRET, "/2": SECRET, "/own": SECRET, "/moved": SECRET, "/x": None, "/m": None}
    assert got["/own"]["x-own"] == SECRET
    made.wait_log("given up: .*/x/own: it would take a secret to another origin")
    assert "secret:" not in str(got)
    made.settled()
    assert SECRET not in made.log() and SECRET not in str(made.status())


@pytest.mark.memory
def test_a_secret_in_the_url_is_never_in_the_worker(made):
    page(made, 1, "a|a", "next /2")
    page(made, 2, "b|b", "next /3")
    page(made, 3, "c|c")
    begin(made, debug=True, url=made.origin.url("/1") + "?k={key}", key=SECRET, wait="1500 ms")
    seen = 0
    deadline = time.monotonic() + 20 * SLOW
    while made.source("s")["polling"] and time.monotonic() < deadline:
        for pid, line in processes(made.process.pid).items():
            if "courant-worker" not in line:
                continue
            with contextlib.suppress(OSError):
                held = memory(pid)
                seen += b"next /" in held
                assert SECRET.encode() not in held
                assert SECRET.replace("+", "%2B").encode() not in held
        time.sleep(0.1)
    assert seen > 0, "no worker was seen with a page"
    made.until_lines(3)
    assert made.origin.requests("/1")[0]["query"] == "k=" + SECRET.replace("+", "%2B")
    assert SECRET not in made.log() and SECRET.replace("+", "%2B") not in made.log()
    assert "{secret:key}" in made.log()
    for line in made.lines():
        assert "veiled" not in str(line)
    made.refresh("s")                        # its validators are found again by what is kept
    data = b"".join(p.read_bytes() for p in made.state.glob("courant.db*"))
    assert b"veiled" not in data
