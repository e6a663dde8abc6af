"""Visits: HTTP requests below /x/NAME/ that the plugin of a source answers. What was answered with 2xx is
stored, and whatever a plugin does, a visitor gets an answer."""
import concurrent.futures
import contextlib
import os
import re
import shutil
import signal
import time

import pytest

from courant import BUILD, SLOW
from receiver import Receiver
from test_streams import load, ticks

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def still(d):
    """Its address is asked for once: many may want it at the same time."""
    address = d.address()
    d.address = lambda: address


@pytest.fixture
def guest(daemon, origin):
    """A daemon with one source whose plugin answers visitors, and all it brings as JSON Lines."""
    def make(settings=None, start=True, **options):
        d = daemon()
        load(d, "visited", **(settings or {}))
        d.sources = {"book": {"plugin": "visited", "url": origin.put("book", b"x"), "every": "1 h",
                              **options}}
        d.routes = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}
        d.write()
        return d.start() if start else d
    return make


def titles(d):
    return sorted(r["title"] for r in d.lines()) if d.out("all.jsonl").exists() else []


def test_a_visitor_is_answered_and_what_is_emitted_is_delivered(guest):
    d = guest()
    answer = d.http("/x/book/add?name=first")
    assert (answer.status, answer.text) == (201, "added 1\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "script" not in answer.headers["content-security-policy"]
    assert d.http("/x/book/add", "POST", FORM, "name=second").text == "added 2\n"
    d.until(lambda: titles(d) == ["first", "second"], 10, "both are delivered")
    assert d.http("/x/book/state").text == "2\n"
    assert d.http("/x/book/fail").status == 500
    source = d.source("book")
    assert (source["visits"], source["visits_failed"]) == (4, 1)
    said = d.courant("plugins", str(BUILD / "tests/plugins/source_visited.so")).stdout.decode()
    assert "answers HTTP below /x/NAME/" in said


def test_what_was_answered_is_there_after_a_kill(guest):
    d = guest()
    for n in range(12):
        assert d.http(f"/x/book/add?name=kept-{n}").status == 201
        d.kill()
        d.start()
        assert d.records() == n + 1
        assert d.http("/x/book/state").text == f"{n + 1}\n"
    d.until(lambda: titles(d) == sorted(f"kept-{n}" for n in range(12)), 20, "each is delivered")


def test_kills_amid_visits_lose_nothing_that_was_confirmed(guest):
    d = guest()
    confirmed = []

    def visitor(k):
        for n in range(1000):
            try:
                if d.http(f"/x/book/add?name=v{k}-{n}", seconds=5).status == 201:
                    confirmed.append(f"v{k}-{n}")
            except (OSError, AssertionError):
                return
    for n in range(4):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            before = len(confirmed)
            still(d)
            jobs = [pool.submit(visitor, f"{n}-{k}") for k in range(4)]
            d.until(lambda b=before: len(confirmed) > b + 15, 20, "some are confirmed")
            d.kill()
            del d.address
            for j in jobs:
                j.result()
        d.start()
    assert d.records() >= len(confirmed)
    d.until(lambda: set(confirmed) <= set(titles(d)), 20, "all that was confirmed is delivered")


def test_a_plugin_sees_the_whole_request(guest):
    d = guest()
    said = d.http("/x/book/echo/a%20b/%C3%A9?x=1+2&y=%26%0a%3d&x=3&empty", "POST",
                  {**FORM, "X-Own": "of mine"}, "n=%C3%BC&bad=%ff").text
    assert "method POST\npath /echo/a b/é\npeer 127.0.0.1\n" in said
    assert "form\nx=1 2\ny=& =\nx=3\nempty=\nn=ü\nbad=\ufffd\n\n" in said
    assert "\nx-own: of mine\n" in said and "body 16\nn=%C3%BC&bad=%ff" in said
    assert "method GET\npath /echo\n" in d.http("/x/book/echo").text
    head = d.http("/x/book/echo", "HEAD")
    assert head.status == 200 and not head.body and int(head.headers["content-length"]) > 10
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        assert f"method {method}\n" in d.http("/x/book/echo", method).text
    assert d.http("/x/book/echo", "TRACE").status == 405
    assert "path /\n" in d.http("/x/book").text.replace("no / here", "path /\n")


def test_a_proxy_that_is_believed_tells_who_the_visitor_is(guest):
    told = {"X-Forwarded-For": "1.2.3.4, 198.51.100.9"}
    d = guest()
    assert "peer 127.0.0.1\n" in d.http("/x/book/echo", headers=told).text
    d.stop()
    d.write(serve={"listen": "127.0.0.1:0", "proxies": ["127.0.0.1"]})
    d.start()
    assert "peer 198.51.100.9\n" in d.http("/x/book/echo", headers=told).text
    with contextlib.ExitStack() as many:
        for _ in range(70):                     # more than one address may have
            many.enter_context(d.connect())
        assert "peer 127.0.0.1\n" in d.http("/x/book/echo").text
    d.stop()
    d.write(serve={"listen": "127.0.0.1:0", "proxies": ["127.0.0.1", "here"]})
    status, said = d.run("-n")
    assert status == 1 and re.search(r'yaml:\d+: serve: proxies: "here" is no address', said), said


def test_long_bodies_go_both_ways_and_have_a_maximum(guest):
    d = guest()
    body = bytes(range(1, 256)) * 4000
    said = d.http("/x/book/echo", "POST", body=body).body
    assert f"body {len(body)}\n".encode() in said
    assert d.http("/x/book/echo", "POST", body=b"y" * (1 << 20)).status == 200
    try:
        over = d.http("/x/book/echo", "POST", body=b"y" * ((1 << 20) + 1)).status
    except (BrokenPipeError, ConnectionResetError):
        over = 413
    assert over == 413
    big = d.http(f"/x/book/big?n={1 << 20}")
    assert (big.status, len(big.body), big.headers["content-type"]) == (202, 1 << 20, "text/x-big")
    assert d.http(f"/x/book/big?n={(1 << 20) + 1}").status == 204      # answer() refused it
    assert "answer() takes a body of at most 1 MiB" in d.log()


@pytest.mark.parametrize("query, status", [
    ("status=200&type=text/html", 200), ("status=599&type=a/b", 599), ("status=199&type=a", 418),
    ("status=600&type=a", 418), ("status=200&type=a%0aX-Evil:%201", 200),
    ("status=200&type=%c3%a9", 418), ("status=304&type=a", 304)])
def test_an_answer_is_one_that_may_be_sent(guest, query, status):
    d = guest()
    answer = d.http(f"/x/book/answer?{query}")
    assert answer.status == status and "x-evil" not in answer.headers
    assert answer.body == {304: b"", 418: b"refused\n"}.get(status, b"body\n")


@pytest.mark.parametrize("why, status", [(0, 500), (1, 400), (2, 403), (3, 410), (4, 500), (100, 503),
                                         (101, 503), (102, 503)])
def test_a_failure_has_its_status_and_no_state_but_what_was_emitted_counts(guest, why, status):
    d = guest()
    answer = d.http(f"/x/book/fail?why={why}")
    assert answer.status == status and "no " + str(why) not in answer.text
    assert answer.headers.get("retry-after") == {100: "90", 101: "5", 102: "86400"}.get(why)
    assert re.search(r"book: a visit failed: (no \d|come back|visited: request\(\) failed)", d.log())
    assert d.records() == 1
    assert d.http("/x/book/add?name=x").text == "added 1\n"
    assert d.http("/x/book/nothing").status == 204


def test_stored_is_on_disk_amid_a_visit_and_state_is_new_then(guest):
    d = guest()
    assert d.http("/x/book/many?n=2500").text == "stored 2500\n"
    d.kill()
    d.start()
    assert d.records() == 2500


def test_a_crash_is_tried_once_more_then_told_and_the_next_is_answered(guest):
    d = guest()
    answer = d.http("/x/book/crash")
    assert answer.status == 502 and "crash" in answer.text
    assert len([o for o in d.status()["obituaries"] if o["job"] == "book"]) == 2
    assert d.http("/x/book/add?name=x").status == 201
    pids = d.pids()
    assert d.http("/x/book/crash?old=1").text == "fresh\n", "in a fresh worker"
    assert d.pids() == pids


def test_a_plugin_that_hangs_is_killed_at_its_deadline_and_the_next_is_answered(guest):
    d = guest({"limits": {"job_deadline": f"{int(2000 * SLOW)} ms"}})
    assert d.http("/x/book/add?name=x").status == 201
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        hung = pool.submit(d.http, "/x/book/hang")
        d.wait_log("says: hangs")
        time.sleep(SLOW)  # a visitor's own deadline begins when it comes: this one has time left for a fresh worker
        behind = d.http("/x/book/add?name=y")
        assert hung.result().status == 504
    assert time.monotonic() - began < 8 * SLOW
    assert behind.status == 201
    assert any("deadline" in o["text"] for o in d.status()["obituaries"])
    assert d.http("/x/book/add?name=z").status == 201


def test_more_at_once_than_there_may_be_are_told_to_come_again(guest):
    d = guest()
    still(d)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        first = pool.submit(d.http, "/x/book/hang?ms=1500", seconds=30)
        d.wait_log("says: hangs")
        others = [pool.submit(d.http, f"/x/book/add?name=n{n}", seconds=30) for n in range(45)]
        done = [o.result() for o in others] + [first.result()]
    assert {a.status for a in done} == {200, 201, 503}
    assert all(a.headers["retry-after"] == "5" and a.text == "too many ask at once; try again\n"
               for a in done if a.status == 503)
    stored = [a for a in done if a.status == 201]
    assert len(stored) >= 31 and d.records() == len(stored)


def test_a_visitor_who_is_slow_to_ask_holds_up_nobody(guest):
    d = guest()
    with d.connect() as slow:
        slow.sendall(b"POST /x/book/add HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: "
                     b"application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nname=")
        for n in range(3):
            assert d.http(f"/x/book/add?name=n{n}").status == 201
        slow.sendall(b"slow")
        assert slow.makefile("rb").read().startswith(b"HTTP/1.1 201 ")
    d.until(lambda: titles(d) == ["n0", "n1", "n2", "slow"], 10, "all are delivered")


def test_bodies_that_wait_are_bounded_all_together(guest):
    d = guest()
    still(d)
    body = b"y" * (1 << 20)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        first = pool.submit(d.http, "/x/book/hang?ms=2500", seconds=30)
        d.wait_log("says: hangs")
        others = [pool.submit(d.http, "/x/book/echo", "POST", body=body, seconds=30)
                  for _ in range(24)]
        done = [o.result().status for o in others]
        assert first.result().status == 200
    assert done.count(200) == 16 and done.count(503) == 8, done


def test_names_that_are_not_there_and_plugins_that_do_not_answer_are_404(guest, origin):
    d = guest(start=False)
    d.sources["feed"] = {"plugin": "feed", "url": origin.put("f", b"<rss/>")}
    d.sources["group"] = {"plugin": "visited", "url": origin.url("/book?{each}"), "each": ["a", "b/c"]}
    d.write()
    d.start()
    for path in ("/x/", "/x/nobody/", "/x/feed/", "/x/boo/echo", "/x/bookk", "/x/group/", "/x/group/x/"):
        assert d.http(path).status == 404, path
    assert "path /echo\n" in d.http("/x/group/a/echo").text
    assert "path /echo/1\n" in d.http("/x/group/b/c/echo/1").text
    assert d.http("/x/group/a/add?name=x").status == 201
    d.until(lambda: [r["source"]["name"] if isinstance(r["source"], dict) else r["source"]
                     for r in d.lines()] == ["group/a"], 10, "it is of that source")


def test_a_plugin_that_is_not_there_is_waited_for(guest):
    d = guest()
    path = d.folder / "plugins" / "source_visited.so"
    path.rename(d.folder / "away")
    d.until(lambda: d.source("book")["state"] == "waiting", 10, "the source waits")
    answer = d.http("/x/book/add?name=x")
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    (d.folder / "away").rename(path)
    d.until(lambda: d.http("/x/book/add?name=x").status == 201, 10, "it answers again")


def test_http_amid_a_visit_has_the_secret_filled_in_and_its_answer_without(guest):
    with Receiver(lambda hook, nth: (203, {}, hook.headers["x-token"].encode())) as r:
        d = guest(token="t0ps3cret", hook=r.url("/hook"))
        said = d.http("/x/book/http").text
        assert said.startswith("status 203 body {secret:t") and said.endswith("holds {secret:t\n")
        assert r.hooks[0].headers["x-token"] == "t0ps3cret"
        assert d.records() == 1 and "t0ps3cret" not in d.log()


def test_state_is_shared_with_polls(guest, origin):
    d = guest()
    d.wait_log("counted nothing")
    assert d.http("/x/book/add?name=x").status == 201
    origin.put("book", b"another page")
    d.refresh("book")
    d.wait_log("counted 1")


def test_a_stream_answers_visitors_beside_its_stream(daemon):
    d = ticks(daemon(), burst=5, last=5)
    d.start()
    d.until(lambda: "stored up to 5" in d.log(), 20, "it is stored")
    assert d.http("/x/ticks/").text == "5"
    assert d.source("ticks")["streaming"]


def role(d, name):
    return d.pids()[name]


def test_visits_outlive_the_deaths_of_store_and_serve(guest):
    d = guest()
    assert d.http("/x/book/add?name=a").status == 201
    os.kill(role(d, "store"), signal.SIGKILL)
    assert d.http("/x/book/add?name=b", seconds=20).status == 201
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(d.http, "/x/book/hang?ms=700")
        d.wait_log("says: hangs")
        os.kill(role(d, "serve"), signal.SIGKILL)
        with pytest.raises(OSError):
            slow.result()
    d.until(d.ready, 10, "serve is back")
    assert d.http("/x/book/add?name=c").status == 201
    assert d.records() == 3


def test_who_asks_a_new_serve_is_not_told_what_another_waited_for(guest):
    ms = int(3000 * SLOW)
    d = guest({"limits": {"job_deadline": f"{ms} ms"}})
    still(d)
    store, serve = role(d, "store"), role(d, "serve")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        began = time.monotonic()
        first = pool.submit(d.http, "/x/book/hang?ms=200&emit=late")
        d.wait_log("says: hangs")
        os.kill(store, signal.SIGSTOP)
        try:
            os.kill(serve, signal.SIGKILL)
            with pytest.raises(OSError):
                first.result()
            d.until(lambda: d.log().count("]: serve starts as pid") == 2, 10, "serve is back")
            time.sleep(max(0, began + 0.5 * ms / 1000 - time.monotonic()))
            second = pool.submit(d.http, "/x/book/add?name=second", seconds=20)
            time.sleep(began + 1.15 * ms / 1000 - time.monotonic())     # past the first's deadline
        finally:
            os.kill(store, signal.SIGCONT)
        assert (second.result().status, second.result().text) == (201, "added 1\n")
    d.until(lambda: titles(d) == ["late", "second"], 10, "both are delivered")


def test_a_reload_takes_the_new_options_and_finishes_what_runs(guest):
    d = guest()
    d.http("/x/book/add?name=a")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(d.http, "/x/book/hang?ms=700&name=up")
        d.wait_log("says: hangs")
        pid = next(w["pid"] for w in d.status()["workers"] if w["job"] == "book")
        d.sources["book"]["token"] = "other"
        d.write()
        d.courant("reload")
        assert slow.result().text == "woke up\n"
    assert d.http("/x/book/add?name=b").text == "added 2\n"
    assert pid not in [w["pid"] for w in d.status()["workers"] if w["job"] == "book"]
    del d.sources["book"]
    d.sources["other"] = {"plugin": "visited", "url": "http://127.0.0.1:9/"}
    d.write()
    d.courant("reload")
    d.until(lambda: d.http("/x/book/add?name=c").status == 404, 10, "it is gone")
    assert d.http("/x/other/state").status == 200


def test_what_a_visit_brings_to_a_source_that_was_just_removed_harms_nobody(guest):
    d = guest()
    d.http("/x/book/add?name=a")
    pids = d.pids()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(d.http, "/x/book/hang?ms=1000&emit=late")
        d.wait_log("says: hangs")
        d.sources = {"other": {"plugin": "visited", "url": "http://127.0.0.1:9/"}}
        d.write()
        d.courant("reload")
        d.until(lambda: [s["name"] for s in d.status()["sources"]] == ["other"], 10, "it is gone")
        assert slow.result().status == 200
    assert d.http("/x/book/add").status == 404
    assert d.pids() == pids and d.records() == 2


def test_a_stop_finishes_what_runs(guest):
    d = guest()
    d.http("/x/book/add?name=a")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = pool.submit(d.http, "/x/book/hang?ms=700&name=up")
        d.wait_log("says: hangs")
        behind = pool.submit(d.http, "/x/book/add?name=b")
        time.sleep(0.2)
        assert d.stop() == 0
        assert slow.result().text == "woke up\n"
        assert behind.result().status in (201, 503)


@pytest.mark.sandbox
def test_a_worker_retires_and_serves_many_visits_before(guest):
    d = guest()
    pids = set()
    for n in range(20):
        assert d.http(f"/x/book/add?name={n}").status == 201
        pids |= {w["pid"] for w in d.status()["workers"] if w["plugin"] == "visited"}
    assert 1 <= len(pids) <= 3, "the same worker answers"
