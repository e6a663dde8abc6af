"""The order of a list: by date, or by when its records were first seen; changed by a reload."""
import json
import re
import time

from courant import rss


def dated(first, last, year):
    return [f'<item><guid isPermaLink="false">{year}-{n}</guid><title>{year}-{n}</title>'
            f"<pubDate>Mon, 0{n} Jun {year} 10:00:00 GMT</pubDate></item>" for n in range(last, first - 1, -1)]


def titles(d, name):
    path = d.out(f"{name}.json")
    return [i["title"] for i in json.loads(path.read_bytes())["items"]] if path.exists() else []


def list_of(path, **more):
    return {"from": ["*"], "once": "record", "to": {"feed": {"path": path, "keep": 4, "formats": ["json"], **more}}}


def test_old_entries_that_come_late_are_at_the_end_or_first_as_the_order_says(daemon, origin):
    d = daemon({"new": {"plugin": "feed", "every": "1 h", "url": origin.put("new.xml", rss(dated(1, 3, 2024)))}},
               {"dates": list_of("dates"), "seen": list_of("seen", order="seen")}).start()
    fresh = ["2024-3", "2024-2", "2024-1"]
    for name in ("dates", "seen"):
        d.until(lambda: titles(d, name) == fresh, 20, f"the list {name} is {titles(d, name)}")
    d.sources["old"] = {"plugin": "feed", "every": "1 h", "url": origin.put("old.xml", rss(dated(1, 5, 2011)))}
    d.write()
    d.courant("reload")
    by_date, by_seen = fresh + ["2011-5"], ["2011-5", "2011-4", "2011-3", "2011-2"]
    d.until(lambda: titles(d, "dates") == by_date, 20, "old entries do not push fresh ones out")
    d.until(lambda: titles(d, "seen") == by_seen, 20, "what was seen last is first")

    d.routes["dates"], d.routes["seen"] = list_of("dates", order="seen"), list_of("seen", order="published")
    d.write()
    d.courant("reload")
    d.until(lambda: titles(d, "dates") == by_seen, 20, "the other order after a reload")
    d.until(lambda: titles(d, "seen") == by_date, 20, "the other order after a reload")
    d.stop()
    d.routes["seen"] = list_of("seen", order="seen")
    d.write()
    d.start()
    d.until(lambda: titles(d, "seen") == by_seen, 20, "and after a restart")
    assert titles(d, "dates") == by_seen


def test_an_order_that_there_is_not_is_refused_with_its_line(daemon, origin):
    d = daemon({"a": {"plugin": "feed", "url": origin.put("a.xml", rss([]))}},
               {"r": list_of("r", order="very loud"), "s": {"from": ["*"], "to": {"jsonl": {"path": "s", "order": "seen"}}}})
    d.write()
    code, said = d.run("-n")
    assert code != 0
    assert re.search(r"courant\.yaml:\d+: .*order: .*loud", said), said
    assert re.search(r"courant\.yaml:\d+: .*jsonl.*order", said), said


def ranked(path, order, keep=3, **more):
    return {"from": ["*"], "to": {"feed": {"path": path, "keep": keep, "formats": ["json"], "order": order,
                                           "every": "1 s", **more}}}


def voted(votes):
    return [{"id": f"i-{n}", "title": f"Entirely made-up finding of number {n} told here",
             "url": f"https://example.org/i/{n}", "votes": v} for n, v in votes.items()]


def ids(d, name):
    return [re.search(r"number (\d)", t)[1] for t in titles(d, name)]


def test_a_list_by_heat_or_votes_follows_its_stories(daemon, origin):
    def votes(**now):
        origin.put("a.json", json.dumps(voted({n[1:]: v for n, v in now.items()})).encode())
    votes(n1=1, n2=5, n3=3, n4=40, n5=2)
    d = daemon({"a": {"plugin": "json", "url": origin.url("/a.json"), "every": "1 h", "counters": {"votes": "votes"},
                      "fields": {"guid": "id", "title": "title", "link": "url"}}},
               {"heat": ranked("heat", "heat"), "votes": ranked("votes", "votes"), "score": ranked("score", "score")})
    d.start().settled()
    for name in ("heat", "votes", "score"):
        d.until(lambda: ids(d, name) == ["4", "2", "3"], 20, f"{name} is {ids(d, name)}")
    state = d.out("heat.json").stat().st_ino
    d.refresh("a")
    time.sleep(2.5)
    assert d.out("heat.json").stat().st_ino == state, "what has not changed is not written again"
    votes(n1=1000, n2=5, n3=3, n4=40, n5=200)       # both were pushed out before
    d.refresh("a")
    for name in ("heat", "votes", "score"):
        d.until(lambda: ids(d, name) == ["1", "5", "4"], 20, f"{name} is {ids(d, name)}")
    why = [s["why"] for r in d.explain("i-2")[0]["routes"] for s in r["sinks"]]
    assert why == ["it is not among the hottest 3 now", "it is not among the highest 3 now",
                   "it is not among the highest 3 now"]
    d.kill()
    d.start()
    assert ids(d, "votes") == ["1", "5", "4"]
    votes(n1=1000, n2=5000, n3=3, n4=40, n5=200)
    d.refresh("a")
    d.until(lambda: ids(d, "votes") == ["2", "1", "5"], 20, "after a kill too")
    assert all(s["unconfirmed"] == 0 for r in d.status()["routes"] for s in r["sinks"])


def test_a_ranked_list_changes_at_most_so_often(daemon, origin):
    origin.put("a.json", json.dumps(voted({1: 1, 2: 2})).encode())
    d = daemon({"a": {"plugin": "json", "url": origin.url("/a.json"), "every": "1 h", "counters": {"votes": "votes"},
                      "fields": {"guid": "id", "title": "title", "link": "url"}}},
               {"votes": ranked("votes", "votes", every="4 s")})
    d.start().settled()
    d.until(lambda: ids(d, "votes") == ["2", "1"], 20, "the first is written at once")
    begun = time.monotonic()
    origin.put("a.json", json.dumps(voted({1: 10, 2: 2, 3: 5})).encode())
    d.courant("refresh", "a")
    d.until(lambda: ids(d, "votes") == ["1", "3", "2"], 20, "the next follows")
    assert time.monotonic() - begun > 2, "but not at once"


def test_a_ranked_list_that_could_not_be_written_is_written_though_nothing_has_changed(daemon, origin):
    origin.put("a.json", json.dumps(voted({1: 1, 2: 2})).encode())
    d = daemon({"a": {"plugin": "json", "url": origin.url("/a.json"), "every": "1 h", "counters": {"votes": "votes"},
                      "fields": {"guid": "id", "title": "title", "link": "url"}}},
               {"votes": ranked("votes", "votes")})
    d.start().settled()
    way = d.out("votes.json")
    d.until(lambda: ids(d, "votes") == ["2", "1"], 20, "the first is written")
    way.unlink()
    (way / "in the way").mkdir(parents=True)
    origin.put("a.json", json.dumps(voted({1: 9, 2: 2})).encode())
    d.courant("refresh", "a")
    d.until(lambda: d.route("votes")["sinks"][0]["reason"], 20, "it fails")
    way.rename(d.folder / "aside")
    d.until(lambda: ids(d, "votes") == ["1", "2"], 20, "it is written by the retry")
