"""`courant refilter` and `courant try`: a changed filter and the past."""
import collections
import contextlib
import json
import random
import re
import sqlite3
import subprocess
import time

import pytest

from courant import LONG, SLOW, numbered, program, rss
from receiver import Receiver
from test_outbox import number

OLD, NEW = "re:[0-4]$", "re:[3-7]$"
MANY = 10000


def guid_set(records):
    return {r["guid"] for r in records}


def chosen(last, pattern, tag="n"):
    """The guids of the numbered records whose title's end a pattern of the filter names."""
    return {f"{tag}-{n}" for n in range(1, last + 1) if re.search(pattern[3:], str(n))}


def filtered(d, pattern, **more):
    return {"from": ["a"], "filters": [{"match": {"in": ["title"], "any": [pattern]}}],
            "to": [{"jsonl": {"path": "all.jsonl"}}, {"feed": {"path": "list", "keep": 1000}}], **more}


def begun(daemon, origin, last=MANY, pattern=OLD, **more):
    """A route that has delivered what its first filter keeps of `last` records."""
    d = daemon()
    d.sources = {"a": {"plugin": "feed", "url": origin.put("a.xml", rss(numbered(1, last))), "every": "1 h",
                       "hour_records": 100000}}
    d.routes = {"r": filtered(d, pattern, **more)}
    d.write()
    d.start()
    d.settled(60)
    return d


def change(d, pattern=NEW, **more):
    d.routes["r"] = filtered(d, pattern, **more)
    d.write()
    d.courant("reload")


def refilter(d, *arguments):
    return json.loads(d.courant("refilter", "r", *arguments, "--json", seconds=60).stdout)


def listed(d):
    text = d.out("list.json").read_text() if d.out("list.json").exists() else '{"items": []}'
    return {i["title"].replace(" number ", "-") for i in json.loads(text)["items"]}


def newest(guids, keep=1000):
    """Those of the records that a list has room for."""
    return set(sorted(guids, key=lambda g: int(g.split("-")[1]))[-keep:])


def sums(d):
    return {k: d.route("r")[k] for k in ("kept", "dropped")}


def rows(d):
    """All of the database, but the times at which sources were looked at."""
    with contextlib.closing(sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)) as db:
        names = [n for n, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {n: db.execute(f"SELECT * FROM {n}").fetchall() for n in names}


def test_a_changed_filter_does_nothing_to_the_past_until_refilter(daemon, origin):
    d = begun(daemon, origin)
    old, new = chosen(MANY, OLD), chosen(MANY, NEW)
    assert guid_set(d.lines()) == old and listed(d) == newest(old)
    change(d)
    assert sums(d) == {"kept": len(old), "dropped": MANY - len(old)} and listed(d) == newest(old)
    told = refilter(d)
    assert (told["came"], told["went"], told["stayed"]) == (
        len(new - old), len(old - new), len(old & new)), told
    assert sums(d) == {"kept": len(new), "dropped": MANY - len(new)}
    d.until(lambda: listed(d) == newest(new), 20, "the list is written anew")
    d.settled()
    assert len(d.lines()) == len(old) and guid_set(d.lines()) == old, "nothing is pushed"
    assert refilter(d)["stayed"] == len(new)
    change(d, OLD)
    refilter(d)
    d.until(lambda: listed(d) == newest(old), 20, "the list is as it was")
    assert len(d.lines()) == len(old), "nothing twice"


def tried(d, *arguments, route="r", conf=None):
    """What `courant try` says: the records by change, and the sums."""
    said = d.courant("try", route, *arguments, *(["-c", str(conf)] if conf else []), "--json", seconds=60)
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    return [x for x in lines if "change" in x], lines[-1]["sums"]


def by_change(records, change):
    return {r["title"].replace(" number ", "-") for r in records if r["change"] == change}


def changed_conf(d, **route):
    """The configuration with a changed route, beside that of the daemon."""
    was, other = d.routes, d.folder / "changed.yaml"
    d.routes = {**was, "r": {**was["r"], **route}}
    keep, d.conf = d.conf, other
    d.write()
    d.routes, d.conf = was, keep
    other.chmod(0o644)
    return other


def matching(pattern):
    return [{"match": {"in": ["title"], "any": [pattern]}}]


def test_try_says_what_refilter_then_does_and_changes_nothing(daemon, origin):
    d = begun(daemon, origin)
    old, new = chosen(MANY, OLD), chosen(MANY, NEW)
    conf = changed_conf(d, filters=matching(NEW))
    before, log = resting(d), len(d.lines())
    began = time.monotonic()
    records, told = tried(d, conf=conf)
    took = time.monotonic() - began
    assert by_change(records, "come") == new - old and by_change(records, "go") == old - new
    assert by_change(records, "stay") == old & new and len(records) == MANY
    assert told == {"come": len(new - old), "go": len(old - new), "stay": len(new & old), "wait": 0, "fail": 0,
                    "out": MANY - len(new | old), "deliver": len(new - old)}
    one = next(r for r in records if r["change"] == "come")
    assert one["now"]["verdict"] == "keep" and one["was"]["verdict"] == "drop"
    assert one["was"]["rule"] == "match#1" and one["was"]["why"] and one["id"] and one["source"] == "a"
    assert rows(d) == before and len(d.lines()) == log and listed(d) == newest(old)
    assert took < 5 * SLOW, f"{took:.1f} s for {MANY} records"
    people = d.courant("try", "r", "-c", str(conf)).stdout.decode()
    assert people.endswith("3000 would come, 3000 would go, 2000 stay, 2000 stay out\n"), people[-300:]
    change(d)
    assert tried(d, conf=d.conf)[1] == told, "what the daemon runs is tried as well"
    after = refilter(d)
    assert (after["came"], after["went"], after["stayed"]) == (told["come"], told["go"], told["stay"])
    d.until(lambda: listed(d) == newest(new), 20, "the list is written anew")
    assert tried(d, conf=d.conf)[1]["come"] == 0


def test_deliver_sends_what_is_newly_kept_once_and_never_what_was_sent(daemon, origin):
    d = begun(daemon, origin)
    old, new = chosen(MANY, OLD), chosen(MANY, NEW)
    change(d)
    refilter(d)                                     # nothing is sent, and so it can be sent later
    assert len(d.lines()) == len(old)
    told = refilter(d, "all", "--deliver", "--rate", "1000")
    assert told["stayed"] == len(new) and told["replayed"] == len(new - old), told
    d.until(lambda: len(d.lines()) >= len(new | old), 30, "what is newly kept is delivered")
    for pattern in (OLD, NEW, "re:[0-9]$", OLD, "re:[0-9]$"):
        change(d, pattern)
        refilter(d, "all", "--deliver", "--rate", "1000")
    every = {f"n-{n}" for n in range(1, MANY + 1)}
    d.until(lambda: len(d.lines()) >= MANY, 30, "the others")
    origin.put("a.xml", rss(numbered(1, MANY + 1)))
    d.refresh("a")
    d.until_lines(MANY + 1, seconds=30)
    assert guid_set(d.lines()) == every | {f"n-{MANY + 1}"}, "each once"
    assert d.explain("n-7")[0]["routes"][0]["sinks"][0]["state"] == "delivered"


def test_explain_says_what_a_refilter_kept_too_late_for_a_sink(daemon, origin):
    d = begun(daemon, origin, last=20)
    change(d)
    refilter(d)
    said = d.explain("n-7")[0]["routes"][0]
    assert said["state"] == "taken"
    assert said["sinks"][0]["state"] == "passed over" and "refiltered" in said["sinks"][0]["why"], said


def test_a_refilter_of_a_part_leaves_the_rest_as_it_was(daemon, origin):
    d = begun(daemon, origin, last=200)
    origin.put("a.xml", rss(numbered(1, 300)))
    d.refresh("a")
    d.settled()
    change(d, "re:^none$")
    records, told = tried(d, "--since", "100", conf=d.conf)
    assert told["go"] == len({n for n in range(201, 301) if n % 10 < 5}) and len(records) == 100
    assert refilter(d, "100")["went"] == told["go"]
    kept = {f"n-{n}" for n in range(1, 201) if n % 10 < 5}
    d.until(lambda: listed(d) == kept, 20, "the newest hundred are gone from the list")
    assert refilter(d, "1h")["went"] == len(kept)
    d.until(lambda: listed(d) == set(), 20, "an empty list is written, too")
    assert sums(d)["kept"] == 0


# -- stories, revisions, records that wait, routes that draw from routes

ITEM = ("<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><link>https://example.org/{link}</link>"
        "<slash:comments>{votes}</slash:comments></item>")


def document(items):
    return ('<rss version="2.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel>'
            f"<title>t</title>{''.join(ITEM.format(**i) for i in items)}</channel></rss>").encode()


def verdicts(d, route="r"):
    """The route's stored verdicts, by place in the log: (verdict, apart)."""
    found = {}
    with contextlib.closing(sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)) as db:
        blobs = db.execute("SELECT v.first, v.last, v.kept, v.blob FROM verdict v JOIN route r ON r.id = v.route"
                           " WHERE r.name = ? ORDER BY v.last", (route,)).fetchall()
    end = 0
    for first, last, kept, blob in blobs:
        assert first > end, "blobs do not overlap"
        end, at, n = last, 2, first - 1

        def text(at):
            return at + 4 + int.from_bytes(blob[at:at + 4], "little") + 1

        for _ in range(blob[1]):
            at = text(at)
        keeps = 0
        while at < len(blob):
            shift = delta = 0
            while blob[at] & 0x80:
                delta |= (blob[at] & 0x7f) << shift
                at, shift = at + 1, shift + 7
            n += delta | blob[at] << shift
            flags = blob[at + 1]
            at += 2 + (flags >> 2 & 1)
            for bit in (8, 16, 32):
                at = text(at) if flags & bit else at
            found[n] = (flags & 3, flags >> 6 & 1)
            keeps += flags & 3 == 1
        assert keeps == kept
    return found


def kept_places(d):
    return {n for n, (verdict, _) in verdicts(d).items() if verdict == 1}


def history(chance, origin, d):
    """Polls of two sources whose entries share stories, change their titles, and get votes."""
    items = {name: [] for name in "ab"}
    for turn in range(6):
        for name, has in items.items():
            for _ in range(15):
                k = chance.randint(0, 60)
                if any(i["link"] == k for i in has):
                    continue
                has.append({"guid": f"{name}-{k}", "title": f"{name} {k} words {chance.randint(0, 9)}", "link": k,
                            "votes": chance.randint(0, 12)})
            for i in chance.sample(has, 6):
                i["votes"] += chance.randint(0, 8)
            for i in chance.sample(has, 4):
                i["title"] += f" {chance.randint(0, 9)}"
            origin.put(f"{name}.xml", document(has[::-1]))
        if turn == 0:
            d.start()
        else:
            d.refresh("a", "b")
        d.settled()
        d.until(lambda: quiet(d), 10, "nothing is judged")


def some_route(chance):
    """A route of chance, over the same sources."""
    filters = chance.choice([
        [{"match": {"in": ["title"], "any": [f"re:[{chance.randint(0, 4)}-{chance.randint(5, 9)}]$"]}}],
        [{"match": {"where": [f"comments >= {chance.randint(3, 12)}"], "unmet": "wait"}}],
        [{"any": [{"match": {"in": ["title"], "any": [f"re:{chance.randint(0, 9)}$"]}},
                  {"match": {"where": [f"comments > {chance.randint(6, 12)}"]}}]},
         {"limit": {"number": chance.randint(5, 60)}}],
        [{"none": [{"match": {"in": ["title"], "any": [f"re:[{chance.randint(2, 9)}]"]}}]}],
        []])
    route = {"from": chance.choice([["a", "b"], ["*"], ["a"], ["b", "up"], ["up"], ["a", "up"]]),
             "updates": chance.choice([True, False]), "once": chance.choice(["story", "record"]),
             "to": [{"jsonl": {"path": "all.jsonl"}}, {"feed": {"path": "list", "keep": 1000}}]}
    return {**route, "filters": filters} if filters else route


def waiting(d):
    with contextlib.closing(sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)) as db:
        return [n for n, in db.execute("SELECT n FROM pending WHERE state = 1 AND route ="
                                       " (SELECT id FROM route WHERE name = 'r')")]


def resting(d):
    """All of the database, once it does not change any more."""
    before = None
    for _ in range(100):
        now = rows(d)
        if now == before:
            return now
        before = now
        time.sleep(0.3)
    raise AssertionError("it changes all the time")


def quiet(d):
    now = d.status()
    if any((r["filters"] or r)["place"] < now["counts"]["head"] or s["state"] != "idle"
           for r in now["routes"] for s in r["sinks"] + [r["filters"]] if s):
        return False
    with contextlib.closing(sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)) as db:
        return not db.execute("SELECT count(*) FROM leg WHERE name = 'feed' AND listed < 0").fetchone()[0]


@pytest.mark.parametrize("seed", range(24 if LONG else 4))
def test_what_try_says_is_what_refilter_does_whatever_the_route(daemon, origin, seed):
    chance = random.Random(seed)
    d = daemon({n: {"plugin": "feed", "url": origin.put(f"{n}.xml", document([])), "every": "1 h"}
                for n in "ab"})
    d.routes = {"up": {"from": ["a", "b"], "once": "record", "updates": True,
                       "filters": [{"match": {"where": ["comments > 2"], "unmet": "wait"}}]},
                "r": some_route(chance)}
    d.write()
    history(chance, origin, d)
    for turn in range(6):
        d.routes["r"] = some_route(chance)
        d.write()
        d.courant("reload")
        d.settled()
        d.until(lambda: quiet(d), 10, "all is judged, and the list of before written")
        what = chance.choice([["all"], ["40"], ["1h"]])
        before, stored = kept_places(d), resting(d)
        head = d.status()["counts"]["head"]
        said, told = tried(d, "--since", what[0], conf=d.conf)
        assert rows(d) == stored, (seed, turn)
        where = (seed, turn, what, d.routes["r"])
        send = chance.choice([[], ["--deliver", "--rate", "1000"]])
        done = refilter(d, *what, *send)
        assert done["replayed"] == (told["deliver"] if send else 0), where
        after = {n for n in kept_places(d) if n <= head}     # behind it: what waited, asked again
        keep = {x["place"] for x in said if x["now"]["verdict"] == "keep"}
        places = {x["place"] for x in said}
        assert keep == after & places and after - keep <= before, (where, sorted(keep ^ (after & places)))
        assert (done["came"], done["went"], done["stayed"]) == (told["come"], told["go"], told["stay"]), where
        assert sums(d)["kept"] == len(kept_places(d)), where
        now = verdicts(d)
        assert all(now[n][0] == 2 for n in waiting(d)), where
    d.until(lambda: d.route("r")["sinks"][0]["replay"] == 0, 10, "all is sent")
    sent = [r["id"] for r in d.lines()]
    assert len(sent) == len(set(sent)), "nothing is sent twice"


# -- kills

def test_kills_in_the_middle_of_a_refilter_lose_and_repeat_nothing(daemon, origin):
    d = begun(daemon, origin)
    old, pattern, chance, middle = chosen(MANY, OLD), OLD, random.Random(3), 0
    seen = set(old)
    kills = 40 if LONG else 8
    for _ in range(kills):
        pattern = NEW if pattern == OLD else OLD
        change(d, pattern)
        since = len(d.log())
        asked = subprocess.Popen([program("courant"), "-s", str(d.state), "refilter", "r", "all", "--deliver",
                                  "--rate", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        d.wait_log(r"judges the log's rows", since=since)
        time.sleep(chance.uniform(0.02, 0.5) * SLOW)
        d.kill()
        asked.wait()
        d.start()
        now = again(d)
        middle += now[0] > 0 and 0 < now[1] < now[2]
        d.until(lambda: again(d)[0] == 0, 30, "the refilter is over")
        new = chosen(MANY, pattern)
        if not kept_places(d) == places(d, new):        # killed before it was asked for
            refilter(d, "all", "--deliver", "--rate", "1000")
        assert kept_places(d) == places(d, new)
        assert sums(d) == {"kept": len(new), "dropped": MANY - len(new)}
        d.until(lambda: listed(d) == newest(new), 20, "the list is written anew")
        seen |= new
    d.until(lambda: not d.route("r")["sinks"][0]["replay"], 60, "all is delivered")
    assert guid_set(d.lines()) == seen
    assert middle > 0, "no kill came while it judged"
    lines = collections.Counter(r["guid"] for r in d.lines())
    twice = sum(n - 1 for n in lines.values())
    assert twice <= 500 * kills, "at most the batch that was under way, at each kill"


def again(d):
    with contextlib.closing(sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT again, filtered, resume FROM route WHERE name = 'r'").fetchone()


def places(d, guids):
    """Where these records are in the log: the numbered ones in the order of their numbers."""
    return {int(g.split("-")[1]) for g in guids}


# -- receivers

@pytest.mark.parametrize("ordered", [True, False])
def test_what_a_receiver_that_was_down_gets_after_a_refilter(daemon, origin, ordered):
    """What it had not got goes by the new filter; what it had got is not sent again."""
    with Receiver(lambda *_: 200) as receiver:
        def hooks(pattern):
            return {"from": ["a"], "filters": matching(pattern), "to": [{"webhook": {
                "url": receiver.url(), "backlog": "all", "ordered": ordered, "retry": ["300 ms"] * 32}}]}

        d = daemon({"a": {"plugin": "feed", "url": origin.put("a.xml", rss(numbered(1, 100))), "every": "1 h"}},
                   {"r": hooks(OLD)})
        d.start()
        first = {n for n in range(1, 101) if n % 10 < 5}
        d.until(lambda: {number(h) for h in receiver.hooks} == first, 20, "all is delivered")
        receiver.answer = lambda *_: 503
        origin.put("a.xml", rss(numbered(1, 200)))
        d.refresh("a")
        d.until(lambda: len(receiver.hooks) > len(first), 20, "it is down")
        d.routes = {"r": hooks(NEW)}
        d.write()
        d.courant("reload")
        told = refilter(d, "all", "--deliver", "--rate", "1000")
        assert (told["came"], told["went"], told["stayed"]) == (60, 60, 40), told
        receiver.answer = lambda *_: 200
        new = {n for n in range(1, 201) if 3 <= n % 10 <= 7}

        def got():
            return [number(h) for h in receiver.hooks if h.status == 200]
        d.until(lambda: set(got()) >= first | new, 30, "what is kept now is delivered")
        d.until(lambda: not any(d.route("r")["sinks"][0][k] for k in ("unconfirmed", "retry", "replay")), 10, "no more")
        assert len(got()) == len(set(got())), "each once"
        late = set(got()) - first - new
        assert len(late) <= 8, f"at most what was under way: {late}"
