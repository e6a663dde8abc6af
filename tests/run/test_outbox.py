"""Dead letters, replays, drops and skips: what is unconfirmed and why, and what an operator does about it."""
import base64
import contextlib
import json
import random
import re
import sqlite3
import time

import pytest

from courant import SLOW, TREE, numbered, rss
from receiver import Receiver

KEY = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
SOON = ["20 ms", "20 ms"]               # delays of further tries; then it is a dead letter


@pytest.fixture
def hooked(daemon, origin):
    """A daemon whose source has so many records, and whose route ends in a webhook."""
    def make(receiver, records=5, start=True, **options):
        origin.put("f.xml", rss(numbered(1, records)))
        d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
                   {"hooks": {"from": ["*"], "to": {"webhook": {
                       "url": receiver.url(), "secret": KEY, "backlog": "all", "retry": SOON, **options}}}})
        return d.start() if start else d
    return make


def more(d, origin, records):
    origin.put("f.xml", rss(numbered(1, records)))
    d.refresh("one")


def number(hook):
    return int(re.search(r"\d+", hook.json["title"])[0])


def refusing(*numbers, status=422):
    """An answer that refuses the records of these numbers."""
    return lambda hook, _: status if number(hook) in numbers else 200


def leg(d):
    return d.route("hooks")["sinks"][0]


def counts(d):
    return {k: leg(d)[k] for k in ("delivered", "unconfirmed", "retry", "replay", "dead")}


def good(**numbers):
    return {"delivered": 0, "unconfirmed": 0, "retry": 0, "replay": 0, "dead": 0, **numbers}


def explained(d, what):
    return d.explain(what)[0]["routes"][0]["sinks"][0]


def order(d, *arguments):
    """The sums of an order's first sink."""
    return json.loads(d.courant(*arguments, "--json").stdout)["sinks"][0]


def sql(d, text):
    with contextlib.closing(sqlite3.connect(d.state / "courant.db")) as db, db:
        return db.execute(text).fetchall()


def test_dead_letters_are_told_by_reason_and_replayed_once_beside_new_records(hooked, origin):
    with Receiver(refusing(2, 4)) as r:
        d = hooked(r)
        d.until(lambda: counts(d) == good(delivered=3, dead=2), 20, "two are dead letters")
        dead = json.loads(d.courant("dead", "--json").stdout)["sinks"]
        assert [(s["route"], s["sink"], s["dead"]) for s in dead] == [("hooks", "webhook", 2)]
        (group,) = dead[0]["groups"]
        ids = [h.id for h in r.hooks if number(h) in (2, 4)]
        assert group["count"] == 2 and "422" in group["reason"] and group["ids"] == list(dict.fromkeys(ids))
        shown = d.courant("dead", "hooks/webhook").stdout.decode()
        assert shown.startswith("hooks/webhook: 2 dead letters") and "2 127.0.0.1" in shown and ids[0] in shown
        assert b"no dead letters" in d.courant("dead", "hooks/filters", check=False).stdout

        dry = order(d, "replay", "hooks", "--dead", "--dry-run")
        assert dry["taken"] == 2 and counts(d)["dead"] == 2
        before = len(r.hooks)
        r.answer = lambda *_: 200
        assert order(d, "replay", "hooks/webhook", "--dead", "--rate", "5")["taken"] == 2
        more(d, origin, 9)
        d.until(lambda: counts(d) == good(delivered=9), 20, "all are delivered")
        came = r.hooks[before:]
        assert sorted(number(h) for h in came) == [2, 4, 6, 7, 8, 9], "each once"
        assert {h.id for h in came if number(h) in (2, 4)} == set(ids), "under their own ids"
        assert all(h.verified(KEY) for h in came)
        times = {number(h): h.when for h in came}
        assert times[4] - times[2] > 0.15, "at the rate that was asked for"
        assert max(times[n] for n in (6, 7, 8, 9)) < times[4] + 5, "new records go on"
        assert b"no dead letters" in d.courant("dead").stdout
        assert explained(d, ids[0])["state"] == "delivered"


def test_a_replay_that_fails_waits_by_itself_and_delays_nobody(hooked, origin):
    with Receiver(refusing(2)) as r:
        d = hooked(r, 3, retry=["20 ms", "20 ms"])
        d.until(lambda: counts(d) == good(delivered=2, dead=1), 20, "one is a dead letter")
        d.routes["hooks"]["to"]["webhook"]["retry"] = ["1 h"]
        d.write()
        d.courant("reload")
        r.answer = refusing(2, status=503)
        order(d, "replay", "hooks", "--dead")
        d.until(lambda: [h.status for h in r.hooks][-1] == 503, 20, "it is tried")
        d.until(lambda: counts(d) == good(delivered=2, unconfirmed=1, replay=1), 20, "and waits")
        (dead,) = [h.id for h in r.hooks if number(h) == 2][:1]
        told = explained(d, dead)
        assert told["state"] == "replay" and told["attempts"] == 1 and "503" in told["error"] and told["due"]
        assert leg(d)["state"] == "idle" and "next" not in leg(d)
        more(d, origin, 6)
        d.until(lambda: counts(d)["delivered"] == 5, 10, "new records go on")
        d.kill()
        d.start()
        assert counts(d) == good(delivered=5, unconfirmed=1, replay=1)
        assert order(d, "drop", "hooks", "--id", dead)["taken"] == 1
        assert counts(d) == good(delivered=5)
        assert explained(d, dead)["state"] == "dropped"


def test_dead_letters_and_replays_outlive_kills(hooked, origin):
    with Receiver(refusing(*range(1, 31))) as r:
        d = hooked(r, 30)
        dead = 0
        for _ in range(50 if SLOW == 1 else 10):       # at first while they become dead letters
            assert counts(d)["dead"] >= dead, "none is forgotten"
            dead = counts(d)["dead"]
            time.sleep(random.random() / 10)
            d.kill()
            d.start()
        d.until(lambda: counts(d) == good(dead=30), 60, "all are dead letters")
        r.answer = lambda *_: 200
        before = len(r.hooks)
        order(d, "replay", "hooks", "--dead", "--rate", "20")
        for n in (5, 12, 20):
            d.until(lambda: len(r.hooks) - before >= n, 20, f"{n} are replayed")
            d.kill()
            d.start()
        d.until(lambda: counts(d) == good(delivered=30), 30, "all are delivered")
        came = [number(h) for h in r.hooks[before:]]
        assert sorted(set(came)) == list(range(1, 31)) and len(came) <= 30 + 3 * 6, came
        assert list(dict.fromkeys(came)) == sorted(set(came), key=came.index)
        firsts = list(dict.fromkeys(came))
        order_ = [number(h) for h in r.hooks[:before]]
        assert firsts == list(dict.fromkeys(order_)), "in order among themselves"


def test_what_was_delivered_is_replayed_only_again_and_by_id(hooked, origin):
    with Receiver() as r:
        d = hooked(r, 4)
        d.until(lambda: counts(d) == good(delivered=4), 20, "all are delivered")
        ids = [h.id for h in r.hooks]
        assert order(d, "replay", "hooks", "--since", "1h")["confirmed"] == 4
        assert order(d, "replay", "hooks", "--id", ids[2])["confirmed"] == 1
        time.sleep(0.3)
        assert len(r.hooks) == 4
        assert order(d, "replay", "hooks", "--id", ids[2], "--again")["taken"] == 1
        d.until(lambda: len(r.hooks) == 5, 20, "one comes again")
        d.until(lambda: counts(d) == good(delivered=4), 20, "and is counted once")
        assert order(d, "replay", "hooks", "--since", "1h", "--again", "--rate", "50")["taken"] == 4
        d.until(lambda: len(r.hooks) == 9, 20, "all come again")
        assert [h.id for h in r.hooks[5:]] == ids
        gone = d.courant("replay", "hooks", "--id", "a" * 26, check=False)
        assert gone.returncode == 1 and b"no record has the id" in gone.stderr
        unknown = d.courant("replay", "hook", "--dead", check=False)
        assert unknown.returncode == 1 and b"there is no route hook; hooks" in unknown.stderr
        for rate in ("0", "1e-300", "1001", "nan", "5 a second"):
            for command in (["replay", "hooks", "--dead"], ["refilter", "hooks", "--deliver"]):
                misused = d.courant(*command, "--rate", rate, check=False)
                assert misused.returncode == 2 and b"from one a day up to 1000" in misused.stderr
        unknown = d.courant("replay", "hooks/feed", "--dead", check=False)
        assert b"route hooks has no sink feed; webhook" in unknown.stderr


def test_more_than_a_hundred_are_replayed_only_when_that_is_confirmed(hooked, origin):
    with Receiver() as r:
        d = hooked(r, 101)
        d.until(lambda: counts(d) == good(delivered=101), 30, "all are delivered")
        asked = d.courant("replay", "hooks", "--since", "1h", "--again", check=False)
        assert asked.returncode == 2 and b"101 records are meant" in asked.stderr
        time.sleep(0.3)
        assert len(r.hooks) == 101
        order(d, "replay", "hooks", "--since", "1h", "--again", "--rate", "1000", "--yes")
        d.until(lambda: len(r.hooks) == 202, 30, "all come again")


def test_a_list_has_nothing_to_replay(daemon, origin):
    d = daemon({"one": {"plugin": "feed", "url": origin.put("f.xml", rss(numbered(1, 3))), "every": "1 h"}},
               {"list": {"from": ["*"], "to": {"feed": {"path": "list", "keep": 2}}}}).start().settled()
    said = d.courant("replay", "list", "--since", "1h", "--again").stdout
    assert said == b"list/feed: writes lists, which are written whole: nothing to replay\n"
    told = sorted(explained(d, f"n-{n}")["why"] for n in (1, 2, 3))
    assert told == ["it is in the list of the newest 2"] * 2 + [
        "it was in the list of the newest 2, pushed out since"]


def test_the_record_that_blocks_a_sink_can_be_given_up(hooked, origin):
    with Receiver(refusing(2, status=500)) as r:
        d = hooked(r, 4, retry=["1 h"])
        d.until(lambda: counts(d) == good(delivered=1, unconfirmed=3, retry=1), 20, "it waits for an hour")
        assert leg(d)["next"] and leg(d)["oldest"] and leg(d)["state"] == "retrying"
        blocks = r.hooks[-1].id
        assert order(d, "drop", "hooks", "--id", blocks)["taken"] == 1
        d.courant("resume", "hooks")
        d.until(lambda: counts(d) == good(delivered=3), 20, "the others are delivered")
        assert [number(h) for h in r.hooks] == [1, 2, 3, 4]
        told = explained(d, blocks)
        assert told["state"] == "dropped" and "gave it up" in told["why"] and "500" in told["error"]
        assert order(d, "replay", "hooks", "--since", "1h", "--dry-run") == {
            "route": "hooks", "sink": "webhook", "taken": 1, "confirmed": 3, "lost": 0, "waiting": 0, "busy": 0}


def test_resume_of_all_and_from_a_time_on(hooked, origin):
    with Receiver(410) as r:
        d = hooked(r, 3)
        d.until(lambda: leg(d)["paused"] and leg(d)["state"] == "paused", 20, "its receiver is gone")
        assert counts(d) == good(unconfirmed=3, retry=1)
        time.sleep(1.1)
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        time.sleep(1.1)
        more(d, origin, 5)
        d.until(lambda: counts(d)["unconfirmed"] == 5, 20, "more wait")
        r.answer = lambda *_: 200
        said = d.courant("resume", "--all", "--skip-to", since).stdout.decode()
        assert "hooks/webhook: 3 records skipped" in said and "hooks/webhook is resumed" in said
        d.until(lambda: counts(d) == good(delivered=2), 20, "those since then come")
        assert sorted(number(h) for h in r.hooks if h.status == 200) == [4, 5]
        assert "skip" in explained(d, "n-1")["why"]
        assert order(d, "replay", "hooks", "--since", "1h", "--rate", "100")["taken"] == 3
        d.until(lambda: counts(d) == good(delivered=5), 20, "and the skipped ones when they are wanted")


def test_a_paused_sink_replays_all_the_same(hooked, origin):
    with Receiver(refusing(1)) as r:
        d = hooked(r, 2)
        d.until(lambda: counts(d) == good(delivered=1, dead=1), 20, "one is a dead letter")
        r.answer = refusing(3, status=410)
        more(d, origin, 3)
        d.until(lambda: leg(d)["paused"], 20, "the sink is paused")
        order(d, "replay", "hooks", "--dead")
        d.until(lambda: counts(d) == good(delivered=2, unconfirmed=1, retry=1), 20, "one is replayed")
        assert leg(d)["state"] == "paused" and leg(d)["paused"]


def test_a_hundred_thousand_dead_letters_pause_the_sink_and_drop_clears_them(hooked, origin):
    with Receiver(refusing(4, 5)) as r:
        d = hooked(r, 3)
        d.until(lambda: counts(d) == good(delivered=3), 20, "three are delivered")
        assert d.stop() == 0
        sql(d, "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 99999) "
            "INSERT INTO outbox (leg, n, kind, state, attempts, first, due, reason) "
            "SELECT (SELECT id FROM leg), n + 1000000, 1, 2, 1, 0, 0, 'old' FROM c")
        d.start()
        more(d, origin, 6)
        d.until(lambda: leg(d)["paused"], 20, "the sink is paused")
        assert counts(d) == good(delivered=3, dead=100000, unconfirmed=2)
        assert "100000 dead letters" in leg(d)["reason"]
        begun = time.monotonic()
        assert order(d, "drop", "hooks", "--dead")["taken"] == 100000
        assert time.monotonic() - begun < 30 * SLOW
        r.answer = lambda *_: 200
        d.courant("resume", "hooks")
        d.until(lambda: counts(d) == good(delivered=5), 20, "all the others are delivered")
        assert [n for n in map(number, r.hooks) if n > 4][-2:] == [5, 6]


def test_a_database_from_before_the_outbox_keeps_what_waits_and_what_is_dead(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 5)))
    with Receiver() as r:
        d = daemon({"one": {"plugin": "feed", "url": url, "every": "1 h"}},
                   {"hooks": {"from": ["*"], "to": {"webhook": {"url": r.url(), "backlog": "all", "retry": SOON}}}})
        with sqlite3.connect(d.state / "courant.db") as db:
            db.executescript((TREE / "tests/run/schema5.sql").read_text().replace("http://127.0.0.1:9/f.xml", url))
            db.execute("UPDATE pending SET due = ? WHERE state = 4", (int(time.time() * 1000) + 3600000,))
            db.execute("UPDATE leg SET due = ?", (int(time.time() * 1000) + 3600000,))
            ids = [row[0] for row in db.execute("SELECT rid FROM item ORDER BY id")]
        db.close()
        d.own(d.state)
        d.start()
        d.wait_log(r"brought from schema 5 to \d+")
        assert counts(d) == good(delivered=2, unconfirmed=2, retry=1, dead=1) and r.hooks == []
        assert "422" in d.courant("dead").stdout.decode() and "503" in leg(d)["reason"]
        d.courant("resume", "hooks")
        d.until(lambda: counts(d) == good(delivered=4, dead=1), 20, "what waited is delivered")
        order(d, "replay", "hooks", "--dead")
        d.until(lambda: counts(d) == good(delivered=5), 20, "and what was dead")
        assert [number(h) for h in r.hooks] == [4, 5, 2]
        text = [base64.b32encode(rid).decode().lower().rstrip("=") for rid in ids]
        assert [h.id for h in r.hooks] == [text[3], text[4], text[1]], "under their ids"


def test_a_sink_that_has_failed_for_five_days_is_paused(hooked, origin):
    with Receiver(refusing(1, 2, status=503)) as r:
        d = hooked(r, 2, retry=["200 ms"] * 30)
        d.until(lambda: len(r.hooks) > 2, 20, "it fails")
        d.stop()
        sql(d, f"UPDATE leg SET failing = {5 * 86400000 - 500}")        # as after five days, but half a second
        d.start()
        d.until(lambda: leg(d)["paused"], 20, "it is paused")
        assert "it has failed for 5 days: " in leg(d)["reason"] and "503" in leg(d)["reason"]
        assert counts(d) == good(unconfirmed=2, retry=1), "nothing is dropped"
        before = len(r.hooks)
        more(d, origin, 4)
        d.kill()
        d.start()
        time.sleep(0.5)
        assert leg(d)["paused"] and len(r.hooks) == before, "nor is it tried, also after a restart"
        r.answer = lambda *_: 200
        d.courant("resume", "hooks")
        d.until(lambda: counts(d) == good(delivered=4), 20, "all are delivered")
        assert sql(d, "SELECT failing FROM leg") == [(0,)]


def test_a_sink_is_tested_with_one_marked_record_that_counts_nowhere(hooked, origin):
    with Receiver() as r:
        d = hooked(r, 2)
        d.until(lambda: counts(d) == good(delivered=2), 20, "two are delivered")
        said = d.courant("test", "hooks").stdout.decode()
        assert said.startswith("hooks/webhook: took the sample "), said
        assert len(r.hooks) == 3 and r.hooks[2].json["title"] == "[test] " + r.hooks[1].json["title"]
        assert r.hooks[2].verified(KEY) and r.hooks[2].id in said
        assert r.hooks[2].id not in [h.id for h in r.hooks[:2]]
        assert counts(d) == good(delivered=2) and d.records() == 2
        r.answer = lambda *_: 410
        more(d, origin, 3)
        d.until(lambda: leg(d)["paused"], 20, "it is paused")
        r.answer = lambda *_: 503
        failed = d.courant("test", "hooks/webhook", check=False)
        assert failed.returncode == 1 and b"503" in failed.stderr + failed.stdout
        assert counts(d) == good(delivered=2, unconfirmed=1, retry=1) and leg(d)["paused"]
        unknown = d.courant("test", "hooks/mail", check=False)
        assert unknown.returncode == 1 and b"has no sink mail; it has webhook" in unknown.stderr
        unknown = d.courant("test", "hook", check=False)
        assert unknown.returncode == 1 and b"there is no route hook" in unknown.stderr


def test_a_sink_is_tested_before_there_is_any_record(daemon, origin):
    with Receiver() as r:
        d = daemon({"one": {"plugin": "feed", "url": origin.put("f.xml", rss([])), "every": "1 h"}},
                   {"r": {"from": ["*"], "to": [{"webhook": {"url": r.url()}}, {"feed": {"path": "f"}}]}}).start()
        done = d.courant("test", "r", check=False)
        assert done.returncode == 1 and b"r/feed: writes lists" in done.stderr
        assert b"r/webhook: took the sample" in done.stdout
        assert r.hooks[0].json["title"] == "[test] no record of this route yet"
