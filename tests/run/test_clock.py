"""A wall clock that was wrong: what was stored by it holds nothing up once the clock is right."""
import contextlib
import datetime
import shutil
import time

import pytest

from courant import BUILD, SLOW, fake_clock, numbered, rss
from receiver import Receiver


@contextlib.contextmanager
def clock(d, offset):
    """A daemon whose clock is off by what is in a file, until the file says otherwise."""
    path = d.folder / "clock"
    path.write_text(offset + "\n")
    with pytest.MonkeyPatch.context() as env:
        fake_clock(env, path)
        d.start(wait=False)
    d.until(d.ready)
    yield path


def soon(text):
    """Whether a time of status lies within the next minute, or has passed."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() < time.time() + 60


def plugins(d, *names):
    where = d.folder / "plugins"
    where.mkdir()
    for name in names:
        shutil.copy(BUILD / "tests" / "plugins" / f"{name}.so", where)
        (where / f"{name}.so").chmod(0o755)
    d.settings["plugins"] = [str(where)]


@pytest.mark.parametrize("offset", ["+10950d", "+3d"])
def test_after_a_restart_with_the_right_clock_everything_goes_on_at_once(daemon, origin, offset):
    """A retry of a sink, a record that a filter lets wait, a poll, a stream that ended."""
    ready = []
    d = daemon()
    plugins(d, "filter_floor", "source_ticks")
    with Receiver(lambda *_: 200 if ready else 503) as hook:
        d.sources = {"f": {"plugin": "feed", "url": origin.put("f.xml", rss(numbered(1, 1))), "every": "1 s"},
                     "t": {"plugin": "ticks", "last": 1, "then": "return", "every": "1 s"}}
        d.routes = {"w": {"from": ["f"], "backlog": "all", "to": {"webhook": {"url": hook.url(), "retry": ["2 s", "2 s"]}}},
                    "p": {"from": ["f"], "patience": "1 s", "filters": [{"floor": {"of": "comments", "least": 1, "below": "wait"}}],
                          "to": {"jsonl": {"path": "p.jsonl"}}}}
        d.write()
        with clock(d, offset):
            d.until(lambda: hook.hooks, 20, "the receiver refused")
            d.until(lambda: d.route("p")["filters"]["waiting"] or d.route("p")["dropped"], 20, "the filter waits")
            d.until(lambda: d.source("t")["checked"], 20, "the stream ran")
            time.sleep(0.5)
            assert d.stop() == 0
        ready.append(1)
        tried, hits = len(hook.hooks), origin.hits("/f.xml")
        d.start()
        begun = time.monotonic()
        d.until(lambda: hook.taken(), 20, "the retry is made")
        origin.until_hits("/f.xml", hits + 2, 20)
        assert time.monotonic() - begun < 10 * SLOW and len(hook.hooks) > tried
        d.until(lambda: d.route("p")["dropped"] == 1, 20, "its patience ends")
        assert soon(d.source("t")["due"] or "1970-01-01T00:00:00Z")
        assert soon(d.source("f")["checked"]) and soon(d.source("f")["due"])


def test_a_clock_put_back_does_not_hold_up_a_retry(daemon, origin):
    ready = []
    with Receiver(lambda *_: 200 if ready else 503) as hook:
        d = daemon({"f": {"plugin": "feed", "url": origin.put("f.xml", rss(numbered(1, 1))), "every": "1 h"}},
                   {"w": {"from": ["f"], "backlog": "all",
                          "to": {"webhook": {"url": hook.url(), "retry": ["1 s"] * 30}}}})
        with clock(d, "+5h") as path:
            d.until(lambda: hook.hooks, 20, "the receiver refused")
            path.write_text("+0d\n")
            ready.append(1)
            d.until(lambda: hook.taken(), 20, "the retry is made")
            d.until(lambda: b"delivered" in d.courant("explain", "n-1").stdout, 20, "it is noted")
