"""Polls of several pages: planned, asked for, followed; broken off anywhere and gone on with."""
import shutil
import sqlite3

import pytest

from courant import BUILD


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
