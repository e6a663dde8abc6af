"""What is wrong with the daemon, as records of courant/trouble: announced once, and its end once."""
import json
import os
import signal
import time

import pytest

from courant import SLOW, fake_clock, numbered, rss
from receiver import Receiver
from test_dropin import drop, versions  # noqa: F401

ROUND = 2                               # s between two looks at the daemon's state
MINUTE, HOUR = 60, 3600


class Clock:
    """Starts the daemon with a clock that is set forward by what is in a file."""

    def __init__(self, d):
        self.d, self.path, self.ahead = d, d.folder / "clock", 0
        self.path.write_text("+0s\n")

    def start(self):
        with pytest.MonkeyPatch.context() as env:
            fake_clock(env, self.path)
            self.d.start(wait=False)
        self.d.until(self.d.ready)
        return self.d

    def step(self, seconds):
        self.ahead += seconds
        self.path.write_text(f"+{self.ahead}s\n")


def post(r, **more):
    """A route that posts trouble to the receiver, and lists it in a feed."""
    return {"from": ["courant"], "to": {"webhook": {"url": r.url("/trouble"), **more},
                                        "feed": {"path": "trouble"}}}


def feed(origin, name, **more):
    return {"plugin": "feed", "url": origin.put(name, rss(numbered(1, 1, name))), "every": "1 s", **more}


def watched(daemon, receiver, sources):
    """A daemon with these sources, whose trouble is posted to the receiver, and its clock."""
    d = daemon(sources, {"ops": post(receiver)})
    clock = Clock(d)
    clock.start()
    return d, clock


def answer(origin, name, status, **more):
    """From now on the origin answers so; 200: with the feed, of which one entry is new."""
    if status == 200:
        more["body"] = rss(numbered(1, 2, name))
    origin.set(f"/{name}", status=status, **more)


def taken(r):
    """Its records, in order; one that is delivered again after a kill has the same id."""
    return list({h.id: h.json for h in r.taken() if h.path == "/trouble"}.values())


def brief(j):
    return (j["categories"][0], j["extras"]["name"], j["extras"]["state"])


def listed(d):
    """The titles of the feed, oldest first."""
    path = d.out("trouble.json")
    return [i["title"] for i in json.loads(path.read_text())["items"]][::-1] if path.exists() else []


def announced(d, r, *want, seconds=30):
    """Until the receiver has so many records of trouble: they are these, in this order."""
    d.until(lambda: len(taken(r)) >= len(want), seconds, f"{want}; so far {[brief(j) for j in taken(r)]}")
    assert [brief(j) for j in taken(r)] == list(want)
    return taken(r)


def rounds(n=2):
    """Time in which the daemon looks at its state n times: for what is not to come."""
    time.sleep((n * ROUND + 0.5) * SLOW)


def fails(d, clock, name, times=3):
    """Polls the source until it has failed so often, and lets the time of an outage pass."""
    for _ in range(times):
        d.refresh(name)
    assert d.source(name)["failures"] >= times
    clock.step(2 * HOUR)


# ---- Sources ----

def test_a_source_that_fails_is_announced_once_and_once_when_it_is_well(daemon, origin):
    with Receiver() as r:
        d, clock = watched(daemon, r, {"lwn": feed(origin, "lwn"), "fine": feed(origin, "fine")})
        d.until(lambda: d.source("lwn")["state"] == "ok" and d.source("fine")["state"] == "ok")
        answer(origin, "lwn", 503)
        d.until(lambda: d.source("lwn")["failures"] >= 3, 20, "it fails")
        rounds()
        assert taken(r) == [], "a short outage is none"
        clock.step(2 * HOUR)
        one, = announced(d, r, ("source-failing", "lwn", "begun"))
        assert one["title"].startswith("lwn fails, not read for 2 h: ") and "503" in one["title"]
        assert origin.url("/lwn") in one["content"] and "courant refresh lwn" in one["content"]
        assert one["source"] == "courant/trouble" and one["language"] == "en"
        clock.step(48 * HOUR)
        d.refresh("lwn")
        rounds()
        assert len(taken(r)) == 1, "once"
        answer(origin, "lwn", 200)
        d.refresh("lwn")
        one, over = announced(d, r, ("source-failing", "lwn", "begun"), ("source-failing", "lwn", "over"))
        assert over["guid"] == one["guid"] + ":over"
        assert over["title"].startswith("lwn is well again, after 2 d")
        assert over["extras"]["since"] == one["extras"]["since"] < over["extras"]["until"]
        rounds()
        assert len(taken(r)) == 2
        d.until(lambda: listed(d) == [one["title"], over["title"]], 10, "the feed has them, too")
        assert d.source("courant/trouble")["state"] == "ok"


def test_a_source_that_is_gone_is_announced_at_once(daemon, origin):
    with Receiver() as r:
        d = daemon({"lwn": feed(origin, "lwn")}, {"ops": post(r)}).start()
        d.until(lambda: d.source("lwn")["state"] == "ok")
        answer(origin, "lwn", 410)
        one, = announced(d, r, ("source-gone", "lwn", "begun"))
        assert one["title"].startswith("lwn is gone, and not polled any more: ") and "410" in one["title"]
        answer(origin, "lwn", 200)
        rounds(1)
        wrote = d.source("courant/trouble")["checked"]
        rounds()
        assert len(taken(r)) == 1 and d.source("courant/trouble")["checked"] == wrote
        d.refresh("lwn")
        announced(d, r, ("source-gone", "lwn", "begun"), ("source-gone", "lwn", "over"))


def test_a_reload_that_changes_a_failing_source_is_not_its_end(daemon, origin):
    with Receiver() as r:
        d, clock = watched(daemon, r, {"lwn": feed(origin, "lwn", every="1 h")})
        d.until(lambda: d.source("lwn")["state"] == "ok")
        answer(origin, "lwn", 503)
        answer(origin, "other", 503, delay=int(1000 * SLOW * 3 * ROUND))
        fails(d, clock, "lwn")
        clock.step(2 * HOUR)
        announced(d, r, ("source-failing", "lwn", "begun"))
        d.sources["lwn"]["url"] = origin.url("/other")
        d.write()
        d.courant("reload")
        origin.until_hits("/other", 1)
        assert d.source("lwn")["state"] == "ok", "it is not known yet"
        rounds()
        d.until(lambda: d.source("lwn")["state"] == "failing", 20, "it fails there, too")
        rounds()
        assert len(taken(r)) == 1
        answer(origin, "other", 200)
        d.refresh("lwn")
        announced(d, r, ("source-failing", "lwn", "begun"), ("source-failing", "lwn", "over"))


def test_a_source_that_moved_is_over_when_its_url_is_corrected(daemon, origin):
    with Receiver() as r:
        d, clock = watched(daemon, r, {"lwn": feed(origin, "lwn")})
        new = origin.put("new", rss(numbered(1, 1, "lwn")))
        answer(origin, "lwn", 301, redirect=new)
        d.until(lambda: d.source("lwn")["moved"] == new, 20, "it moved")
        rounds()
        assert taken(r) == []
        clock.step(2 * HOUR)
        one, = announced(d, r, ("source-moved", "lwn", "begun"))
        assert one["title"] == f"lwn has moved for good: {new}"
        d.sources["lwn"]["url"] = new
        d.write()
        d.courant("reload")
        d.refresh("lwn")
        rounds()
        clock.step(2 * MINUTE)
        announced(d, r, ("source-moved", "lwn", "begun"), ("source-moved", "lwn", "over"))


def test_a_source_that_is_silent_for_longer_than_usual_is_announced(daemon, origin):
    with Receiver() as r:
        d, clock = watched(daemon, r, {"daily": feed(origin, "daily"), "young": feed(origin, "young")})
        for n in range(2, 12):                  # a gap of a day between two entries
            clock.step(24 * HOUR)
            origin.put("daily", rss(numbered(1, n, "daily")))
            if n < 6:
                origin.put("young", rss(numbered(1, n, "young")))
            d.refresh("daily", "young")
            rounds(0.2)
        clock.step(3 * 24 * HOUR)
        d.refresh("daily")
        rounds()
        assert taken(r) == [], "three days are not four times a day"
        d.kill()                                # what is usual is not forgotten
        clock.start()
        clock.step(36 * HOUR)
        d.refresh("daily", "young")
        one, = announced(d, r, ("source-silent", "daily", "begun"))
        assert one["title"].startswith("daily is silent, nothing new for 4 d: usually no longer than ")
        rounds()
        clock.step(2 * HOUR)
        rounds()
        assert len(taken(r)) == 1
        origin.put("daily", rss(numbered(1, 12, "daily")))
        d.refresh("daily")
        rounds()
        clock.step(11 * MINUTE)
        announced(d, r, ("source-silent", "daily", "begun"), ("source-silent", "daily", "over"))


def test_a_source_that_is_taken_out_of_the_configuration_leaves_nothing_open(daemon, origin):
    with Receiver() as r:
        d, clock = watched(daemon, r, {"lwn": feed(origin, "lwn"), "fine": feed(origin, "fine")})
        answer(origin, "lwn", 410)
        announced(d, r, ("source-gone", "lwn", "begun"))
        del d.sources["lwn"]
        d.write()
        d.courant("reload")
        rounds()
        clock.step(2 * MINUTE)
        one, over = announced(d, r, ("source-gone", "lwn", "begun"), ("source-gone", "lwn", "over"))
        assert over["title"].startswith("lwn is not in the configuration any more, after ")


def test_an_outage_of_many_sources_floods_nobody(daemon, origin):
    """100 are announced, and that there are more; all of them are over when it is."""
    names = [f"s{n:03}" for n in range(130)]
    with Receiver() as r:
        d, clock = watched(daemon, r, {n: feed(origin, n, every="1 h") for n in names})
        d.until(lambda: all(s["state"] == "ok" for s in d.status()["sources"]), 60, "all read")
        for n in names:
            answer(origin, n, 410)
        d.courant("refresh", "s*")
        d.until(lambda: sum(s["state"] == "gone" for s in d.status()["sources"]) == 130, 60, "all gone")
        d.until(lambda: len(taken(r)) >= 101, 60, "101 records")
        rounds()
        found = [brief(j) for j in taken(r)]
        assert len(found) == 101 and found.count(("trouble-many", "the daemon", "begun")) == 1
        assert len({f[1] for f in found}) == 101
        for n in names:
            answer(origin, n, 200)
        d.courant("refresh", "s*")
        d.until(lambda: all(s["state"] == "ok" for s in d.status()["sources"]), 60, "all well")
        rounds()
        clock.step(2 * MINUTE)
        d.until(lambda: len(taken(r)) >= 202, 60, "202 records")
        rounds()
        found = [brief(j) for j in taken(r)]
        assert len(found) == len(set(found)) == 202
        assert {f[:2] for f in found if f[2] == "over"} == {f[:2] for f in found if f[2] == "begun"}


# ---- Sinks ----

def test_a_sink_that_is_paused_is_announced_and_its_going_on(daemon, origin):
    ready = []
    with Receiver(lambda h, _: 200 if ready or h.path == "/trouble" else 410) as r:
        d = daemon({"lwn": feed(origin, "lwn")},
                   {"ops": post(r), "hooks": {"from": ["lwn"], "backlog": "all",
                                              "to": {"webhook": {"url": r.url("/hook")}}}})
        clock = Clock(d)
        clock.start()
        d.until(lambda: d.route("hooks")["sinks"][0]["state"] == "paused", 20, "paused")
        rounds()
        assert taken(r) == []
        clock.step(2 * MINUTE)
        one, = announced(d, r, ("sink-paused", "hooks/webhook", "begun"))
        assert "410" in one["title"] and "courant resume hooks/webhook" in one["content"]
        ready.append(1)
        d.courant("resume", "hooks/webhook")
        rounds()
        assert len(taken(r)) == 1
        clock.step(2 * MINUTE)
        announced(d, r, ("sink-paused", "hooks/webhook", "begun"), ("sink-paused", "hooks/webhook", "over"))


def test_dead_letters_are_announced_once_and_once_when_there_are_none(daemon, origin):
    with Receiver(lambda h, _: 200 if h.path == "/trouble" else 400) as r:
        d = daemon({"lwn": feed(origin, "lwn")},
                   {"ops": post(r), "hooks": {"from": ["lwn"], "backlog": "all", "to": {
                       "webhook": {"url": r.url("/hook"), "retry": ["50 ms"]}}}})
        clock = Clock(d)
        clock.start()
        d.until(lambda: d.route("hooks")["sinks"][0]["dead"] == 1, 20, "a dead letter")
        rounds()
        clock.step(2 * MINUTE)
        one, = announced(d, r, ("sink-dead", "hooks/webhook", "begun"))
        assert one["title"].startswith("hooks/webhook has dead letters") and "400" in one["title"]
        answer(origin, "lwn", 200)
        d.refresh("lwn")
        d.until(lambda: d.route("hooks")["sinks"][0]["dead"] == 2, 20, "another one")
        clock.step(2 * MINUTE)
        rounds()
        assert len(taken(r)) == 1 and "courant drop hooks/webhook --dead" in one["content"]
        d.courant("drop", "hooks/webhook", "--dead")
        clock.step(2 * MINUTE)
        rounds()
        clock.step(2 * MINUTE)
        announced(d, r, ("sink-dead", "hooks/webhook", "begun"), ("sink-dead", "hooks/webhook", "over"))


def test_a_sink_that_is_behind_is_announced_and_that_it_has_caught_up(daemon, origin):
    ready = []
    with Receiver(lambda h, _: 200 if ready or h.path == "/trouble" else 503) as r:
        d = daemon({"lwn": feed(origin, "lwn")},
                   {"ops": post(r), "hooks": {"from": ["lwn"], "backlog": "all", "to": {
                       "webhook": {"url": r.url("/hook"), "retry": ["2 s"] * 32}}}})
        clock = Clock(d)
        clock.start()
        d.until(lambda: d.route("hooks")["sinks"][0]["unconfirmed"] == 1, 20, "it is refused")
        clock.step(30 * MINUTE)
        rounds(3)
        clock.step(30 * MINUTE)
        rounds(3)
        assert taken(r) == []
        clock.step(11 * MINUTE)
        one, = announced(d, r, ("sink-behind", "hooks/webhook", "begun"))
        assert "503" in one["title"] and "<p>Records: 1</p>" in one["content"]
        ready.append(1)
        d.until(lambda: d.route("hooks")["sinks"][0]["unconfirmed"] == 0, 20, "it is delivered")
        rounds()
        clock.step(2 * MINUTE)
        announced(d, r, ("sink-behind", "hooks/webhook", "begun"), ("sink-behind", "hooks/webhook", "over"))


def test_a_failing_route_of_trouble_breeds_no_trouble(daemon, origin):
    """Neither by itself nor through a route that draws from it; the status still shows it."""
    with Receiver(lambda h, _: 410 if h.path == "/bad" else 200) as r:
        d = daemon({"lwn": feed(origin, "lwn")},
                   {"ops": post(r), "bad": {"from": ["courant/trouble"], "backlog": "all",
                                            "to": {"webhook": {"url": r.url("/bad")}}},
                    "worse": {"from": ["bad", "lwn"], "to": {"webhook": {"url": r.url("/bad")}}}})
        clock = Clock(d)
        clock.start()
        d.until(lambda: d.source("lwn")["state"] == "ok")
        answer(origin, "lwn", 410)
        announced(d, r, ("source-gone", "lwn", "begun"))
        d.until(lambda: all(d.route(n)["sinks"][0]["state"] == "paused" for n in ("bad", "worse")), 20,
                "both are paused")
        for _ in range(3):
            clock.step(2 * HOUR)
            rounds()
        assert [brief(j) for j in taken(r)] == [("source-gone", "lwn", "begun")]
        assert d.source("courant/trouble")["state"] == "ok" and "gone" in d.source("lwn")["state"]


# ---- Plugins, roles ----

def with_plugins(d, origin):
    d.plugins = d.folder / "plugins"
    d.plugins.mkdir()
    d.settings["plugins"] = [str(d.plugins)]
    d.sources = {"one": {"plugin": "drop", "url": origin.put("drop", b"x"), "every": "1 h"}}


def test_a_plugin_that_is_refused_is_announced(daemon, origin, versions):  # noqa: F811
    with Receiver() as r:
        d = daemon(None, {"ops": post(r)})
        with_plugins(d, origin)
        d.write()
        clock = Clock(d)
        clock.start()
        drop(d, versions["constructor"])
        d.wait_log("source_drop.so: .*signal 6")
        rounds()
        assert taken(r) == []
        clock.step(2 * MINUTE)
        one, = announced(d, r, ("plugin-refused", "source_drop", "begun"))
        assert one["title"].startswith("plugin source_drop is refused: ") and "signal 6" in one["title"]
        drop(d, versions["1"])
        d.until(lambda: d.source("one")["state"] == "ok", 20, "the source works")
        rounds()
        clock.step(2 * MINUTE)
        announced(d, r, ("plugin-refused", "source_drop", "begun"), ("plugin-refused", "source_drop", "over"))


def test_a_plugin_that_is_back_at_its_earlier_version_is_announced(daemon, origin, versions):  # noqa: F811
    with Receiver() as r:
        d = daemon(None, {"ops": post(r)})
        with_plugins(d, origin)
        d.write()
        drop(d, versions["1"])
        clock = Clock(d)
        clock.start()
        d.until(lambda: d.source("one")["state"] == "ok", 20, "the first version works")
        drop(d, versions["crash"])
        d.wait_log("gone back to version 1", 30)
        rounds()
        clock.step(2 * MINUTE)
        one, = announced(d, r, ("plugin-back", "source_drop", "begun"))
        assert one["title"].startswith("plugin source_drop failed: its earlier version is in use")
        drop(d, versions["2"])
        d.until(lambda: any(p["version"] == "2" for p in d.status()["plugins"]), 20, "the third is in use")
        rounds()
        clock.step(2 * MINUTE)
        announced(d, r, ("plugin-back", "source_drop", "begun"), ("plugin-back", "source_drop", "over"))


def test_a_role_that_is_started_again_is_announced(daemon, origin):
    with Receiver() as r:
        d, clock = watched(daemon, r, {"lwn": feed(origin, "lwn")})
        for n in range(2):
            os.kill(d.pids()["fetch"], signal.SIGKILL)
            d.until(lambda: next(p for p in d.status()["roles"] if p["name"] == "fetch")["restarts"] > n)
            d.until(d.ready)
            one = announced(d, r, ("role-restarted", "fetch", "begun"))[0]
            rounds()
        assert one["title"] == "role fetch died and was started again: killed by signal 9 (Killed)"
        clock.step(11 * MINUTE)
        rounds()
        clock.step(2 * MINUTE)
        announced(d, r, ("role-restarted", "fetch", "begun"), ("role-restarted", "fetch", "over"))


# ---- The daemon's own end ----

def test_nothing_is_announced_twice_over_kills(daemon, origin):
    """What is announced is so still after kill -9; what ended meanwhile is announced as over."""
    with Receiver() as r:
        d, clock = watched(daemon, r, {n: feed(origin, n) for n in ("a", "b", "c")})
        d.until(lambda: all(s["state"] == "ok" for s in d.status()["sources"]))
        want = []
        for n in ("a", "b"):
            answer(origin, n, 410)
            d.until(lambda: d.source(n)["state"] == "gone", 20, "it is gone")
            want.append(("source-gone", n, "begun"))
            announced(d, r, *want)
            for _ in range(2):
                d.kill()
                clock.start()
                rounds(1)
        announced(d, r, *want)
        answer(origin, "c", 503)
        fails(d, clock, "c")
        time.sleep(1.9)                 # anywhere in a round
        d.kill()
        clock.start()
        want.append(("source-failing", "c", "begun"))
        announced(d, r, *want)
        answer(origin, "a", 200)
        d.refresh("a")
        d.kill()
        clock.start()
        want.append(("source-gone", "a", "over"))
        announced(d, r, *want)
        rounds()
        announced(d, r, *want)
        assert len(taken(r)) == len(want)


def test_store_killed_again_and_again_makes_no_second_record(daemon, origin):
    with Receiver() as r:
        d = daemon({n: feed(origin, n) for n in ("a", "b")}, {"ops": post(r)})
        d.start()
        d.until(lambda: all(s["state"] == "ok" for s in d.status()["sources"]))
        for n in ("a", "b"):
            answer(origin, n, 410)
            d.until(lambda: d.source(n)["state"] == "gone", 20, "it is gone")
            for _ in range(3):
                os.kill(d.pids()["store"], signal.SIGKILL)
                time.sleep(0.7)
                d.until(d.ready)
        d.until(lambda: len([j for j in taken(r) if brief(j)[0] == "source-gone"]) >= 2, 30, "both")
        rounds()
        found = [brief(j) for j in taken(r)]
        assert sorted(found) == [("role-restarted", "store", "begun"), ("source-gone", "a", "begun"),
                                 ("source-gone", "b", "begun")]


# ---- The configuration ----

@pytest.mark.parametrize("name", ["courant", "courant/x", "courant/trouble"])
def test_no_source_group_or_route_takes_its_name(daemon, origin, name):
    d = daemon({name: feed(origin, "x")}, {name: {"from": ["*"], "to": {"feed": {"path": "x"}}}})
    code, said = d.run("-n")
    lines = d.conf.read_text().splitlines()
    at = [n + 1 for n, line in enumerate(lines) if line.strip() == f"{name}:"]
    assert code != 0 and len(at) == 2
    for n, what in zip(at, ("source", "route")):
        assert f"{d.conf}:{n}: {what} {name}: the name courant is kept for the daemon itself" in said, said


def test_a_group_without_entries_and_an_earlier_name_are_refused_too(daemon):
    d = daemon({"courant": {"plugin": "feed", "url": "http://x.example/{each}", "each": []},
                "a": {"plugin": "feed", "url": "http://x.example/a", "was": "courant/trouble"}})
    code, said = d.run("-n")
    assert code != 0 and said.count("the name courant is kept for the daemon itself") == 2, said


def test_a_pattern_for_all_sources_leaves_it_out(daemon, origin):
    with Receiver() as r:
        d = daemon({"lwn": feed(origin, "lwn")},
                   {"ops": post(r), "all": {"from": ["*"], "backlog": "all", "to": {"jsonl": {"path": "all.jsonl"}}},
                    "both": {"from": ["*", "courant"], "backlog": "all", "to": {"jsonl": {"path": "both.jsonl"}}}})
        d.start()
        d.until(lambda: d.source("lwn")["state"] == "ok")
        answer(origin, "lwn", 410)
        announced(d, r, ("source-gone", "lwn", "begun"))
        d.until(lambda: len(d.lines("both.jsonl")) == 2, 10, "both has it")
        assert [x["source"] for x in d.lines("all.jsonl")] == ["lwn"]
        said = d.courant("refresh", "courant/trouble", check=False)
        assert said.returncode == 1 and b"the daemon itself makes its records" in said.stdout + said.stderr
        assert d.courant("refresh", "*").returncode == 0
        del d.routes["ops"], d.routes["both"]
        d.write()
        d.courant("reload")
        d.until(lambda: [s["name"] for s in d.status()["sources"]] == ["lwn"], 10, "nobody draws from it")
        d.routes["late"] = {"from": ["*"], "backlog": "all", "to": {"jsonl": {"path": "late.jsonl"}}}
        d.write()
        d.courant("reload")
        d.until(lambda: d.lines("late.jsonl"), 10, "a new route gets the past")
        d.settled()
        assert [x["source"] for x in d.lines("late.jsonl")] == ["lwn"]


def test_a_name_of_the_daemon_that_does_not_exist_is_refused(daemon, origin):
    d = daemon({"lwn": feed(origin, "lwn")}, {"ops": {"from": ["courant/tops"], "to": {"feed": {"path": "x"}}}})
    code, said = d.run("-n")
    assert code != 0 and "of the daemon itself there are `courant/trouble` and `courant/top`, and no `courant/tops`" in said, said
