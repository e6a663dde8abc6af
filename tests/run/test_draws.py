"""What routes draw from, what of the past their sinks get, once and updates: through the daemon."""
from email.utils import format_datetime
from datetime import datetime, timedelta, timezone

import pytest

from courant import numbered, rss


def feed(origin, name, *items):
    return {"plugin": "feed", "url": origin.put(f"{name}.xml", rss(list(items))), "every": "1 h"}


def lines(name, **options):
    return {"jsonl": {"path": f"{name}.jsonl", **options}}


def to_lines(routes):
    """Each route with a sink of its own name."""
    return {name: {**route, "to": lines(name)} for name, route in routes.items()}


def guids(d, name):
    return [r["guid"] for r in d.lines(f"{name}.jsonl")] if d.out(f"{name}.jsonl").exists() else []


def reload(d):
    d.write()
    d.courant("reload")
    d.settled()


def match(*words):
    return {"match": {"in": ["title"], "any": list(words)}}


@pytest.fixture
def grouped(daemon, origin):
    """A daemon with a source `one` of two records, and a group g of a, ab and b with one each."""
    for name in ("a", "ab", "b"):
        origin.put(f"{name}.xml", rss(numbered(1, 1, name)))
    return daemon({"one": feed(origin, "one", *numbered(1, 2, "one")),
                   "g": {"plugin": "feed", "each": ["a", "ab", "b"], "every": "1 h",
                         "url": origin.url("/{each}.xml")}})


def test_from_names_groups_members_and_patterns(grouped, origin):
    d = grouped
    routes = {
        "name": (["one"], {"one-1", "one-2"}),
        "group": (["g"], {"a-1", "ab-1", "b-1"}),
        "member": (["g/b"], {"b-1"}),
        "pattern": (["g/a*"], {"a-1", "ab-1"}),
        "below": (["g/*"], {"a-1", "ab-1", "b-1"}),
        "twice": (["one", "g/b", "g", "g/*"], {"one-1", "one-2", "a-1", "ab-1", "b-1"}),
        "all": (["*"], {"one-1", "one-2", "a-1", "ab-1", "b-1"}),
    }
    d.routes = to_lines({name: {"from": draws} for name, (draws, _) in routes.items()})
    d.write()
    d.start().settled()
    for name, (_, wanted) in routes.items():
        assert sorted(guids(d, name)) == sorted(wanted), name
    # What comes later belongs where its name says.
    origin.put("ac.xml", rss(numbered(1, 1, "ac")))
    d.sources["g"]["each"].append("ac")
    d.sources["two"] = feed(origin, "two", *numbered(1, 1, "two"))
    reload(d)
    for name, more in {"name": [], "group": ["ac-1"], "member": [], "pattern": ["ac-1"],
                       "below": ["ac-1"], "twice": ["ac-1"], "all": ["ac-1", "two-1"]}.items():
        assert sorted(guids(d, name)) == sorted([*routes[name][1], *more]), name


def test_routes_draw_from_routes_what_those_kept_and_as_they_changed_it(grouped, origin):
    d = grouped
    d.routes = {
        "top": {"from": ["low", "changed", "one"], "to": lines("top")},
        "changed": {"from": ["low"], "to": lines("changed"), "filters": [
            {"rewrite": {"set": {"title": "seen: {title}"}}}]},
        "below-changed": {"from": ["changed"], "to": lines("below-changed"),
                          "filters": [match("seen")]},
        "low": {"from": ["g/*"], "filters": [match("a", "ab")]},        # no sink
    }
    d.write()
    d.start().settled()
    assert sorted(guids(d, "changed")) == ["a-1", "ab-1"]
    assert sorted(guids(d, "below-changed")) == ["a-1", "ab-1"]
    assert {r["title"] for r in d.lines("below-changed.jsonl")} == {"seen: a number 1",
                                                                    "seen: ab number 1"}
    assert sorted(guids(d, "top")) == ["a-1", "ab-1", "one-1", "one-2"], "each once"
    # Also one that is added later, to routes that are there, and what comes then.
    d.routes["late"] = {"from": ["below-changed"], "backlog": "all", "to": lines("late")}
    reload(d)
    origin.put("a.xml", rss(numbered(1, 2, "a")))
    d.refresh("g/a")
    d.settled()
    assert sorted(guids(d, "late")) == ["a-1", "a-2", "ab-1"]
    assert sorted(guids(d, "top")) == ["a-1", "a-2", "ab-1", "one-1", "one-2"]


@pytest.mark.parametrize("when", ["first fetch", "reload"])
def test_each_sink_gets_of_the_past_what_its_backlog_says(daemon, origin, when):
    def item(n):
        date = datetime.now(timezone.utc) - timedelta(days=10 - n)
        return (f"<item><guid>n{n}</guid><title>Item {n}</title>"
                f"<pubDate>{format_datetime(date)}</pubDate></item>")
    past = [item(n) for n in (6, 5, 4, 3, 2, 1)]
    wanted = {"all": [1, 2, 3, 4, 5, 6], "none": [], "2": [5, 6], f"{24 * 6 + 12} h": [4, 5, 6]}
    d = daemon({"one": feed(origin, "one", *past)})
    sinks = [lines(f"b{i}", backlog=b) for i, b in enumerate(wanted) if b != "none"]
    routes = {"r": {"from": ["*"], "backlog": "none", "to": [*sinks, lines("b1"), {
        "feed": {"path": "list", "keep": 4, "backlog": "2"}}]}}
    if when == "first fetch":
        d.routes = routes
        d.write()
    d.start()
    d.until(lambda: d.records() == 6, 20, "all is read")
    d.routes = routes
    reload(d)
    for i, (backlog, ns) in enumerate(wanted.items()):
        assert guids(d, f"b{i}") == [f"n{n}" for n in ns], backlog
    # What comes later, all get.
    origin.put("one.xml", rss([item(8), item(7), *past]))
    d.refresh("one")
    d.settled()
    for i, (backlog, ns) in enumerate(wanted.items()):
        assert guids(d, f"b{i}") == [f"n{n}" for n in [*ns, 7, 8]], backlog
    d.until(lambda: [n for n in range(1, 9) if f"Item {n}<" in d.out("list.rss").read_text()] ==
            [5, 6, 7, 8], 10, "the list holds what its backlog says and what came later")


def test_a_backlog_counts_what_the_filters_keep(daemon, origin):
    words = "old old new old new new new new".split()
    d = daemon({"one": feed(origin, "one", *[
        (f"n{n}", f"{word} {n}", None) for n, word in enumerate(words)][::-1])})
    d.start()
    d.until(lambda: d.records() == 8, 20, "all is read")
    d.routes = {"r": {"from": ["*"], "filters": [match("old")], "to": lines("r", backlog="2")}}
    reload(d)
    assert guids(d, "r") == ["n1", "n3"]


def test_once_story_and_once_record_over_the_same_sources_and_routes(daemon, origin):
    title = "The same long story title told twice"
    d = daemon({n: feed(origin, n, (f"{n}-1", title, "https://example.org/story"),
                        *numbered(2, 2, n)) for n in "ab"})
    d.routes = to_lines({
        "story": {"from": ["*"], "once": "story"}, "record": {"from": ["*"], "once": "record"},
        "only-a": {"from": ["a"]}, "only-b": {"from": ["b"]},
        "drawn-story": {"from": ["record"], "once": "story"},
        "drawn-record": {"from": ["record"], "once": "record"},
        "drawn-late": {"from": ["story"], "once": "record"}})
    d.write()
    d.start().settled()
    told = {name: [r["title"] for r in d.lines(f"{name}.jsonl")].count(title) for name in d.routes}
    assert told == {"story": 1, "record": 2, "only-a": 1, "only-b": 1,
                    "drawn-story": 1, "drawn-record": 2, "drawn-late": 1}
    # A third that tells it later is told where records count, and never again where stories do.
    d.sources["c"] = feed(origin, "c", ("c-1", title, "https://example.org/story"))
    reload(d)
    assert "c-1" in guids(d, "record") and "c-1" in guids(d, "drawn-record")
    for name in ("story", "drawn-story", "drawn-late"):
        assert "c-1" not in guids(d, name), name


def test_updates_pass_where_they_are_wanted_and_one_stands_in_a_list(daemon, origin):
    d = daemon({"one": feed(origin, "one", ("g", "Before", None), ("h", "Beside", None))})
    d.routes = {
        "no": {"from": ["*"], "to": [lines("no"), {"feed": {"path": "no"}}]},
        "yes": {"from": ["*"], "updates": True, "to": [lines("yes"), {"feed": {"path": "yes"}}]},
        "drawn": {"from": ["yes"], "updates": True, "to": lines("drawn")},
        "drawn-no": {"from": ["yes"], "to": lines("drawn-no")},
    }
    d.write()
    d.start().settled()
    origin.put("one.xml", rss([("g", "After", None), ("h", "Beside", None)]))
    d.refresh("one")
    d.settled()
    titles = {name: [r["title"] for r in d.lines(f"{name}.jsonl")] for name in d.routes}
    assert sorted(titles["no"]) == sorted(titles["drawn-no"]) == ["Before", "Beside"]
    assert titles["yes"][2:] == titles["drawn"][2:] == ["After"] and len(titles["yes"]) == 3
    d.until(lambda: "After" in d.out("yes.rss").read_text(), 10, "the list is made anew")
    assert "Before" not in d.out("yes.rss").read_text()
    assert d.out("yes.rss").read_text().count("<item>") == 2
    assert "After" not in d.out("no.rss").read_text()


def test_a_source_that_is_added_while_the_daemon_is_down_brings_nothing_of_the_past(daemon, origin):
    d = daemon({name: feed(origin, name, *numbered(1, 2, name)) for name in ("a", "b")},
               to_lines({"r": {"from": ["a"]}}))
    d.start().settled()
    feed(origin, "b", *numbered(1, 5, "b"))
    d.refresh("b")
    d.settled()
    assert d.stop() == 0
    d.routes["r"]["from"] = ["a", "b"]
    d.write()
    d.start().settled()
    feed(origin, "b", *numbered(1, 6, "b"))
    d.refresh("b")
    d.settled()
    assert sorted(guids(d, "r")) == ["a-1", "a-2", "b-6"]
