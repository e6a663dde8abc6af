"""`ordered: no`: a record that hangs or fails holds up no other, and none is lost."""
import time

import pytest

from courant import SLOW, numbered, rss
from receiver import Receiver
from test_outbox import counts, explained, good, leg, number, order


@pytest.fixture
def loose(daemon, origin):
    """A daemon whose source has so many records, and whose route ends in an unordered webhook."""
    def make(receiver, records, start=True, **options):
        origin.put("f.xml", rss(numbered(1, records)))
        d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
                   {"hooks": {"from": ["*"], "to": {"webhook": {
                       "url": receiver.url(), "ordered": False, "backlog": "all", **options}}}})
        return d.start() if start else d
    return make


def test_a_record_that_hangs_holds_up_none(loose):
    with Receiver(lambda hook, _: "hang" if number(hook) == 3 else 200) as r:
        d = loose(r, 60, timeout="6 s")
        begun = time.monotonic()
        d.until(lambda: counts(d)["delivered"] == 59, 20, "all others are delivered")
        assert time.monotonic() - begun < 5 * SLOW
        assert counts(d) == good(delivered=59, unconfirmed=1, retry=1)
        r.answer = lambda *_: 200
        d.until(lambda: counts(d) == good(delivered=60), 30, "and it, when its time is over")
        taken = [number(h) for h in r.hooks if h.status == 200]
        assert sorted(taken) == list(range(1, 61)), "each once"


def test_what_fails_is_tried_again_and_dead_letters_are_single(loose):
    failed = set()

    def answer(hook, _):
        n = number(hook)
        if n % 10 == 7:
            return 422
        if n % 10 == 2 and n not in failed:
            failed.add(n)
            return 503
        return 200
    with Receiver(answer) as r:
        d = loose(r, 40, retry=["300 ms", "300 ms"])
        d.until(lambda: counts(d) == good(delivered=36, dead=4), 30, "all but four are delivered")
        assert sorted({number(h) for h in r.hooks if h.status == 200}) == [
            n for n in range(1, 41) if n % 10 != 7]
        assert len([h for h in r.hooks if h.status == 200]) == 36
        assert len(failed) == 4 and leg(d)["state"] == "idle"
        r.answer = lambda *_: 200
        d.courant("replay", "hooks", "--dead", "--rate", "50")
        d.until(lambda: counts(d) == good(delivered=40), 20, "and those when they are replayed")


def test_none_is_lost_when_all_is_killed(loose):
    with Receiver(lambda *_: 200, latency=0.02) as r:
        d = loose(r, 200)
        for n in (20, 80, 140):
            d.until(lambda: len(r.hooks) >= n, 30, f"{n} came")
            d.kill()
            d.start()
        d.until(lambda: counts(d)["unconfirmed"] == 0 and d.route("hooks")["kept"] == 200, 40, "all is delivered")
        came = [number(h) for h in r.hooks]
        assert set(came) == set(range(1, 201))
        assert len(came) <= 200 + 3 * 2 * 4, "a kill repeats those under way"


def test_a_receiver_that_is_down_is_not_flooded_and_nothing_is_lost(loose):
    with Receiver(503) as r:
        d = loose(r, 300, retry=["200 ms"] * 30)
        time.sleep(4)
        assert len(r.hooks) < 60, "it is tried ever less often"
        assert counts(d)["unconfirmed"] == 300
        r.answer = lambda *_: 200
        d.courant("resume", "hooks")
        d.until(lambda: counts(d) == good(delivered=300), 40, "all come when it is back")


def test_back_to_order_the_window_is_delivered_all_the_same(loose):
    with Receiver(503) as r:
        d = loose(r, 20, retry=["1 h"])
        d.until(lambda: len(r.hooks) >= 4, 20, "some are tried")
        assert explained(d, "n-20")["state"] in ("retry", "waiting")
        d.routes["hooks"]["to"]["webhook"]["ordered"] = True
        d.write()
        r.answer = lambda *_: 200
        d.courant("reload")
        d.until(lambda: counts(d) == good(delivered=20), 30, "all are delivered")
        assert sorted({number(h) for h in r.hooks if h.status == 200}) == list(range(1, 21))


def test_the_record_that_fails_is_given_up_and_what_was_delivered_stays_so(loose):
    with Receiver(lambda hook, _: 503 if number(hook) in (2, 4) else 200) as r:
        d = loose(r, 9, retry=["1 h"])
        d.until(lambda: counts(d) == good(delivered=7, unconfirmed=2, retry=2), 20, "two wait for an hour")
        assert order(d, "drop", "hooks", "--id", next(h.id for h in r.hooks if number(h) == 2))["taken"] == 1
        assert counts(d) == good(delivered=7, unconfirmed=1, retry=1)
        said = d.courant("resume", "hooks", "--skip-to", "0 s").stdout.decode()
        assert "1 record skipped" in said, said
        d.until(lambda: counts(d) == good(delivered=7), 20, "none waits")
        time.sleep(0.5)
        assert len(r.hooks) == 9, "none comes again"
        states = [explained(d, f"n-{n}")["state"] for n in range(1, 10)]
        assert states.count("delivered") == 7 and states.count("dropped") == 2, states


def test_a_list_has_an_order(daemon, origin):
    d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
               {"r": {"from": ["*"], "to": {"feed": {"path": "f", "ordered": False}}}})
    code, text = d.run("-n")
    assert code == 1 and "ordered: a sink that writes lists takes no records" in text, text
