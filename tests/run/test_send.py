"""http() of a plugin that is a stranger: where its secret goes, and what becomes of its requests."""
import os
import shutil
import signal

import pytest

from courant import BUILD, folder, numbered, rss
from receiver import Receiver

TOKEN = "s3cret-t0ken-of-the-operator"


@pytest.fixture
def asked(daemon, origin):
    """A daemon with one record and the sink `ask`."""
    place = folder("strangers-")
    shutil.copy(BUILD / "tests/plugins/sink_ask.so", place)
    (place / "sink_ask.so").chmod(0o644)

    def make(start=True, **options):
        origin.put("f.xml", rss(numbered(1, 1)))
        d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
                   {"asks": {"from": ["*"], "to": {"ask": {"backlog": "all", **options}}}},
                   {"plugins": [str(place)]})
        return d.start(debug=True) if start else d
    yield make
    shutil.rmtree(place)


def echo(hook, nth):
    return 404, {"X-Echo": hook.headers["x-token"]}, f"you sent {hook.headers['x-token']}".encode()


def test_a_secret_goes_to_the_origin_of_a_url_option_and_is_never_held(asked):
    with Receiver(echo) as r:
        d = asked(url=r.url("/base"), to=r.url("/other?q=1"), token=TOKEN)
        said = d.wait_log(r"asked: 1 status 404 error - body (.*) of \d+")[1]
        assert r.hooks[0].headers["x-token"] == TOKEN and r.hooks[0].path == "/other?q=1"
        assert said.startswith("you sent {secret:token:")
        d.wait_log(r"holds X-Token: \{secret:token:")
        assert TOKEN not in d.log()


@pytest.mark.parametrize("header, body", [(12500, 1), (1, 1 << 18)])
def test_an_answer_that_is_all_secret_ends_in_an_error_and_harms_nobody(asked, header, body):
    with Receiver(lambda hook, nth: (200, {"X-Echo": "1234" * header}, b"1234" * body)) as r:
        d = asked(url=r.url(), password="1234")
        pids = d.pids()
        d.wait_log("asked: 0 status 0 error the answer repeats a secret too often to be told")
        assert d.pids() == pids and not d.status()["obituaries"] and len(r.hooks) == 1


def test_a_secret_goes_nowhere_else(asked):
    with Receiver() as r, Receiver() as stranger:
        d = asked(url=r.url(), to=stranger.url(), token=TOKEN)
        d.wait_log(r"asked: 0 status 0 error a secret goes only where an option of type URL leads")
        assert not stranger.hooks and not r.hooks


def test_long_bodies_go_both_ways_and_an_answer_is_cut(asked):
    with Receiver(lambda hook, nth: (200, {}, b"y" * (3 << 20))) as r:
        d = asked(url=r.url(), size=300000, method="PUT", count=3)
        d.wait_log(r"asked: 3 status 200 error 127.0.0.1: the answer is longer than 1048576 bytes "
                   r"and was cut body y+ of 1048576")
        assert [(h.method, len(h.body)) for h in r.hooks] == [("PUT", 300000)] * 3


def test_more_at_once_than_there_may_be_are_refused(asked):
    with Receiver() as r:
        d = asked(url=r.url(), count=17)
        d.wait_log(r"http\(\) takes at most 16 requests at once")
        d.wait_log("asked: not at all")
        assert not r.hooks


@pytest.mark.parametrize("size", [100, 30000, 300000])
def test_requests_in_turn_end_with_the_first_that_is_not_taken(asked, size):
    with Receiver(lambda hook, nth: 500 if nth == 11 else 200, 0.005) as r:
        d = asked(url=r.url(), size=size, count=16, turn=True)
        d.until(lambda: d.log().count("asked: 12 status ") == 16, 20, "all are answered")
        assert d.log().count("asked: 12 status 200 ") == 11
        assert d.log().count("asked: 12 status 500 ") == 1
        assert d.log().count("status 0 error not sent: the one before it was not taken") == 4
        assert len(r.hooks) == 12 and {len(h.body) for h in r.hooks} == {size}
        ends = [h.when + r.latency for h in r.hooks]
        assert all(h.when >= end for h, end in zip(r.hooks[1:], ends)), "each waits for the other"


@pytest.mark.parametrize("whom", ["worker", "send"])
def test_requests_in_turn_are_forgotten_with_those_who_asked(asked, whom):
    with Receiver(latency=0.3) as r:
        d = asked(url=r.url(), count=8, turn=True)
        d.until(lambda: len(r.hooks) == 2, 20, "the second is under way", every=0.005)
        os.kill(d.route("asks")["sinks"][0]["pid"] if whom == "worker" else d.pids()["send"],
                signal.SIGKILL)
        if whom == "send":
            # The first was answered, which send may not have told yet.
            d.until(lambda: d.log().count("status 0 error the send role died") in (7, 8), 20,
                    "all others are told")
            assert len(r.hooks) == 2
        else:
            d.until(lambda: d.log().count("asked: 8 status 200") == 8, 20, "all are taken")
            assert len(r.hooks) == 2 + 8


def test_a_get_is_asked_again_when_send_dies_and_a_post_is_not(asked):
    for method, end in (("GET", "asked: 1 status 200"),
                        ("POST", "asked: 0 status 0 error the send role died")):
        with Receiver(lambda hook, nth: "hang" if nth == 0 else 200) as r:
            d = asked(url=r.url(), method=method)
            d.until(lambda: r.hooks, 20, "the first request")
            os.kill(d.pids()["send"], signal.SIGKILL)
            d.wait_log(end)
            assert len(r.hooks) == (2 if method == "GET" else 1)


def test_a_worker_that_waits_is_not_over_its_deadline(asked):
    with Receiver(lambda hook, nth: "hang") as r:
        d = asked(start=False, url=r.url())
        d.write(limits={"job_deadline": "500 ms", "timeout": "2 s"})
        d.start()
        d.wait_log(r"asked: 0 status 0 error .*no answer within 2(\.\d+)? s")
        assert "deadline" not in d.log()


def test_a_request_that_takes_long_holds_up_no_others_after_a_reload(asked):
    with Receiver(lambda hook, nth: "hang") as slow, Receiver() as r:
        d = asked(start=False, url=slow.url())
        d.settings["limits"] = {"at_once": "20", "spacing": "0"}
        d.write()
        d.start()
        pids = d.pids()
        for n in range(3):
            d.until(lambda n=n: len(slow.hooks) == n + 1, 20, "one that takes long")
            d.routes[f"slow{n}"] = {"from": ["*"], "to": {"ask": {"backlog": "all",
                                                                  "url": slow.url(f"/{n}")}}}
            d.write(contact=f"n{n}@example.org")
            d.courant("reload")
        d.routes["more"] = {"from": ["*"], "to": {"ask": {"backlog": "all", "url": r.url()}}}
        d.write(contact="mailto:last@example.org")
        d.courant("reload")
        d.until(lambda: r.hooks, 10, "another's request")
        assert "last@example.org" in r.hooks[0].headers["user-agent"]
        slow.over.set()
        d.until(lambda: d.log().count("asked: 0 status 0 error 127.0.0.1") >= 4, 20, "all are told")
        assert d.pids() == pids


def test_private_addresses_are_as_closed_as_to_fetch(asked):
    with Receiver() as r:
        d = asked(start=False, url=r.url())
        (d.folder / "f.xml").write_bytes(rss(numbered(1, 1)))
        d.sources["one"]["url"] = f"file://{d.folder}/f.xml"
        d.write(private=False, files=[str(d.folder)])
        d.start()
        d.wait_log("asked: 0 status 0 error 127.0.0.1 is a loopback address")
        assert not r.hooks
