"""Receivers that fail, hang, are slow, refuse some or go away: what is shown is what they counted, at each step."""
import collections

import pytest

from courant import SLOW, numbered, rss
from receiver import Receiver
from test_outbox import explained, number

RECORDS = 40
ANSWERS = {
    "fail": lambda hook, _: 503 if number(hook) > 14 else 200,
    "hang": lambda hook, _: "hang" if number(hook) > 14 else 200,
    "reset": lambda hook, _: "reset" if number(hook) > 14 else 200,
    "slow": lambda *_: 200,
    "refuse": lambda hook, _: 422 if number(hook) % 10 == 4 else 200,
    "refuse, hang": lambda hook, _: 422 if number(hook) % 10 == 4 else "hang" if number(hook) > 25 else 200,
}


def routed(daemon, origin, receiver, **options):
    origin.put("f.xml", rss(numbered(1, RECORDS)))
    d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
               {"hooks": {"from": ["*"], "to": {"webhook": {
                   "url": receiver.url(), "backlog": "all", "timeout": "50 s", **options}}}})
    return d.start()


def shown(d):
    """The counts of the sink, as `status` and the API tell them."""
    kept = {"command": d.status(), "api": d.http("/api/v1/status").json}
    return {who: (s["routes"][0]["kept"], {k: s["routes"][0]["sinks"][0][k] for k in (
        "delivered", "unconfirmed", "retry", "dead", "paused")}) for who, s in kept.items()}


def states(d):
    """How many records are in each state, by `explain` of each."""
    found = {}
    for n in range(1, RECORDS + 1):
        state = explained(d, f"n-{n}")["state"]
        found[state] = found.get(state, 0) + 1
    return found


def counted(receiver):
    """What the receiver knows: how many it took, and how many it refused so often that they are given up."""
    with receiver.lock:
        answers = collections.Counter((h.id, h.status) for h in receiver.hooks if h.answered)
    return (sum(status == 200 for _, status in answers),
            sum(status == 422 and n == 3 for (_, status), n in answers.items()))


def agree(d, receiver):
    """Asks until nothing moves, and compares: the numbers were so after they were asked for."""
    took, refused = counted(receiver)
    now = shown(d)
    if counted(receiver) != (took, refused):
        return False
    for who, (kept, sink) in now.items():
        if (kept, sink["delivered"], sink["dead"], sink["unconfirmed"]) != (
                RECORDS, took, refused, RECORDS - took - refused):
            return False
    return True


@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "unordered"])
@pytest.mark.parametrize("how", ANSWERS)
def test_the_numbers_are_those_of_the_receiver(daemon, origin, how, ordered):
    with Receiver(ANSWERS[how], latency=0.5 if how == "slow" else 0) as r:
        d = routed(daemon, origin, r, ordered=ordered,
                   retry=["20 ms", "20 ms"] if "refuse" in how else ["60 s"])
        d.until(lambda: len(r.hooks) > 3, 20, "it is at work")
        if how == "slow":
            d.until(lambda: agree(d, r), 5 * SLOW, "the numbers agree while it is slow", every=0.02)
            assert counted(r)[0] < RECORDS
            r.latency = 0
        d.until(lambda: agree(d, r) and len(r.hooks) > 14, 20 * SLOW, "the numbers agree")
        took, refused = counted(r)
        found = states(d)
        assert found.get("delivered", 0) == took and found.get("dead", 0) == refused, found
        r.answer = lambda *_: 200
        r.release()
        d.until(lambda: d.courant("resume", "hooks") and sum(counted(r)) == RECORDS, 30 * SLOW, "the others are taken")
        d.until(lambda: agree(d, r), 20, "the numbers agree")
        assert states(d) == {k: n for k, n in (("delivered", RECORDS - refused), ("dead", refused)) if n}
        assert len(r.taken()) == counted(r)[0], "none twice"


def test_the_numbers_when_a_receiver_goes_away_and_comes_back(daemon, origin):
    with Receiver(latency=0.05) as r:
        d = routed(daemon, origin, r, retry=["300 ms"] * 30)
        d.until(lambda: len(r.hooks) > 8, 20, "it is at work")
        r.close()
        d.until(lambda: shown(d)["command"][1]["retry"] == 1, 20, "the next is tried again")
        assert agree(d, r)
        d.kill()
        d.start()
        d.until(lambda: agree(d, r), 20, "after a kill too")
        r.open()
        d.until(lambda: counted(r)[0] == RECORDS, 30, "the others are taken")
        d.until(lambda: agree(d, r), 20, "the numbers agree")
        assert states(d) == {"delivered": RECORDS}
