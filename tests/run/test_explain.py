"""`courant explain`: where a record came from, what each route made of it, and why not."""
import json
import shutil
import time

from courant import BUILD, numbered, rss
from receiver import Receiver
from test_wait import rate, rating


def plugins(d, *files):
    where = d.folder / "plugins"
    where.mkdir(exist_ok=True)
    for name in files:
        shutil.copy(BUILD / f"{name}.so", where)
        (where / f"{name.rpartition('/')[2]}.so").chmod(0o755)
    d.settings["plugins"] = [str(where)]


def feed(origin, name, entries):
    return {"plugin": "feed", "url": origin.put(f"{name}.xml", rss(entries)), "every": "1 h"}


def explain(d, what):
    """The only record that has this id, guid or link; without its heat of this moment, which cools down."""
    told = json.loads(d.courant("explain", what, "--json").stdout)
    assert told["asked"] == what and not told["more"] and len(told["items"]) == 1, told
    told["items"][0].get("heat", {}).pop("now", None)
    return told["items"][0]


def said(d, what):
    return d.courant("explain", what).stdout.decode()


def route(item, name, revision=0):
    found = [r for r in item["routes"] if (r["name"], r["revision"]) == (name, revision)]
    assert len(found) == 1, item["routes"]
    return found[0]


def sink(item, name, place=0, revision=0):
    return route(item, name, revision)["sinks"][place]


JSONL = {"jsonl": {"path": "all.jsonl"}}


def test_where_a_record_came_from_by_id_guid_and_link(daemon, origin):
    d = daemon({"one": feed(origin, "one", numbered(1, 3))}, {"all": {"from": ["*"], "to": JSONL}})
    d.start().settled()
    known = {r["guid"]: r for r in d.lines()}
    item = explain(d, "n-2")
    assert item["id"] == known["n-2"]["id"] and item["title"] == "n number 2"
    assert item["source"] == {"name": "one", "url": origin.url("/one.xml"), "plugin": "feed"}
    assert item["document"]["format"] == "rss20" and item["document"]["encoding"] == "utf-8"
    assert item["document"]["title"] == "T" and item["first_fetch"] is True
    assert item["place"] == 2 and item["seen"][:16] == known["n-2"]["seen"][:16]
    assert item["story"] == [] and item["revisions"] == []
    for name in (item["id"], item["id"] + "-r7", item["link"], item["link"] + "?utm_source=x"):
        assert explain(d, name) == item
    text = said(d, "n-2")
    for word in ("n number 2", "one, by plugin feed", "rss20", "place 2", "route all: taken",
                 "sink jsonl: delivered", item["id"]):
        assert word in text, text


def test_what_nobody_knows_is_told_and_fails(daemon, origin):
    d = daemon({"one": feed(origin, "one", numbered(1, 1))}, {"all": {"from": ["*"], "to": JSONL}})
    d.start().settled()
    for what in ("nix", "https://example.org/nix", 26 * "a", "\u00e9", "x" * 5000):
        done = d.courant("explain", what, check=False)
        assert done.returncode == 1 and b"no record" in done.stderr and not done.stdout
    assert d.courant("explain", check=False).returncode == 2


FILTERS = [{"match": {"in": ["title"], "any": ["sqlite", "curl"]}},
           {"any": [{"match": {"all": ["alpha"]}}, {"match": {"all": ["beta"]}}]},
           {"match": {"none": ["spam"]}}]


def test_each_filter_has_its_say_in_order(daemon, origin):
    entries = [("both", "sqlite beta out", None), ("none", "nginx beta out", None),
               ("any", "curl gamma out", None), ("spam", "curl alpha spam", None)]
    d = daemon({"one": feed(origin, "one", entries)},
               {"r": {"from": ["one"], "filters": FILTERS, "to": JSONL}})
    d.start().settled()
    taken = route(explain(d, "both"), "r")
    assert taken["state"] == "taken"
    assert [(f["rule"], f["verdict"]) for f in taken["filters"]] == [
        ("match#1", "keep"), ("any#2/match#1", "drop"), ("any#2/match#2", "keep"), ("match#3", "keep")]
    assert "sqlite" in taken["filters"][0]["why"] and "title" in taken["filters"][0]["why"]
    assert "beta" in taken["filters"][2]["why"]
    dropped = route(explain(d, "none"), "r")
    assert (dropped["state"], dropped["rule"]) == ("dropped", "match#1")
    assert [f["rule"] for f in dropped["filters"]] == ["match#1"] and "sinks" not in dropped
    dropped = route(explain(d, "any"), "r")
    assert (dropped["state"], dropped["rule"]) == ("dropped", "any#2")
    assert [(f["rule"], f["verdict"]) for f in dropped["filters"]][:3] == [
        ("match#1", "keep"), ("any#2/match#1", "drop"), ("any#2/match#2", "drop")]
    dropped = route(explain(d, "spam"), "r")
    assert dropped["rule"] == "match#3" and "spam" in dropped["why"]
    assert "dropped by match#3" in said(d, "spam") and "filter match#1: keep" in said(d, "spam")


def test_a_story_that_was_taken_already_and_by_which_record(daemon, origin):
    link = "https://example.org/the/story"
    d = daemon({"a": feed(origin, "a", [("a-1", "curl has a new release today", link)]),
                "b": feed(origin, "b", [("other", "x", None)])},
               {"once": {"from": ["*"], "filters": FILTERS[::2], "to": JSONL},
                "each": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "each.jsonl"}}}})
    d.start().settled()
    origin.put("b.xml", rss([("b-1", "curl has a new release today", link)]))
    d.refresh("b")
    d.settled()
    first, second = explain(d, "a-1"), explain(d, "b-1")
    assert [o["id"] for o in first["story"]] == [second["id"]]
    assert [(o["source"], o["guid"]) for o in second["story"]] == [("a", "a-1")]
    assert route(first, "once")["state"] == "taken" and route(second, "each")["state"] == "taken"
    dropped = route(second, "once")
    assert (dropped["state"], dropped["rule"]) == ("dropped", "story")
    assert dropped["instead"]["id"] == first["id"] and dropped["instead"]["source"] == "a"
    assert [(f["rule"], f["verdict"]) for f in dropped["filters"]] == [
        ("match#1", "keep"), ("match#2", "keep")], "what the filters said is kept as well"
    assert [i["guid"] for i in d.explain(link)] == ["b-1", "a-1"]
    assert "also in    a, " + first["id"] in said(d, "b-1")


def test_revisions_go_where_updates_are_wanted(daemon, origin):
    d = daemon({"one": feed(origin, "one", [("g", "first words", None)])},
               {"new": {"from": ["*"], "updates": True, "to": JSONL},
                "old": {"from": ["*"], "to": {"jsonl": {"path": "old.jsonl"}}}})
    d.start().settled()
    origin.put("one.xml", rss([("g", "other words", None)]))
    d.refresh("one")
    d.settled()
    item = explain(d, "g")
    assert item["title"] == "other words" and [r["revision"] for r in item["revisions"]] == [1]
    assert sink(item, "new", revision=1)["delivery"] == item["id"] + "-r1"
    assert sink(item, "new")["delivery"] == item["id"] == sink(item, "old")["delivery"]
    assert route(item, "old", 1)["rule"] == "revision" and "updates" in route(item, "old", 1)["why"]


def ordered(daemon, origin, order):
    """A sink that obeys an order, beside one that does not, with two records."""
    d = daemon()
    plugins(d, "tests/plugins/sink_trial")
    d.sources = {"a": feed(origin, "a", numbered(1, 2, "a"))}
    d.routes = {"r": {"from": ["a"], "to": [{"trial": {"path": "trial.out", "orders": "orders"}}, JSONL]}}
    d.write()
    (d.state / "out").mkdir()
    d.out("orders").write_text(f"{order}\n")
    d.own(d.state)
    d.start().until_lines(2)
    return d


def test_a_delivery_that_is_tried_again_and_the_one_behind_it(daemon, origin):
    d = ordered(daemon, origin, "retry 3600000")
    d.until(lambda: sink(explain(d, "a-1"), "r").get("state") == "retry", 10, "it is tried again")
    first = sink(explain(d, "a-1"), "r")
    assert (first["attempts"], first["error"], first["now"]) == (1, "told to try again", "retrying")
    due = time.mktime(time.strptime(first["due"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert 3500 < due - time.time() < 3700, first
    behind = sink(explain(d, "a-2"), "r")
    assert behind["state"] == "waiting" and "before it" in behind["why"] and behind["due"] == first["due"]
    assert sink(explain(d, "a-2"), "r", 1)["state"] == "delivered"
    assert "1 attempt, next " in said(d, "a-1") and "told to try again" in said(d, "a-1")
    d.out("orders").write_text("reject a-1\n")
    d.courant("resume", "r")
    d.settled()
    dead = sink(explain(d, "a-1"), "r")
    assert (dead["state"], dead["attempts"]) == ("dead", 1) and dead["error"] == "told to reject a-1"
    assert sink(explain(d, "a-2"), "r")["state"] == "delivered"


def test_a_paused_sink_and_a_worker_that_dies_twice(daemon, origin):
    d = ordered(daemon, origin, "gone")
    d.until(lambda: sink(explain(d, "a-1"), "r")["state"] == "paused", 10, "it is paused")
    assert "resume" in sink(explain(d, "a-1"), "r")["why"]
    assert sink(explain(d, "a-1"), "r")["error"] == "told that nobody is there"
    assert sink(explain(d, "a-2"), "r")["state"] == "paused"
    d.out("orders").write_text("die\n")
    d.courant("resume", "r")
    d.settled()
    parked = sink(explain(d, "a-1"), "r")
    assert parked["state"] == "parked" and "signal 6" in parked["error"], parked


def test_what_a_new_sink_or_route_leaves_out_of_the_past(daemon, origin):
    d = daemon({"a": feed(origin, "a", numbered(1, 2, "a")), "b": feed(origin, "b", numbered(1, 1, "b"))},
               {"r": {"from": ["a"], "to": JSONL}})
    d.start().settled()
    with Receiver() as receiver:
        hook = {"webhook": {"url": receiver.url()}}
        d.routes["r"]["to"] = [JSONL, hook]
        d.routes["late"] = {"from": ["*"], "to": hook}
        d.write()
        d.courant("reload")
        origin.put("a.xml", rss(numbered(1, 3, "a")))
        d.refresh("a")
        d.settled()
        item = explain(d, "a-1")
        over = sink(item, "r", 1)
        assert over["state"] == "passed over" and "came before the sink" in over["why"]
        assert route(item, "late")["state"] == "before" and "backlog" in route(item, "late")["why"]
        assert sink(explain(d, "a-3"), "late")["state"] == "delivered"
        item = explain(d, "b-1")
        assert route(item, "r")["state"] == "not drawn"
        assert route(item, "r")["why"] == "b is not in its `from`"
        d.sources["c"] = feed(origin, "c", numbered(1, 1, "c"))
        d.write()
        d.courant("reload")
        d.until(lambda: d.records() == 5, 10, "the new source was read")
        d.settled()
        over = sink(explain(d, "c-1"), "late")
        assert over["state"] == "passed over" and "first read" in over["why"]


def test_routes_that_draw_from_routes(daemon, origin):
    d = daemon({"a": feed(origin, "a", [("yes", "sqlite", None), ("no", "nginx", None)])},
               {"chosen": {"from": ["a"], "filters": FILTERS[:1]},
                "out": {"from": ["chosen"], "to": JSONL}})
    d.start().settled()
    assert route(explain(d, "yes"), "out")["state"] == "taken"
    lost = route(explain(d, "no"), "out")
    assert lost["state"] == "not drawn" and "no route in it took" in lost["why"]


def test_a_route_whose_filter_is_missing_says_so(daemon, origin):
    d = daemon()
    plugins(d, "tests/plugins/filter_floor")
    d.sources = {"a": feed(origin, "a", numbered(1, 1, "a"))}
    d.routes = {"all": {"from": ["*"], "to": JSONL},
                "r": {"from": ["a"], "filters": [{"floor": {"of": "votes", "least": 1}}],
                      "to": {"jsonl": {"path": "r.jsonl"}}}}
    d.write()
    (d.folder / "plugins" / "filter_floor.so").unlink()
    d.start().until_lines(1)
    told = route(explain(d, "a-1"), "r")
    assert told["state"] == "not judged" and "waiting for plugin filter_floor" in told["now"], told


def test_a_record_that_waits_and_one_that_a_filter_dies_of(daemon, origin):
    d = daemon()
    plugins(d, "tests/plugins/filter_floor", "tests/evil/filter_crash")
    d.sources = {"a": feed(origin, "a", [("w", "waits", None), ("p", "poison", None)])}
    d.routes = {"waits": {"from": ["a"], "filters": [{"floor": {"of": "votes", "least": 1}}], "to": JSONL},
                "dies": {"from": ["a"], "filters": [{"crash": {}}],
                         "to": {"jsonl": {"path": "dies.jsonl"}}}}
    d.write()
    d.start()
    d.until(lambda: d.records() == 2, 20, "both are stored")
    d.until(lambda: route(explain(d, "w"), "waits")["state"] == "waits", 10, "it waits")
    waits = route(explain(d, "w"), "waits")
    assert waits["due"] and "votes" in waits["filters"][0]["why"] and waits["rule"] == "floor#1"
    d.until(lambda: route(explain(d, "p"), "dies")["state"] == "parked", 20, "it is parked")
    assert route(explain(d, "p"), "dies")["error"]


def test_a_record_that_waited_is_told_by_what_came_of_it(daemon, origin):
    d = rating(daemon, origin, {"low": 1, "high": 20})
    waits = route(explain(d, "low"), "r")
    assert (waits["state"], waits["rule"]) == ("waits", "floor#1") and waits["due"] and "sinks" not in waits
    rate(d, origin, {"low": 30, "high": 20})
    d.until(lambda: route(explain(d, "low"), "r")["state"] == "taken", 10, "what waited is taken")
    d.settled()
    taken = route(explain(d, "low"), "r")
    assert taken["filters"] == [{"rule": "floor#1", "verdict": "keep", "why": "comments is 30"}]
    assert "due" not in taken and taken["sinks"][0]["state"] == "delivered"


def test_a_record_that_waited_too_long_is_told_as_dropped(daemon, origin):
    d = rating(daemon, origin, {"one": 1}, patience="1 s")
    d.until(lambda: route(explain(d, "one"), "r")["state"] == "dropped", 10, "its patience has ended")
    dropped = route(explain(d, "one"), "r")
    assert dropped["rule"] == "patience" and "patience" in dropped["why"], dropped
    assert "comments is 1, below 10" in dropped["why"] and "filters" not in dropped


def test_no_secret_stands_in_it(daemon, origin):
    d = daemon()
    plugins(d, "tests/plugins/source_pages")
    for name in ("key", "hook", "sign"):
        (d.folder / name).write_text(f"s3cr3t-{name}\n")
    with Receiver(answer=500) as receiver:
        (d.folder / "hook").write_text(receiver.url("/s3cr3t-hook") + "\n")
        (d.folder / "sign").write_text("raw:s3cr3t-sign\n")
        for name in ("key", "hook", "sign"):
            (d.folder / name).chmod(0o600)
            d.own(d.folder / name)
        origin.set("/p", body="r1|t\n", type="text/plain")
        d.sources = {"a": {"plugin": "pages", "url": origin.url("/p") + "?k={key}", "key_file": "key",
                           "every": "1 h"}}
        d.routes = {"r": {"from": ["a"], "backlog": "all", "to": {"webhook": {
            "url_file": "hook", "secret_file": "sign"}}}}
        d.write()
        d.start()
        d.until(lambda: d.records() and sink(explain(d, "r1"), "r")["state"] == "retry", 20, "it failed")
        done = d.courant("explain", "r1").stdout + d.courant("explain", "r1", "--json").stdout
        assert b"500" in done and b"s3cr3t" not in done, done
        assert b"{secret:key}" in done


def test_it_answers_also_when_the_store_was_killed(daemon, origin):
    d = daemon({"one": feed(origin, "one", numbered(1, 1))}, {"all": {"from": ["*"], "to": JSONL}})
    d.start().settled()
    before = explain(d, "n-1")
    d.kill()
    d.start().settled()
    assert explain(d, "n-1") == before
