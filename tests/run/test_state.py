"""State of filters and sinks: what they set is kept with the records that it tells of, and no other."""
import os
import random
import shutil
import signal
import sqlite3
import time

from courant import BUILD, LONG, numbered, rss

TEXT = {"tally": "filter_tally", "trial": "sink_trial"}
TALLY = {"from": ["*"], "filters": [{"tally": {}}], "to": {"jsonl": {"path": "all.jsonl"}}}


def prepared(daemon, origin, entries, route, **settings):
    """A daemon with one source of these entries and one route, not started."""
    d = daemon(settings=settings)
    where = d.folder / "plugins"
    where.mkdir()
    for name in TEXT.values():
        shutil.copy(BUILD / "tests" / "plugins" / f"{name}.so", where)
        (where / f"{name}.so").chmod(0o755)
    d.settings["plugins"] = [str(where)]
    d.sources = {"a": {"plugin": "feed", "url": origin.put("a.xml", rss(entries)), "every": "1 h"}}
    d.routes = {"r": route}
    d.write()
    return d


def called(*titles):
    """Entries with these titles, the first one the oldest."""
    return [(f"g{n}", title, None) for n, title in enumerate(titles, 1)][::-1]


def numbers(d, extra="nth", name="all.jsonl"):
    return {r["guid"]: int(r["extras"][extra]) for r in d.lines(name) if extra in r["extras"]}


def state(d):
    """The table: {instance: {key: value}}."""
    found = {}
    with sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True) as db:
        for instance, key, value in db.execute("SELECT instance, key, value FROM state"):
            found.setdefault(instance, {})[key] = value
    return found


def trial(d):
    """What sink_trial wrote: [(guid, what its state says it is)]."""
    path = d.out("trial.out")
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line.split(" ")[2], int(line.split(" ")[4])) for line in lines]


# -- filters

def test_a_filter_goes_on_from_batch_to_batch_and_from_life_to_life(daemon, origin):
    d = prepared(daemon, origin, numbered(1, 5, "a"), TALLY)
    d.start()
    d.settled()
    origin.put("a.xml", rss(numbered(1, 8, "a")))
    d.refresh("a")
    d.settled()
    assert d.stop() == 0
    origin.put("a.xml", rss(numbered(1, 9, "a")))
    d.start()
    d.refresh("a")
    d.settled()
    assert numbers(d) == {f"a-{n}": n for n in range(1, 10)}
    assert state(d) == {"filter:1/tally#1": {"count": "9"}}
    assert "counts before the job is done" not in d.log()


def test_each_filter_of_a_route_and_each_route_has_its_own(daemon, origin):
    route = {"from": ["a"], "filters": [
        {"tally": {"extra": "first"}}, {"any": [{"tally": {"extra": "inner"}}]},
        {"tally": {"extra": "last"}}], "to": {"jsonl": {"path": "all.jsonl"}}}
    d = prepared(daemon, origin, called("one", "drop", "three"), route)
    d.routes["s"] = {**TALLY, "to": {"jsonl": {"path": "s.jsonl"}}}
    d.write()
    d.start()
    d.settled()
    # The first drops the second record, so that the others never see it.
    assert numbers(d, "first") == {"g1": 1, "g3": 3}
    assert numbers(d, "inner") == numbers(d, "last") == {"g1": 1, "g3": 2}
    assert state(d) == {"filter:1/tally#1": {"count": "3"}, "filter:1/any#2/tally#1": {"count": "2"},
                        "filter:1/tally#3": {"count": "2"}, "filter:2/tally#1": {"count": "3"}}


def test_what_a_call_set_that_failed_or_crashed_does_not_count(daemon, origin):
    d = prepared(daemon, origin, called("one", "fail", "three", "crash", "five"), TALLY)
    d.start()
    d.settled()
    assert numbers(d) == {"g1": 1, "g3": 2, "g5": 3}
    assert state(d) == {"filter:1/tally#1": {"count": "3"}}
    assert d.route("r")["filters"]["dead"] == 2


def test_more_state_than_an_instance_may_keep_is_refused_and_said(daemon, origin):
    d = prepared(daemon, origin, called("one", "big", "three"), TALLY)
    d.start()
    d.settled()
    assert [r["extras"].get("big") for r in d.lines()] == [None, "refused", None]
    assert numbers(d) == {"g1": 1, "g2": 2, "g3": 3}
    assert "state_set(big): refused: with it there would be more than the 65536 bytes" in d.log()


# -- sinks

SINK = {"from": ["*"], "to": {"trial": {"path": "trial.out", "orders": "orders"}}}


def orders(d, text):
    (d.state / "out").mkdir(exist_ok=True)
    d.out("orders").write_text(f"{text}\n")
    d.own(d.state)


def test_a_sink_goes_on_and_a_part_that_is_done_counts(daemon, origin):
    d = prepared(daemon, origin, numbered(1, 4, "a"), SINK)
    orders(d, "reject a-3")
    d.start()
    d.settled()
    assert trial(d) == [("a-1", 1), ("a-2", 2), ("a-4", 3)]
    assert d.stop() == 0
    origin.put("a.xml", rss(numbered(1, 6, "a")))
    orders(d, "retry 100")
    d.start()
    d.refresh("a")
    d.until(lambda: d.log().count("told to try again") >= 2, 10, "it failed twice")
    orders(d, "")
    d.settled()
    assert trial(d)[3:] == [("a-5", 4), ("a-6", 5)]
    assert state(d) == {"leg:1": {"count": "5"}}


def test_a_worker_that_dies_takes_what_it_set_along(daemon, origin):
    d = prepared(daemon, origin, numbered(1, 3, "a"), SINK)
    orders(d, "die")
    d.start()
    d.settled()			# three records parked
    assert d.route("r")["sinks"][0]["dead"] == 3 and state(d) == {}
    orders(d, "")
    origin.put("a.xml", rss(numbered(1, 4, "a")))
    d.refresh("a")
    d.settled()
    assert trial(d) == [("a-4", 1)]


def test_store_dies_while_a_sink_works_and_nothing_is_counted_twice(daemon, origin):
    route = {"from": ["*"], "to": {"trial": {"path": "trial.out", "time": "1500 ms"}}}
    d = prepared(daemon, origin, numbered(1, 3, "a"), route)
    d.start()
    d.until(lambda: d.route("r")["sinks"][0]["state"] == "working", 10, "the sink works")
    os.kill(d.pids()["store"], signal.SIGKILL)
    d.settled()
    assert trial(d) == [("a-1", 1), ("a-2", 2), ("a-3", 3)], "delivered once, from what was held"
    assert state(d) == {"leg:1": {"count": "3"}}


# -- reloads

def test_a_reload_keeps_the_state_of_what_stays_and_drops_that_of_what_goes(daemon, origin):
    both = {"from": ["*"], "filters": [{"tally": {"extra": "a"}}, {"tally": {"extra": "b"}}],
            "to": [{"jsonl": {"path": "all.jsonl"}}, {"trial": {"path": "trial.out"}}]}
    d = prepared(daemon, origin, numbered(1, 2, "a"), both)
    d.routes["gone"] = {"from": ["*"], "filters": [{"tally": {}}],
                        "to": {"trial": {"path": "other.out"}}}
    d.write()
    d.start()
    d.settled()
    d.until(lambda: len(state(d)) == 5, 10, "all keep something")
    both["filters"][0]["tally"]["extra"] = "c"		# another option, the same filter
    del d.routes["gone"]
    d.write()
    d.courant("reload")
    d.until(lambda: len(state(d)) == 3, 10, "what the removed route kept is gone")
    origin.put("a.xml", rss(numbered(1, 3, "a")))
    d.refresh("a")
    d.settled()
    assert numbers(d, "c") == {"a-3": 3}
    del both["filters"][1], both["to"][1]
    d.write()
    d.courant("reload")
    d.until(lambda: state(d) == {"filter:1/tally#1": {"count": "3"}}, 10,
            "what the removed filter and sink kept is gone")
    both["filters"].append({"tally": {"extra": "b"}})
    d.write()
    d.courant("reload")
    origin.put("a.xml", rss(numbered(1, 4, "a")))
    d.refresh("a")
    d.settled()
    assert numbers(d, "c") == {"a-3": 3, "a-4": 4}
    assert numbers(d, "b") == {"a-1": 1, "a-2": 2, "a-3": 3, "a-4": 1}, "it began anew"


# -- kill -9

def test_kill_at_any_moment_leaves_state_and_cursor_at_the_same_record(daemon, origin):
    random.seed(7)
    d = prepared(daemon, origin, numbered(1, 30, "a"), {
        "from": ["*"], "filters": [{"tally": {}}],
        "to": [{"jsonl": {"path": "all.jsonl"}}, {"trial": {"path": "trial.out"}}]})
    last = 30
    for _ in range(60 if LONG else 12):
        last += 30
        origin.put("a.xml", rss(numbered(last - 60, last, "a")))
        d.start()
        d.courant("refresh", "a")
        time.sleep(random.random() * 0.1)
        d.kill()
    d.start()
    d.refresh("a")
    d.settled(60)
    found = numbers(d)
    assert sorted(found.values()) == list(range(1, len(found) + 1)), "each number once"
    order = [r["guid"] for r in d.lines()]
    assert [found[g] for g in dict.fromkeys(order)] == sorted(found.values())
    told = trial(d)
    assert len({g for g, _ in told}) == len(found) == len(set(told)), "repeated, but not renumbered"
    assert {g: n for g, n in told} == {g: n for n, g in enumerate(dict.fromkeys(order), 1)}
    assert state(d) == {"filter:1/tally#1": {"count": str(len(found))},
                        "leg:2": {"count": str(len(found))}}
