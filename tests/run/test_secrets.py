"""A source's secret: sent to its origin, and nowhere else to be found: not in a worker, the log, the
database, the status, a record, nor at another origin."""
import base64
import contextlib
import json
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest

from api import Api
from courant import BUILD, SLOW, memory, processes
from receiver import Receiver

SECRET = "Vm9-hidden+word/8431&more"
ESCAPED = urllib.parse.quote(SECRET, safe="")
SHAPES = [SECRET, ESCAPED, urllib.parse.quote(SECRET),
          re.sub("%..", lambda m: m[0].lower(), ESCAPED), SECRET.replace("/", "\\/"),
          SECRET.replace("&", "&amp;"), SECRET.replace("&", "\\u0026"),
          urllib.parse.quote(ESCAPED), urllib.parse.quote(urllib.parse.quote(ESCAPED)),
          "".join(f"&#{ord(c)};" for c in SECRET), "".join(f"&#x{ord(c):x};" for c in SECRET),
          "".join(f"&amp;#{ord(c):03};" for c in SECRET), SECRET.replace("/", "&sol;").replace("+", "&plus;"),
          "".join(f"\\x{ord(c):02x}" for c in SECRET), SECRET.encode().hex(),
          *(base64.b64encode(f"{'user:'[:n]}{SECRET}!!".encode()).decode() for n in range(3)),
          base64.urlsafe_b64encode(f"user:{SECRET}".encode()).decode()]


def nowhere(data):
    """The secret is not in it, in whatever writing."""
    data = data.encode() if isinstance(data, str) else data
    for shape in [*SHAPES, SECRET[:10]]:
        assert shape.encode() not in data, shape


@pytest.fixture
def made(daemon, api):
    """A daemon with the test plugin pages, and one route of everything."""
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}})
    where = d.folder / "plugins"
    where.mkdir()
    shutil.copy(BUILD / "tests/plugins/source_pages.so", where)
    (where / "source_pages.so").chmod(0o755)
    where.chmod(0o755)
    d.settings = {"plugins": [str(where)]}
    return d


def pages(d, url, **options):
    d.sources = {"s": {"plugin": "pages", "url": url, "every": "1 h", **options}}
    d.write()
    return d.start(debug=True)


def fields(d, url, **options):
    d.sources = {"s": {"plugin": "json", "url": url, "every": "1 h", "items": "list", "pages": 9,
                       "fields": {"guid": "self", "title": "name", "link": "self"}, **options}}
    d.write()
    return d.start(debug=True)


def stored(d):
    return b"".join(p.read_bytes() for p in d.state.glob("courant.db*"))


def shown(d):
    """All that people and programs are told."""
    told = d.log() + d.courant("status", "--json").stdout.decode() + \
        d.courant("status").stdout.decode() + json.dumps(d.lines())
    return told + d.http("/api/v1/records").text + d.http("/api/v1/status").text


@pytest.mark.memory
def test_what_an_api_repeats_of_a_key_never_reaches_its_worker(made, api, tmp_path):
    body = "\n".join([f"{n}|{shape}" for n, shape in enumerate(SHAPES)] +
                     [f"next /2?k={ESCAPED}", "kept-in-sight|t"])
    api.set("/1", body, Link=f"</2?k={ESCAPED}>; rel=next", X_Echo=SECRET)
    api.set(f"/2?k={SECRET.replace('+', '%2B').replace('&', '%26')}", "last|t")
    pages(made, api.base + "/1", key=SECRET, wait="3 s")
    seen, dumped = 0, None
    deadline = time.monotonic() + 20 * SLOW
    while made.source("s")["polling"] and time.monotonic() < deadline:
        for pid, line in processes(made.process.pid).items():
            if "courant-worker" not in line:
                continue
            with contextlib.suppress(OSError):
                held = memory(pid)
                seen += b"kept-in-sight" in held
                nowhere(held)
                if shutil.which("gcore") and b"kept-in-sight" in held and dumped is None:
                    done = subprocess.run(["gcore", "-o", tmp_path / "core", str(pid)], check=False,
                                          capture_output=True)
                    if done.returncode == 0:        # else the worker ended meanwhile
                        dumped = (tmp_path / f"core.{pid}").read_bytes()
        time.sleep(0.1)
    assert seen > 0, "no worker was seen with a page"
    if dumped is not None:
        assert b"kept-in-sight" in dumped
        nowhere(dumped)
    made.until_lines(len(SHAPES) + 2)
    assert len(api.asked) == 2 and all(h["x-key"] == SECRET for _, h, _ in api.asked)
    nowhere(stored(made))
    nowhere(shown(made))


@pytest.mark.memory
def test_the_sink_that_signs_holds_its_key_and_so_the_search_can_find_one(made, api):
    """Plugins that come with the daemon are handed their secrets, but for those that only parse."""
    api.set("/1", "a|t")
    with Receiver("hang") as r:
        made.routes = {"hook": {"from": ["*"], "to": {"webhook": {
            "url": r.url(), "secret": "raw:" + SECRET, "backlog": "all"}}}}
        pages(made, api.base + "/1", key=SECRET)
        made.until(lambda: r.hooks, 20, "a hook is under way")
        found = {line.split()[-1] if "worker" in line else line: SECRET.encode() in memory(pid)
                 for pid, line in processes(made.process.pid).items() if "worker" in line}
        assert any(found.values()), found


def test_a_next_url_that_repeats_the_key_is_followed_with_it(made, api):
    """The pages owed hold no key, over a kill too; and a record's key is the same in the next run."""
    query = f"?api_key={ESCAPED.replace('%2F', '/')}"
    for n in (1, 2, 3):
        more = {"next": f"{api.base}/items?page={n + 1}&api_key={ESCAPED}"} if n < 3 else {}
        item = {"self": f"{api.base}/item/{n}?api_key={SECRET.replace('&', '%26')}", "name": f"t{n}"}
        at = f"/items{query}" if n == 1 else f"/items?page={n}&api_key={ESCAPED.replace('%2F', '/')}"
        api.set(at, {"list": [item], **more}, delay=0.3 if n > 1 else 0)
    fields(made, api.base + "/items?api_key={auth_key}", auth={"key": SECRET}, next="next")
    made.wait_log("s: fetches .*page=2")
    nowhere(stored(made))
    made.kill()
    nowhere(stored(made))
    made.start(debug=True)
    found = made.until_lines(3)
    assert all("{secret:auth_key:" in urllib.parse.unquote(r["link"]) for r in found), found
    api.set(f"/items{query}", {"list": [{"self": f"{api.base}/item/1?api_key={ESCAPED}",
                                         "name": "t1"}]})
    made.settled()
    made.stop()
    made.start(debug=True)
    made.refresh("s")
    made.settled()
    counts = made.status()["counts"]
    assert (counts["records"], counts["revisions"]) == (3, 0), counts
    assert len(made.lines()) == 3
    nowhere(stored(made))
    nowhere(shown(made))


@pytest.mark.parametrize("where", ["url", "header"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_takes_a_key_to_another_origin(made, api, where, status):
    with Api() as other:
        other.set("/there", {"list": [{"self": "/x", "name": "t"}]})
        if where == "url":
            there = f"{other.base}/there?key={ESCAPED}"
            api.set(f"/v1?key={ESCAPED.replace('%2F', '/')}", "", status, Location=there)
            fields(made, api.base + "/v1?key={auth_key}", auth={"key": SECRET})
        else:
            api.set("/v1", "", status, Location=f"{other.base}/there")
            fields(made, api.base + "/v1", auth={"header": "X-Key", "key": SECRET},
                   headers={"Cookie": "no=secret"})
        made.until(lambda: made.source("s")["checked"] and not made.source("s")["polling"], 20,
                   "it was polled")
        told = made.source("s")
        if where == "url":
            assert not other.asked and "redirected to another origin" in told["error"], told
        else:
            made.until_lines(1)
            (_, headers, _), = other.asked
            assert "x-key" not in headers and "cookie" not in headers, headers
            nowhere(str(other.asked))
        nowhere(shown(made))
        nowhere(stored(made))


def test_a_key_that_is_added_does_not_follow_an_old_move(made, api):
    with Api() as other:
        answer = {"list": [{"self": "/x", "name": "t"}]}
        other.set("/there", answer)
        api.set("/v1", "", 301, Location=f"{other.base}/there")
        fields(made, api.base + "/v1")
        made.until_lines(1)
        made.until(lambda: made.source("s")["moved"], 10, "the move is noted")
        api.set("/v1", answer)
        made.sources["s"]["auth"] = {"bearer": SECRET}
        made.write()
        made.courant("reload")
        made.until(lambda: api.headers("/v1")[-1].get("authorization"), 10, "the key is sent")
        assert api.headers("/v1")[-1]["authorization"] == f"Bearer {SECRET}"
        nowhere(str(other.asked))


def test_a_stand_in_is_as_good_after_a_reload(made, api):
    """A worker that has its plugin open is told of the new one."""
    api.set("/1", "a|a\nkeyed /own")
    api.set("/own", "b|b")
    pages(made, api.base + "/1", key=SECRET)
    made.until_lines(2)
    made.settled()
    made.courant("reload")
    api.set("/1", "a|a\nkeyed /own?2\nc|c")
    api.set("/own?2", "d|d")
    made.refresh("s")
    made.until_lines(4)
    assert api.headers("/own?2")[0]["x-own"] == SECRET
    assert "refused" not in made.log()
