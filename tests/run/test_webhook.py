"""sink_webhook and the send role, against an independent receiver."""
import os
import random
import re
import signal
import time

import pytest

from courant import SLOW, numbered, rss
from receiver import Receiver

KEY = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
OLD = "raw:an older key that is on its way out"


@pytest.fixture
def hooked(daemon, origin):
    """A daemon whose one source has so many records, and whose one route ends in a webhook."""
    def make(receiver, records=5, start=True, route=None, **options):
        origin.put("f.xml", rss(numbered(1, records)))
        hook = {"url": receiver.url(), "secret": KEY, "backlog": "all", **options}
        d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
                   {"hooks": {"from": ["*"], "to": {"webhook": {k: v for k, v in hook.items()
                                                                if v is not None}}, **(route or {})}})
        return d.start() if start else d
    return make


def until_taken(d, receiver, n, seconds=30):
    d.until(lambda: len(receiver.taken()) >= n, seconds,
            f"{n} webhooks taken (so far {[h.status for h in receiver.hooks][-20:]})")
    d.settled()
    return receiver.taken()


def leg(d):
    return d.route("hooks")["sinks"][0]


def titles(hooks):
    return [h.json["title"] for h in hooks]


def test_a_hundred_records_come_in_order_signed_on_one_connection(hooked):
    with Receiver() as r:
        d = hooked(r, 100)
        hooks = until_taken(d, r, 100)
        assert len(r.hooks) == 100
        assert all(h.verified(KEY) for h in hooks)
        shown = d.http("/api/v1/records?limit=100").json["records"]
        order = [h.id for h in hooks]
        shown = [s["id"] for s in shown]
        assert order in (shown, shown[::-1]) and len(set(order)) == 100
        assert all(h.json["id"] == h.id for h in hooks)
        assert all(h.headers["content-type"] == "application/json" for h in hooks)
        assert len({h.connection for h in hooks}) == 1, "the connection is kept"


def test_two_keys_sign_in_their_order_and_none_signs_nothing(hooked, tmp_path):
    with Receiver() as r:
        d = hooked(r, 2, secret=[KEY, OLD])
        assert all(h.verified(KEY, OLD) for h in until_taken(d, r, 2))
    with Receiver() as r:
        d = hooked(r, 2, secret=None)
        assert all("webhook-signature" not in h.headers for h in until_taken(d, r, 2))


@pytest.mark.parametrize("body,options,want", [
    ("mattermost", {}, {"text": "[n number 1](https://example.org/n/1) · one"}),
    ("slack", {}, {"text": "<https://example.org/n/1|n number 1> · one"}),
    ('{"a": {"t": "{title}", "l": "{link}"}, "whole": {json}}', {}, None),
])
def test_bodies_by_preset_and_template(hooked, body, options, want):
    with Receiver() as r:
        d = hooked(r, 1, body=body, **options)
        got = until_taken(d, r, 1)[0]
        assert got.verified(KEY)
        if want is None:
            want = {"a": {"t": "n number 1", "l": "https://example.org/n/1"},
                    "whole": got.json["whole"]}
            assert got.json["whole"]["id"] == got.id
        assert got.json == want


def test_a_template_escapes_what_it_is_given(hooked, origin):
    title = 'a "quoted" \\ back &lt;b&gt; é'
    with Receiver() as r:
        d = hooked(r, 1, start=False, body='{"t":"{title}"}')
        origin.put("f.xml", rss([("g", title, "https://example.org/1")]))
        d.start()
        assert until_taken(d, r, 1)[0].json == {"t": 'a "quoted" \\ back <b> é'}


def test_a_batch_is_one_message_with_an_id_of_its_own(hooked):
    with Receiver() as r:
        d = hooked(r, 10, batch=4)
        hooks = until_taken(d, r, 3)
        assert [len(h.json) for h in hooks] == [4, 4, 2]
        assert all(h.verified(KEY) for h in hooks)
        assert [h.id for h in hooks] == [f"{h.json[0]['id']}-b{len(h.json)}" for h in hooks]
        assert len({x["id"] for h in hooks for x in h.json}) == 10


def test_a_failing_head_is_tried_again_and_nothing_overtakes_it(hooked):
    with Receiver(lambda hook, nth: 500 if nth in (2, 3, 7) else 200) as r:
        d = hooked(r, 8, retry=["200 ms", "300 ms"])
        until_taken(d, r, 8)
        ids = [h.id for h in r.hooks]
        assert ids[2] == ids[3] == ids[4] and ids[7] == ids[8] and len(ids) == 11, ids
        assert r.hooks[4].when - r.hooks[3].when >= 0.3 - 0.01
        assert r.hooks[3].headers["webhook-signature"] and all(h.verified(KEY) for h in r.hooks)


def test_retry_after_is_obeyed(hooked):
    def answer(hook, nth):
        return (429, {"Retry-After": "2"}, b"") if nth == 0 else 200
    with Receiver(answer) as r:
        d = hooked(r, 1, retry=["50 ms"])
        until_taken(d, r, 1)
        assert r.hooks[1].when - r.hooks[0].when >= 1.9


def test_a_redirect_is_not_followed_and_says_so(hooked):
    def answer(hook, nth):
        return (302, {"Location": "/elsewhere"}, b"") if nth == 0 else 200
    with Receiver(answer) as r:
        d = hooked(r, 1, retry=["2 s"])
        d.until(lambda: "redirect" in (leg(d)["reason"] or ""), 10, "the reason")
        until_taken(d, r, 1)
        assert {h.path for h in r.hooks} == {"/hook"}


def test_a_record_that_is_never_taken_is_a_dead_letter_and_the_next_goes_on(hooked):
    def answer(hook, nth):
        return 400 if hook.json["title"] == "n number 2" else 200
    with Receiver(answer) as r:
        d = hooked(r, 4, retry=["50 ms", "50 ms"])
        d.until(lambda: (leg(d)["dead"] or 0) == 1 and len(r.taken()) == 3, 20, "one dead letter")
        d.settled()
        assert [h.json["title"] for h in r.hooks].count("n number 2") == 3


def test_410_pauses_until_somebody_resumes(hooked):
    def answer(hook, nth):
        return 410 if nth == 1 else 200
    with Receiver(answer) as r:
        d = hooked(r, 4)
        d.until(lambda: "410" in (leg(d)["reason"] or "") and leg(d)["state"] == "paused", 10,
                "paused, with the reason")
        assert len(r.hooks) == 2
        d.courant("resume", "hooks")
        until_taken(d, r, 4)
        assert [h.json["title"] for h in r.hooks].count(r.hooks[1].json["title"]) == 2


@pytest.mark.parametrize("how,said", [("hang", r"no answer within 1(\.\d+)? s"),
                                      ("reset", r"no answer that can be read|reset")])
def test_a_receiver_that_hangs_or_resets_is_tried_again(hooked, how, said):
    with Receiver(lambda hook, nth: how if nth == 0 else 200) as r:
        d = hooked(r, 2, retry=["100 ms"], timeout="1 s")
        until_taken(d, r, 2)
        d.wait_log(f"route hooks, webhook: 127.0.0.1:{r.port}: .*({said})")
        assert r.hooks[0].id == r.hooks[1].id


@pytest.mark.parametrize("how", ["drip", "flood"])
def test_a_slow_and_a_long_answer_are_answers(hooked, how):
    with Receiver(lambda hook, nth: how if nth == 0 else 200) as r:
        d = hooked(r, 2)
        d.until(lambda: len(r.hooks) >= 2, 20, "both are sent")
        d.settled()
        assert len(r.hooks) == 2 and r.hooks[0].id != r.hooks[1].id


@pytest.mark.parametrize("whom", ["send", "store", "core"])
def test_kills_lose_nothing_and_keep_the_order(hooked, whom):
    rng = random.Random(whom)
    with Receiver(lambda hook, nth: 500 if rng.random() < 0.1 else 200) as r:
        d = hooked(r, 60, retry=["50 ms"] * 20)
        for n in range(3):
            at = len(r.taken())
            d.until(lambda: len(r.taken()) >= min(at + 8, 60), 20, "some more")
            if whom == "core":
                d.kill()
                d.start()
            else:
                os.kill(d.pids()[whom], signal.SIGKILL)
                d.until(lambda: d.ready(), 20, "it is back")
        d.until(lambda: len({h.id for h in r.taken()}) == 60, 30, "all 60")
        d.settled()
        first = list(dict.fromkeys(h.id for h in r.taken()))
        records = d.http("/api/v1/records?limit=100").json["records"]
        assert sorted(first) == sorted(x["id"] for x in records)
        numbers = [int(t.split()[-1]) for t in dict.fromkeys(titles(r.taken()))]
        assert numbers in (sorted(numbers), sorted(numbers, reverse=True)), numbers
        assert all(h.verified(KEY) for h in r.hooks)


def test_secrets_are_in_no_log_and_no_status(hooked, tmp_path):
    with Receiver(lambda hook, nth: 500 if nth == 0 else 200) as r:
        d = hooked(r, 2, start=False, secret=None, url=None, retry=["100 ms"],
                   url_file="hook.url", secret_file="hook.key", bearer_file="hook.token")
        for name, text in (("url", r.url("/T0KEN-in-path")), ("key", f"{KEY}\n{OLD}"),
                           ("token", "b3arer-t0ken")):
            path = d.folder / f"hook.{name}"
            path.write_text(text + "\n")
            path.chmod(0o600)
            d.own(path)
        d.start(debug=True)
        hooks = until_taken(d, r, 2)
        assert all(h.verified(KEY, OLD) and h.path == "/T0KEN-in-path" and
                   h.headers["authorization"] == "Bearer b3arer-t0ken" for h in hooks)
        said = d.log() + d.courant("status", "--json").stdout.decode() + \
            d.courant("status").stdout.decode()
        for word in ("T0KEN", KEY[6:], "older key", "b3arer"):
            assert word not in said, word


@pytest.mark.parametrize("options,said", [
    ({"secret": "whsec_short"}, "secret: a key is whsec_"),
    ({"body": "{titel}"}, "body: there is no {titel}"),
    ({"retry": ["soon"]}, 'retry: "soon" is no delay'),
    ({"url": "ftp://example.org/"}, "url: "),
    ({"batch": 0}, "batch: "),
])
def test_options_that_cannot_be_are_told_before_it_starts(hooked, options, said):
    with Receiver() as r:
        d = hooked(r, 1, start=False, **options)
        for how in (["-n"], []):
            code, text = d.run(*how)
            assert code == 1 and said in text and "whsec_short" not in text, text


# ---- one of a batch, and the rate ----

def contents(hook):
    return [x["title"] for x in hook.json]


@pytest.mark.parametrize("culprits", [[7], [1], [10], [3, 4], [1, 10]])
def test_one_of_ten_is_refused_and_the_nine_come_once_in_order(hooked, culprits):
    bad = {f"n number {n}" for n in culprits}
    with Receiver(lambda hook, nth: 422 if bad & set(contents(hook)) else 200) as r:
        d = hooked(r, 10, batch=10, retry=["50 ms"])
        d.until(lambda: leg(d)["dead"] == len(culprits) and leg(d)["retry"] == 0, 20, "the dead letters")
        d.settled()
        numbers = [int(t.split()[-1]) for h in r.taken() for t in contents(h)]
        rest = [n for n in range(1, 11) if n not in culprits]
        assert numbers in (rest, rest[::-1]), numbers
        assert leg(d)["delivered"] == len(rest)
        held = {}
        for h in r.hooks:
            held.setdefault(h.id, set()).add(tuple(contents(h)))
        assert all(len(what) == 1 for what in held.values()), "one id, one message"


def test_halves_keep_their_ids_when_they_are_tried_again(hooked):
    def answer(hook, nth):
        if "n number 7" in contents(hook):
            return 422
        return 500 if nth % 2 else 200
    with Receiver(answer) as r:
        d = hooked(r, 10, batch=10, retry=["50 ms"] * 9)
        d.until(lambda: leg(d)["dead"] == 1 and leg(d)["retry"] == 0, 20, "a dead letter")
        d.settled()
        assert sorted(t for h in r.taken() for t in contents(h)) == sorted(
            f"n number {n}" for n in range(1, 11) if n != 7), "each once"
        for refused in (h for h in r.hooks if h.status == 500):
            again = r.hooks[r.hooks.index(refused) + 1]
            assert (again.id, bare(again)) == (refused.id, bare(refused))


def bare(hook):
    """The records without the numbers of their stories, which are those of the moment of sending."""
    return [{name: value for name, value in r.items() if name != "story"} for r in hook.json]


def gaps(hooks):
    return [b.when - a.when for a, b in zip(hooks, hooks[1:])]


@pytest.mark.parametrize("batch", [1, 2])
def test_a_receiver_that_says_429_gets_less_and_then_as_much_as_before(hooked, batch):
    with Receiver(lambda hook, nth: 429 if nth in (20, 21) else 200) as r:
        d = hooked(r, 40 * batch, batch=batch, retry=["10 ms"] * 5)
        until_taken(d, r, 40)
        found = gaps(r.hooks)
        before, slow, after = found[:20], found[20:26], found[26:]
        assert all(gap >= want - 0.02 for gap, want in zip(slow, (0.5, 1, 0.75, 0.5, 0.25))), slow
        assert all(gap < want + 0.4 * SLOW for gap, want in zip(slow, (0.5, 1, 0.75, 0.5, 0.25))), slow
        assert sum(before) / len(before) < 0.1 * SLOW and sum(after) / len(after) < 0.1 * SLOW
        said = re.findall(r"status 429: from now on a pause of (\d+) ms", d.log())
        assert said == ["500", "1000"] and d.log().count("no more pause between them") == 1
        assert leg(d)["dead"] == 0


@pytest.mark.parametrize("what, slows", [(429, True), (502, True), (504, True), ("hang", True),
                                         (500, False), (503, False), ("reset", False)])
def test_what_halves_the_rate(hooked, what, slows):
    with Receiver(lambda hook, nth: what if nth == 1 else 200) as r:
        d = hooked(r, 4, retry=["10 ms"], timeout="1 s")
        until_taken(d, r, 4)
        assert ("a pause of 500 ms" in d.log()) == slows
        assert (gaps(r.hooks)[2] > 0.2) == slows


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_pause_is_no_deadline_and_an_end_in_it_is_quick_and_repeats_nothing(hooked, how):
    with Receiver(lambda hook, nth: 429 if 2 <= nth < 6 else 200) as r:
        d = hooked(r, 6, retry=["10 ms"] * 9, start=False)
        d.settings["limits"] = {"job_deadline": "1 s"}
        d.write()
        d.start()
        d.until(lambda: len(r.taken()) == 3, 20, "one is taken before a pause of 3.75 s")
        time.sleep(2)
        begun = time.monotonic()
        assert (d.stop() if how == "stop" else d.kill() or 0) == 0
        assert time.monotonic() - begun < 2 * SLOW
        d.start()
        until_taken(d, r, 6)
        assert len({h.id for h in r.taken()}) == 6 == len(r.taken())
        assert "deadline" not in d.log() and leg(d)["dead"] == 0


def test_a_batch_that_is_sent_again_after_a_kill_is_the_same_message(hooked):
    stored = []
    with Receiver(lambda hook, nth: 200 if stored else 503) as r:
        d = hooked(r, 1500, batch=10, retry=["50 ms"] * 32)
        d.until(lambda: d.records() == 1500 and r.hooks, 20, "all are stored")
        stored.append(True)
        for n in range(6):
            at = len(r.taken())
            d.until(lambda: len(r.taken()) >= min(at + 8 + 5 * n, 150), 20, "some more")
            d.kill()
            d.start()
        d.until(lambda: len({t for h in r.taken() for t in contents(h)}) == 1500, 30, "all")
        of = {}
        for h in r.taken():
            for title in contents(h):
                of.setdefault(title, set()).add(h.id[-8:])
        assert all(len(ids) == 1 for ids in of.values()), [(t, i) for t, i in of.items() if len(i) > 1]
        assert len(r.taken()) > 150, "some came again"
