"""Routes at work: reloads under way, failures and pauses, waiting, state, groups, explanations."""
import contextlib
import re
import shutil
import sqlite3
import time

from courant import BUILD, SLOW, numbered, rss

TEXT = {"lines": "source_lines", "floor": "filter_floor", "trial": "sink_trial"}


def load(d, *names):
    """The test plugins of these names into the daemon's plugin folder."""
    where = d.folder / "plugins"
    where.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(BUILD / "tests" / "plugins" / f"{TEXT[name]}.so", where)
        (where / f"{TEXT[name]}.so").chmod(0o755)
    d.settings["plugins"] = [str(where)]


def trial(d, name="trial.out"):
    """What sink_trial wrote: [(batch, record, guid, attempt, count)]."""
    path = d.out(name)
    lines = path.read_text().splitlines() if path.exists() else []
    return [tuple(line.split(" ")) for line in lines]


def guids(d, name="trial.out"):
    return [line[2] for line in trial(d, name)]


def feed(origin, name, first, last):
    return {"plugin": "feed", "url": origin.put(f"{name}.xml", rss(numbered(first, last, name))),
            "every": "1 h"}


# -- reloads

def slow_and_fast(daemon, origin):
    d = daemon()
    load(d, "trial")
    d.sources = {"a": feed(origin, "a", 1, 2)}
    d.routes = {"slow": {"from": ["a"], "to": {"trial": {"path": "trial.out", "time": f"{int(3000 * SLOW)} ms"}}},
                "fast": {"from": ["*"], "to": {"jsonl": {"path": "fast.jsonl"}}}}
    d.write()
    d.start()
    d.until(lambda: d.route("slow")["sinks"][0]["state"] == "working", 10, "the slow sink works")
    return d


def test_a_reload_is_taken_at_once_while_a_sink_is_at_work(daemon, origin):
    d = slow_and_fast(daemon, origin)
    pid = d.route("slow")["sinks"][0]["pid"]
    d.sources["b"] = feed(origin, "b", 1, 1)
    d.write()
    begun = time.monotonic()
    d.courant("reload")
    d.until(lambda: "b-1" in d.out("fast.jsonl").read_text(), 10, "the new source's record is out")
    took = time.monotonic() - begun
    leg = d.route("slow")["sinks"][0]
    assert leg["state"] == "working" and leg["pid"] == pid, leg
    assert took < 1 * SLOW, f"{took:.2f} s from reload to record"
    d.settled()
    assert guids(d) == ["a-1", "a-2"], "delivered once, by the worker that began"


def test_a_sink_whose_options_change_ends_its_batch_and_the_next_goes_by_the_new(daemon, origin):
    d = slow_and_fast(daemon, origin)
    d.routes["slow"]["to"]["trial"] = {"path": "other.out"}
    d.routes["slow"]["to"] = [{"jsonl": {"path": "first.jsonl"}}, d.routes["slow"]["to"]]
    d.write()
    d.courant("reload")
    origin.put("a.xml", rss(numbered(1, 3, "a")))
    d.refresh("a")
    d.settled()
    assert guids(d) == ["a-1", "a-2"] and guids(d, "other.out") == ["a-3"]
    assert [r["guid"] for r in d.lines("first.jsonl")] == ["a-1", "a-2", "a-3"]


def test_a_sink_that_a_reload_removes_and_one_that_comes_back(daemon, origin):
    d = slow_and_fast(daemon, origin)
    slow = d.routes.pop("slow")
    d.write()
    d.courant("reload")
    assert [r["name"] for r in d.status()["routes"]] == ["fast"]
    slow["to"]["trial"].pop("time")
    d.routes["slow"] = slow
    d.write()
    d.courant("reload")
    d.settled()
    assert set(guids(d)) == {"a-1", "a-2"}
    assert d.stop() == 0


# -- failures

def test_a_batch_of_which_part_is_taken_waits_as_after_a_first_failure(daemon, origin):
    d = daemon()
    load(d, "trial")
    d.sources = {"a": feed(origin, "a", 1, 2)}
    d.routes = {"r": {"from": ["a"], "to": {"trial": {"path": "trial.out", "orders": "orders"}}}}
    d.write()
    (d.state / "out").mkdir()
    d.out("orders").write_text("retry -1 a-1\n")
    d.own(d.state)
    d.start()
    d.until(lambda: d.log().count("told to try again") >= 3, 20, "it failed three times")
    d.out("orders").write_text("retry -1 a-2\n")    # the next try is in four seconds
    d.until(lambda: guids(d) == ["a-1"], 20, "part of the batch is taken")
    begun = time.monotonic()
    d.out("orders").write_text("")
    d.until(lambda: guids(d) == ["a-1", "a-2"], 20, "and then the rest")
    assert time.monotonic() - begun < 4 * SLOW, "the time of a fourth failure"
    assert [line[3] for line in trial(d)] == ["3", "1"]


def committed_failures(d):
    """In a row, of all sinks: those that a kill -9 leaves. The log tells of one before its commit."""
    with contextlib.closing(sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT total(failures) FROM leg").fetchone()[0]


def test_a_sink_is_told_how_often_the_first_record_failed_also_after_a_restart(daemon, origin):
    d = daemon()
    load(d, "trial")
    d.sources = {"a": feed(origin, "a", 1, 2)}
    d.routes = {"r": {"from": ["a"], "to": {"trial": {"path": "trial.out", "orders": "orders"}}}}
    d.write()
    (d.state / "out").mkdir()
    d.out("orders").write_text("retry 100\n")
    d.own(d.state)
    d.start()
    d.until(lambda: committed_failures(d) >= 2, 10, "two failures are committed")
    d.kill()
    since = len(d.log())
    d.start()
    d.wait_log("told to try again", since=since)
    d.out("orders").write_text("\n")
    d.settled()
    assert guids(d) == ["a-1", "a-2"]
    assert all(int(line[3]) >= 3 for line in trial(d)), trial(d)


def hanging(daemon, origin, order):
    """A daemon with two records and a sink of this order, which has a second at most, beside another."""
    d = ordered(daemon, origin, order, sinks=2, limits={"job_deadline": f"{int(1000 * SLOW)} ms"})
    d.until_lines(2)            # the other is not held up
    d.wait_log(r"died of r: its deadline of \d+ s passed")
    return d


def deaths(d):
    return len(re.findall(r"worker \d+ \(r/trial\) died of r: its deadline of \d+ s passed", d.log()))


def test_a_sink_that_hangs_is_killed_at_its_deadline_and_its_batch_tried_again(daemon, origin):
    d = hanging(daemon, origin, "hang once")
    d.settled()
    assert guids(d) == ["a-1", "a-2"] and deaths(d) == 1
    assert not pending(d) and leg(d)["dead"] == 0


def test_a_sink_that_hangs_on_a_record_parks_it_after_two_workers(daemon, origin):
    d = hanging(daemon, origin, "hang")
    d.until(lambda: leg(d)["dead"] == 1, 20, "the record is parked")
    d.out("orders").write_text("\n")
    d.settled()
    parked = [row for row in pending(d) if "2 workers died of it: its deadline" in row[4]]
    assert [row[1] for row in parked][:1] == [3] and leg(d)["dead"] == len(parked) == deaths(d) // 2
    assert guids(d) == ["a-1", "a-2"][len(parked):]


# -- groups of filters

def floor(least):
    return {"floor": {"of": "comments", "least": least, "below": "drop"}}


def test_filters_in_groups(daemon, origin):
    d = daemon()
    load(d, "floor")
    items = "".join(f"<item><guid>g{n}</guid><title>Item {n}</title>"
                    f"<slash:comments>{n}</slash:comments></item>" for n in (5, 15, 25, 35))
    url = origin.put("c.xml", ('<rss version="2.0" '
                     'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel>'
                     f"<title>c</title>{items}</channel></rss>").encode())
    d.sources = {"c": {"plugin": "feed", "url": url, "every": "1 h"}}
    groups = {
        "any": ([{"any": [floor(30), floor(10)]}], {"g15", "g25", "g35"}),
        "all": ([{"all": [floor(10), floor(20)]}], {"g25", "g35"}),
        "none": ([{"none": [floor(20), floor(30)]}], {"g5", "g15"}),
        "nested": ([floor(10), {"any": [floor(30), {"none": [floor(20)]}]}], {"g15", "g35"}),
    }
    d.routes = {name: {"from": ["c"], "filters": filters, "to": {"jsonl": {"path": f"{name}.jsonl"}}}
                for name, (filters, _) in groups.items()}
    d.write()
    d.start()
    d.settled()
    for name, (_, kept) in groups.items():
        assert {r["guid"] for r in d.lines(f"{name}.jsonl")} == kept, name


# -- pause and resume

def ordered(daemon, origin, order, sinks=1, **settings):
    """A daemon whose sink `trial` obeys this order, with two records to deliver."""
    d = daemon(settings=settings)
    load(d, "trial")
    d.sources = {"a": feed(origin, "a", 1, 2)}
    to = [{"trial": {"path": "trial.out", "orders": "orders"}}, {"jsonl": {"path": "all.jsonl"}}]
    d.routes = {"r": {"from": ["a"], "to": to[:sinks]}}
    d.write()
    (d.state / "out").mkdir()
    d.out("orders").write_text(f"{order}\n")
    d.own(d.state)
    d.start()
    return d


def leg(d):
    return d.route("r")["sinks"][0]


def pending(d):
    with sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True) as db:
        return db.execute("SELECT n, state, attempts, due, reason FROM outbox").fetchall()


def paused(d):
    d.until(lambda: leg(d)["state"] == "paused", 10, "the sink is paused")


def test_a_sink_whose_receiver_is_gone_is_paused_until_it_is_resumed(daemon, origin):
    d = ordered(daemon, origin, "gone", sinks=2)
    paused(d)
    assert leg(d)["reason"] == "told that nobody is there" and leg(d)["place"] == 0
    assert "paused: told that nobody is there; `courant resume r`" in d.courant("status").stdout.decode()
    assert [row[1:4] for row in pending(d)] == [(4, 1, 0)], "one row, tried once, due never"
    origin.put("a.xml", rss(numbered(1, 3, "a")))
    d.refresh("a")
    d.until_lines(3)		# the other sink is not held up
    d.kill()
    d.out("orders").write_text("\n")
    d.start()
    paused(d)
    assert leg(d)["reason"] == "told that nobody is there" and guids(d) == []
    assert b"r/trial is resumed" in d.courant("resume", "r/trial").stdout
    d.settled()
    assert guids(d) == ["a-1", "a-2", "a-3"]
    d.until(lambda: leg(d)["state"] == "idle" and not pending(d), 10, "the row is gone")
    assert leg(d)["reason"] is None and leg(d)["retry"] == 0


def test_a_paused_sink_that_is_resumed_too_early_is_paused_again(daemon, origin):
    d = ordered(daemon, origin, "gone")
    paused(d)
    d.courant("resume", "r")
    d.until(lambda: d.log().count("told that nobody is there") == 2, 10, "it was asked again")
    paused(d)
    assert [row[2] for row in pending(d)] == [1]


def test_resume_makes_a_retry_due_at_once(daemon, origin):
    d = ordered(daemon, origin, "retry 3600000")
    d.until(lambda: leg(d)["state"] == "retrying" and pending(d), 10, "it waits for an hour")
    (row,) = pending(d)
    assert row[1:3] == (4, 1) and row[4] == "told to try again", row
    assert 3590 < row[3] / 1000 - time.time() < 3610, row
    assert leg(d)["retry"] == 1
    d.out("orders").write_text("reject a-1\n")
    d.courant("resume", "r")
    d.settled()
    assert guids(d) == ["a-2"]
    d.until(lambda: [row[1] for row in pending(d)] == [2], 10, "it is now a dead letter")


def test_a_paused_sink_whose_options_change_goes_on(daemon, origin):
    d = ordered(daemon, origin, "gone")
    paused(d)
    d.courant("reload")		# nothing changed
    paused(d)
    d.routes["r"]["to"][0]["trial"]["orders"] = "other"
    d.write()
    d.courant("reload")
    d.settled()
    assert guids(d) == ["a-1", "a-2"]


def test_resume_says_what_there_is_when_a_name_is_wrong(daemon, origin):
    d = ordered(daemon, origin, "gone")
    for name, said in [("nix", b"there is no route nix; there are: r\n"),
                       ("r/nix", b"route r has no sink nix; it has trial\n")]:
        done = d.courant("resume", name, check=False)
        assert (done.returncode, done.stderr) == (1, said)
