"""sink_webhook and the send role, against an independent receiver."""
import os
import random
import signal

import pytest

from courant import numbered, rss
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
    return d.route("hooks")["legs"][0]


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
