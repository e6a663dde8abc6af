"""Editions: sealed by the calendar, each story in one, handed out as they were sealed. The wall clock is the
test's; each row of the specification has its test."""
import datetime
import json
import math
import os
import random
import shutil
import signal
import time
import zoneinfo

import pytest

from courant import BUILD, fake_clock
from test_face import api, poll

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
EVERY = {"every": "day", "at": "07:00", "tz": "Europe/Paris"}


def entries(*numbers, **more):
    return [{"id": f"i-{n}", "title": f"Entirely made-up finding of number {n} told here", **more} for n in numbers]


class Clock:
    """The daemon's wall clock, in the zone of the editions."""
    settles = True

    def __init__(self, d, env):
        self.d, self.path = d, d.folder / "clock"
        fake_clock(env, self.path)

    def set(self, when):
        self.path.write_text(f"{math.ceil(when.timestamp() - time.time()):+d}s\n")

    def until(self, *when, wait=True):
        """Goes to a moment; the daemon, which mistrusts a clock that jumps, is given the five minutes before it."""
        when = datetime.datetime(*when, tzinfo=PARIS)
        if wait:
            self.set(when - datetime.timedelta(minutes=6))
            self.look()
        self.set(when)
        self.look()

    def look(self):
        self.d.courant("status")
        if self.settles:
            self.d.settled()


@pytest.fixture
def weekly(daemon, origin, monkeypatch):
    """A daemon with a source of numbered entries and a route with editions; its clock is at the moment given. The
    programs that ask it read the same clock."""
    def make(*when, edition=EVERY, sources=None, **routes):
        d = daemon(sources or {"a": api(origin, "a", entries(), counters={"votes": "votes"})}, {
            "m": {"from": ["*"], "edition": edition, "to": [{"jsonl": {"path": "m.jsonl"}}]}, **routes})
        d.clock = Clock(d, monkeypatch)
        d.clock.set(datetime.datetime(*when, tzinfo=PARIS))
        d.start(wait=False)
        d.until(d.ready)
        d.settled()
        return d
    return make


def editions(d, route="m", *args):
    return json.loads(d.courant("editions", route, *args, "--json").stdout)


def states(d, route="m"):
    return {e["name"]: e["state"] for e in editions(d, route)["editions"]}


def guids(d, name="m.jsonl"):
    return [r["guid"] for r in d.lines(name)] if d.out(name).exists() else []


def issue_plugin(d):
    where = d.folder / "plugins"
    where.mkdir(exist_ok=True)
    shutil.copy(BUILD / "tests" / "plugins" / "sink_issue.so", where)
    (where / "sink_issue.so").chmod(0o755)
    d.settings["plugins"] = [str(where)]


def issues(d):
    (path,) = d.state.rglob("issues")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_row_18_one_edition_a_day_of_what_came_since(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    assert states(d) == {}, "the first is at the next time"
    poll(d, origin, "a", entries(1, 2))
    assert guids(d) == []
    d.clock.until(2025, 3, 11, 6, 59)
    assert states(d) == {}
    d.clock.until(2025, 3, 11, 7, 0, wait=False)
    assert states(d) == {"2025-03-11": "sealed"} and sorted(guids(d)) == ["i-1", "i-2"]
    poll(d, origin, "a", entries(1, 2, 3))
    assert len(guids(d)) == 2
    d.clock.until(2025, 3, 12, 7, 0)
    assert list(states(d)) == ["2025-03-12", "2025-03-11"] and guids(d)[2:] == ["i-3"]
    told = d.explain("i-3")[0]["routes"]
    mine = next(r for r in told if r["name"] == "m")
    assert mine["state"] == "taken" and (mine["edition"], mine["edition_place"]) == ("2025-03-12", 1)
    assert "in edition 2025-03-12 as number 1" in d.courant("explain", "i-3").stdout.decode()


def test_row_21_a_clock_that_is_wrong_for_a_while(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    poll(d, origin, "a", entries(1))
    d.clock.until(2025, 3, 11, 7, 1, wait=False)    # a jump of 19 hours
    assert states(d) == {}, "for five minutes nothing is sealed"
    d.clock.until(2025, 3, 11, 7, 7, wait=False)
    assert states(d) == {"2025-03-11": "sealed"}
    poll(d, origin, "a", entries(1, 2))
    d.clock.until(2098, 1, 5, 9, 0)
    assert states(d) == {"2025-03-11": "sealed", "2098-01-05": "sealed"}
    d.clock.until(2025, 3, 11, 12, 0, wait=False)
    poll(d, origin, "a", entries(1, 2, 3))
    d.clock.until(2025, 3, 12, 7, 0)
    assert states(d) == {"2025-03-11": "sealed", "2098-01-05": "sealed", "2025-03-12": "sealed"}
    assert guids(d) == ["i-1", "i-2", "i-3"], "each once"


def test_row_21_a_clock_that_is_set_back_by_a_month_makes_editions_due(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    poll(d, origin, "a", entries(1))
    d.clock.until(2025, 3, 11, 7, 0)
    poll(d, origin, "a", entries(1, 2))
    d.clock.until(2025, 2, 10, 12, 0, wait=False)
    d.clock.until(2025, 2, 11, 7, 0)
    assert states(d) == {"2025-03-11": "sealed", "2025-02-10": "sealed", "2025-02-11": "skipped"}
    assert guids(d) == ["i-1", "i-2"]


def test_row_22_a_changed_time_makes_nothing_due_that_was_not(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    poll(d, origin, "a", entries(1))
    d.clock.until(2025, 3, 11, 6, 30)
    d.routes["m"]["edition"] = {**EVERY, "at": "06:00"}
    d.write()
    d.courant("reload")
    d.clock.until(2025, 3, 11, 7, 30)
    assert states(d) == {}
    d.clock.until(2025, 3, 12, 6, 0)
    assert states(d) == {"2025-03-12": "sealed"} and guids(d) == ["i-1"]
    d.routes["m"]["edition"] = {**EVERY, "at": "09:00"}
    d.write()
    d.courant("reload")
    d.clock.until(2025, 3, 12, 9, 0)
    assert states(d) == {"2025-03-12": "sealed"}, "a name comes once"


def test_a_route_that_comes_back_has_its_first_edition_at_the_next_time(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    route = d.routes.pop("m")
    d.routes["other"] = {"from": ["*"], "to": {"jsonl": {"path": "other.jsonl"}}}
    d.write()
    d.courant("reload")
    poll(d, origin, "a", entries(1))
    d.clock.until(2025, 3, 11, 9, 0)
    d.routes["m"] = route
    d.write()
    d.courant("reload")
    d.clock.look()
    assert states(d) == {}, "it was due before the route was there"
    poll(d, origin, "a", entries(1, 2))
    d.clock.until(2025, 3, 12, 7, 0)
    assert states(d) == {"2025-03-12": "sealed"} and guids(d) == ["i-2"], "what came since"
    del d.routes["m"]["edition"]
    d.write()
    d.courant("reload")
    d.clock.until(2025, 3, 13, 9, 0)
    d.routes["m"] = {**route, "edition": EVERY}
    d.write()
    d.courant("reload")
    d.clock.look()
    assert states(d) == {"2025-03-12": "sealed"}, "the same when the route alone stayed"


def test_row_23_one_edition_makes_up_for_missed_ones_or_the_next_does(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    poll(d, origin, "a", entries(1, 2))
    d.clock.until(2025, 3, 11, 6, 0)
    assert d.stop() == 0
    d.clock.set(datetime.datetime(2025, 3, 14, 9, 0, tzinfo=PARIS))
    d.start(wait=False)
    d.until(d.ready)
    d.clock.look()
    assert states(d) == {"2025-03-14": "sealed"} and sorted(guids(d)) == ["i-1", "i-2"]
    poll(d, origin, "a", entries(1, 2, 3))
    assert d.stop() == 0
    d.clock.set(datetime.datetime(2025, 3, 15, 20, 0, tzinfo=PARIS))
    d.start(wait=False)
    d.until(d.ready)
    d.clock.look()
    assert states(d) == {"2025-03-14": "sealed"}, "13 hours are too late"
    assert "edition 2025-03-15 was missed" in d.log()
    d.clock.until(2025, 3, 16, 7, 0)
    assert states(d) == {"2025-03-14": "sealed", "2025-03-16": "sealed"} and guids(d)[2:] == ["i-3"]


def test_row_24_sixty_names_without_a_gap_over_restarts(weekly, origin):
    rng = random.Random(20250310)
    d = weekly(2025, 3, 10, 12, 0)
    day = datetime.date(2025, 3, 10)
    for n in range(1, 61):
        day += datetime.timedelta(1)
        if n % 5 == 1:
            poll(d, origin, "a", entries(*range(1, n + 1)))
        if rng.random() < 0.25:
            (d.kill if rng.random() < 0.5 else d.stop)()
            d.clock.set(datetime.datetime(day.year, day.month, day.day, 7, rng.randrange(60), tzinfo=PARIS))
            d.start(wait=False)
            d.until(d.ready)
            d.clock.look()
        else:
            d.clock.until(day.year, day.month, day.day, 7, rng.randrange(60))
    told = editions(d)["editions"]
    assert [e["name"] for e in reversed(told)] == [
        (datetime.date(2025, 3, 11) + datetime.timedelta(n)).isoformat() for n in range(60)]
    assert sum(e["records"] for e in told) == 56 and len(guids(d)) == len(set(guids(d))) == 56


def test_row_25_what_is_dated_before_and_comes_later_is_in_the_next(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    fields = {"guid": "id", "title": "title", "published": "at"}
    d.sources["a"]["fields"] = fields
    d.write()
    d.courant("reload")
    poll(d, origin, "a", entries(1, at="2025-03-10T08:00:00Z"))
    d.clock.until(2025, 3, 11, 7, 0)
    poll(d, origin, "a", entries(1, 2, at="2025-03-10T08:00:00Z"))
    d.clock.until(2025, 3, 12, 7, 0)
    assert guids(d) == ["i-1", "i-2"]


def test_row_26_a_story_is_in_one_edition(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0, edition={**EVERY, "order": "votes", "top": 2}, sources={
        "a": api(origin, "a", entries(), counters={"votes": "votes"}),
        "b": api(origin, "b", entries(), counters={"votes": "votes"})})
    votes = {1: 5, 2: 50, 3: 20}
    for day in range(5):
        poll(d, origin, "a", [{**e, "votes": votes[int(e["id"][2:])] + day} for e in entries(1, 2, 3)])
        if day == 2:
            poll(d, origin, "b", [{**entries(2)[0], "id": "other", "votes": 900}])
        d.clock.until(2025, 3, 11 + day, 7, 0)
    assert guids(d) == ["i-2", "i-3"], "by votes, and the third one had no room"
    assert list(states(d).values()) == ["skipped"] * 4 + ["sealed"]


def test_among_brings_back_what_had_no_room(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0, edition={**EVERY, "order": "votes", "top": 1, "among": "3 d"})
    poll(d, origin, "a", [{**e, "votes": 10 - int(e["id"][2:])} for e in entries(1, 2, 3)])
    for day in range(6):
        d.clock.until(2025, 3, 11 + day, 7, 0)
    assert guids(d) == ["i-1", "i-2", "i-3"]


def test_row_27_a_sink_that_fails_gets_the_same_edition_again(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0, edition={**EVERY, "order": "votes", "group": "source"}, sources={
        "a": api(origin, "a", entries(), counters={"votes": "votes"}),
        "b": api(origin, "b", entries(), counters={"votes": "votes"})})
    issue_plugin(d)
    d.routes["m"]["to"] = [{"issue": {"fails": 2}}, {"jsonl": {"path": "m.jsonl"}}]
    d.write()
    d.courant("reload")
    poll(d, origin, "a", [{**e, "votes": int(e["id"][2:])} for e in entries(1, 2)])
    poll(d, origin, "b", [{**e, "votes": int(e["id"][2:])} for e in entries(3, 4)])
    d.clock.until(2025, 3, 11, 7, 0)
    poll(d, origin, "a", [{**e, "votes": 1000} for e in entries(1, 2)])
    told = d.until(lambda: len(issues(d)) == 3 and issues(d), 20, "three attempts")
    assert [i["attempt"] for i in told] == [0, 1, 2]
    same = [{k: v for k, v in i.items() if k != "attempt"} for i in told]
    assert same[0] == same[1] == same[2]
    assert told[0]["name"] == "2025-03-11" and told[0]["zone"] == "Europe/Paris"
    assert told[0]["guids"] == ["i-4", "i-3", "i-2", "i-1"] == guids(d)
    assert told[0]["sections"] == [{"title": "b", "first": 0, "n": 2, "left_out": 0},
                                   {"title": "a", "first": 2, "n": 2, "left_out": 0}]
    assert told[0]["to"] - told[0]["from"] == 86400000
    assert [r["counters"]["votes"] for r in told[0]["records"]] == [4, 3, 2, 1]
    # A thousand votes now, and another source of the same story.
    poll(d, origin, "b", [{**e, "votes": 2000} for e in entries(1, 3, 4)])
    d.courant("replay", "m/issue", "--id", told[0]["records"][3]["id"], "--again", "--yes")
    d.until(lambda: len(issues(d)) == 4, 20, "it is replayed")
    again = issues(d)[3]
    assert {**again, "attempt": 0} == told[0], "byte for byte"
    d.settled()
    sink = next(s for s in d.route("m")["sinks"] if s["name"] == "issue")
    assert sink["unconfirmed"] == 0 and sink["dead"] == 0


def test_a_refused_edition_is_a_dead_letter_and_is_replayed_whole(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    issue_plugin(d)
    d.routes["m"]["to"] = {"issue": {"fails": 9}}
    d.write()
    d.courant("reload")
    poll(d, origin, "a", entries(1, 2, 3))
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: d.route("m")["sinks"][0]["dead"] == 1, 20, "a dead letter")
    d.routes["m"]["to"] = {"issue": {}}
    d.write()
    d.courant("reload")
    d.courant("replay", "m/issue", "--dead")
    d.until(lambda: d.route("m")["sinks"][0]["dead"] == 0, 20, "it was delivered")
    first, again = issues(d)
    assert first["guids"] == again["guids"] and len(first["guids"]) == 3 and first["name"] == again["name"]


@pytest.mark.parametrize("who", ["store", "all"])
def test_a_kill_behind_the_sealing_changes_and_loses_nothing(weekly, origin, who):
    d = weekly(2025, 3, 10, 12, 0, edition={**EVERY, "order": "votes"})
    poll(d, origin, "a", [{**e, "votes": int(e["id"][2:])} for e in entries(*range(1, 30))])
    d.clock.set(datetime.datetime(2025, 3, 11, 6, 54, tzinfo=PARIS))
    d.clock.look()
    d.clock.set(datetime.datetime(2025, 3, 11, 7, 0, tzinfo=PARIS))
    d.courant("status")
    if who == "all":
        d.kill()
        d.start(wait=False)
    else:
        os.kill(d.pids()["store"], signal.SIGKILL)
    d.until(d.ready)
    d.clock.look()
    d.until(lambda: len(guids(d)) == 29, 20, "the edition is delivered")
    assert guids(d) == [f"i-{n}" for n in range(29, 0, -1)] and states(d) == {"2025-03-11": "sealed"}


def test_row_28_an_edition_without_records_is_skipped_and_says_so(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    d.clock.until(2025, 3, 11, 7, 0)
    (told,) = editions(d)["editions"]
    assert told["state"] == "skipped" and told["why"] == "there was nothing new"
    assert "there was nothing new" in d.courant("editions", "m").stdout.decode()
    poll(d, origin, "a", entries(1))
    d.clock.until(2025, 3, 12, 7, 0)
    assert states(d)["2025-03-12"] == "sealed" and guids(d) == ["i-1"]


def test_row_29_the_next_one_is_told_with_its_candidates(weekly, origin):
    d = weekly(2025, 3, 14, 12, 0, edition={**EVERY, "on": ["mon", "tue", "wed", "thu", "fri"], "top": 1})
    poll(d, origin, "a", entries(1, 2))
    told = editions(d, "m", "--next")
    assert (told["name"], told["due"], told["zone"]) == ("2025-03-17", "2025-03-17T06:00:00Z", "Europe/Paris")
    assert told["candidates"] == 2 and len(told["items"]) == len(told["others"]) == 1
    text = d.courant("editions", "m", "--next").stdout.decode()
    assert "2025-03-17T06:00:00Z, Europe/Paris), 2 candidates" in text and "without room:" in text
    d.courant("editions", "m", "--without", told["items"][0]["id"])
    assert editions(d, "m", "--next")["items"] == told["others"]
    d.clock.until(2025, 3, 17, 7, 0)
    assert guids(d) == [next(g for g in ("i-1", "i-2") if d.explain(g)[0]["id"] == told["others"][0]["id"])]
    refused = d.courant("editions", "m", "--without", guids(d)[0], check=False)
    assert refused.returncode == 1 and b"what is sealed stays" in refused.stderr


def test_row_30_what_had_no_room_is_counted_and_kept(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0, edition={**EVERY, "order": "votes", "top": 10})
    poll(d, origin, "a", [{**e, "votes": int(e["id"][2:])} for e in entries(*range(1, 301))])
    d.clock.until(2025, 3, 11, 7, 0)
    assert guids(d) == [f"i-{n}" for n in range(300, 290, -1)]
    told = editions(d, "m", "2025-03-11")["edition"]
    assert (told["records"], told["left_out"]) == (10, 290) and len(told["items"]) == 10
    assert len(told["others"]) == 290 and "number 290 " in told["others"][0]["title"]


@pytest.mark.parametrize("edition, why", [
    ({"tz": "Europe/Pariss"}, 'edition: tz: there is no zone "Europe/Pariss", did you mean Europe/Paris?'),
    ({"tz": "../../etc/passwd"}, "there is no zone"),
    ({"at": "7"}, "edition: at: a time of day"), ({"at": "24:00"}, "edition: at: a time of day"),
    ({"on": ["monday"]}, 'edition: on: "monday" is none of'),
    ({"every": "week", "on": ["mon", "tue"]}, "on one day"),
    ({"every": "month", "on": ["29"]}, "from 1 to 28, or last"),
    ({"every": "year"}, "every"), ({"order": "BEST"}, "order"), ({"tops": 3}, "tops"),
])
def test_row_31_mistakes_are_told_with_their_line(daemon, origin, edition, why):
    d = daemon({"a": api(origin, "a", entries())},
               {"m": {"from": ["*"], "edition": {**EVERY, **edition}, "to": {"jsonl": {"path": "m.jsonl"}}}})
    code, said = d.run("-n")
    assert code == 1 and why in said and f"{d.folder}/courant.yaml:" in said, said


def test_row_32_sealing_by_hand_is_done_once(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    poll(d, origin, "a", entries(1))
    first = editions(d, "m", "--seal")
    assert first["edition"]["name"] == "2025-03-10" and first["edition"]["records"] == 1
    poll(d, origin, "a", entries(1, 2))
    assert editions(d, "m", "--seal")["edition"] == first["edition"]
    d.clock.until(2025, 3, 11, 6, 0)
    editions(d, "m", "--seal")
    d.clock.until(2025, 3, 11, 7, 0)
    assert [e["name"] for e in editions(d)["editions"]] == ["2025-03-11", "2025-03-10"]
    d.settled()
    assert guids(d) == ["i-1", "i-2"]
    assert d.courant("editions", "nobody", check=False).returncode == 1
    assert d.courant("editions", "m", "2020-01-01", check=False).returncode == 1


def test_an_edition_is_replayed_once_however_its_records_are_named(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    issue_plugin(d)
    d.routes["m"]["to"] = [{"issue": {}}, {"jsonl": {"path": "m.jsonl"}}]
    d.write()
    d.courant("reload")
    poll(d, origin, "a", entries(1, 2, 3))
    d.clock.until(2025, 3, 11, 7, 0)
    last = d.lines("m.jsonl")[-1]["id"]
    first = issues(d)[0]
    for named in (("--id", last), ("--since", "1 d")):
        before = len(issues(d))
        d.courant("replay", "m/issue", *named, "--again", "--yes")
        d.until(lambda: len(issues(d)) == before + 1, 20, "it comes again")
        d.settled()
        again = issues(d)[-1]
        assert (again["id"], again["guids"]) == (first["id"], first["guids"]) and len(issues(d)) == before + 1
    d.courant("test", "m/issue")
    told = issues(d)[-1]
    assert told["name"] == "test" and len(told["guids"]) == 1 and told["sections"] == [
        {"title": "", "first": 0, "n": 1, "left_out": 0}]


def test_an_edition_that_is_too_large_for_a_batch_tells_what_it_leaves_out(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0, edition={**EVERY, "order": "seen", "group": "source"})
    issue_plugin(d)
    d.routes["m"]["to"] = {"issue": {}}
    d.write()
    d.courant("reload")
    for k in range(5):
        poll(d, origin, "a", [{**e, "text": f"{e['id']} " + "word " * 200000} for e in entries(*range(8 * k, 8 * k + 8))])
    d.clock.until(2025, 3, 11, 7, 0)
    (told,) = d.until(lambda: issues(d), 20, "the edition")
    given = len(told["guids"])
    assert 10 <= given < 40 and told["left_out"] == 40 - given
    assert told["sections"] == [{"title": "a", "first": 0, "n": given, "left_out": 40 - given}]
    assert editions(d, "m", "2025-03-11")["edition"]["records"] == 40


def test_sections_by_route_and_a_ranking_by_sources(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0, sources={s: api(origin, s, entries()) for s in "ab"},
               edition={**EVERY, "order": "sources", "group": "route", "top": 3},
               one={"from": ["a"]}, two={"from": ["b"]})
    issue_plugin(d)
    d.routes["m"].update({"from": ["one", "two"], "to": [{"issue": {}}, {"feed": {"path": "m", "keep": 9}}]})
    d.write()
    d.courant("reload")
    poll(d, origin, "a", entries(1, 2))
    poll(d, origin, "b", [{**e, "id": f"b-{e['id']}"} for e in entries(2, 3, 4)])
    d.clock.until(2025, 3, 11, 7, 0)
    (told,) = d.until(lambda: issues(d), 20, "the edition")
    assert told["guids"][0] == "i-2", "two sources tell it"
    assert [s["title"] for s in told["sections"]] == ["one", "two"] and [s["n"] for s in told["sections"]] == [1, 2]
    assert told["left_out"] == 1 and sum(s["left_out"] for s in told["sections"]) == 1
    (listed,) = json.loads(d.out("m.json").read_text())["items"]
    assert listed["title"] == "m, Tuesday, 11 March 2025" and listed["content_html"].count("<li>") == 3


def test_a_sink_that_takes_editions_alone_needs_them(daemon, origin):
    d = daemon({"a": api(origin, "a", entries())}, {"m": {"from": ["*"], "to": {"issue": {}}}})
    issue_plugin(d)
    d.write()
    code, said = d.run("-n")
    assert code == 1 and "it takes editions, and the route makes none" in said and "courant.yaml:" in said, said


def test_weeks_and_months_have_their_names(weekly, origin):
    more = {"w": {"from": ["*"], "edition": {**EVERY, "every": "week"}, "to": {"jsonl": {"path": "w.jsonl"}}},
            "y": {"from": ["*"], "edition": {**EVERY, "every": "month", "on": "last"}, "to": {"jsonl": {"path": "y.jsonl"}}}}
    d = weekly(2026, 12, 26, 12, 0, **more)
    poll(d, origin, "a", entries(1))
    d.clock.until(2026, 12, 28, 7, 0)
    assert states(d, "w") == {"2026-W53": "sealed"} and states(d, "y") == {}
    d.clock.until(2026, 12, 31, 7, 0)
    assert states(d, "y") == {"2026-12": "sealed"} and guids(d, "y.jsonl") == ["i-1"]


def test_filters_judge_and_other_routes_draw_what_they_took(weekly, origin):
    d = weekly(2025, 3, 10, 12, 0)
    d.routes["m"]["filters"] = [{"match": {"where": ["votes >= 10"]}}]
    d.routes["other"] = {"from": ["m"], "to": {"jsonl": {"path": "other.jsonl"}}}
    d.write()
    d.courant("reload")
    poll(d, origin, "a", [{**e, "votes": 9 + k} for k, e in enumerate(entries(1, 2, 3))])
    assert sorted(guids(d, "other.jsonl")) == ["i-2", "i-3"], "at once"
    d.clock.settles = False         # a route behind one with filters hears of rows that are its own alone
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: sorted(guids(d)) == ["i-2", "i-3"], 20, "the edition is delivered")
    assert len(guids(d, "other.jsonl")) == 2
    tried = d.courant("try", "m", "-c", str(d.folder / "courant.yaml"))
    assert tried.returncode == 0
    d.courant("refilter", "m")
    assert sorted(guids(d)) == ["i-2", "i-3"]
