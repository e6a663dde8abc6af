"""auth: and headers: of a source, whatever its plugin: sent to its origin, known to nobody else."""
import base64
import shutil
import subprocess

import pytest

from api import Api
from courant import BUILD, TREE, rss
from test_secrets import memory, processes, shown, stored

SECRET = "Vm9-hidden+word"
XML = "application/rss+xml"
BASIC = "Basic " + base64.b64encode(f"reader:{SECRET}".encode()).decode()
LISTING = """A page of papers

Subscribe

A first title of some words that is long enough to be one

""" + "This is an abstract that may have it, and a good many words besides, as abstracts do, and ends here. " * 5 + "\n"

SAID = [({"bearer": SECRET}, {}, "authorization", f"Bearer {SECRET}"),
        ({"header": "X-Key", "key": SECRET}, {}, "x-key", SECRET),
        ({"user": "reader", "password": SECRET}, {}, "authorization", BASIC),
        ({}, {"Cookie": f"session={SECRET}"}, "cookie", f"session={SECRET}"),
        ({}, [f"X-Token: {SECRET}"], "x-token", SECRET)]


def document(api, plugin, echo):
    """What the plugin reads, with what the server was told in it."""
    if plugin == "feed":
        return rss([f"<item><guid>http://x.example/1</guid><title>t {echo}</title></item>"])
    if plugin == "papers":
        return LISTING.replace("have it", f"have {echo}") + "\n"
    return {"list": [{"self": "/1", "name": f"t {echo}"}]}


def polled(daemon, api, plugin, auth, headers, *, settings=None, **more):
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}}, settings=settings or {})
    options = {"items": "list", "fields": {"guid": "self", "title": "name", "link": "self"}} if plugin == "json" else {}
    d.sources = {"s": {"plugin": plugin, "url": api.base + "/v1", "every": "1 h", **options,
                       **({"auth": auth} if auth else {}), **({"headers": headers} if headers else {}), **more}}
    d.write()
    return d.start(debug=True)


@pytest.mark.parametrize("plugin", ["feed", "json", "papers"])
@pytest.mark.parametrize(("auth", "headers", "name", "value"), SAID, ids=[s[2] + str(i) for i, s in enumerate(SAID)])
def test_every_source_plugin_may_say_who_asks(daemon, api, plugin, auth, headers, name, value):
    with Api() as other:
        api.set("/v1", document(api, plugin, value), X_Echo=value)
        d = polled(daemon, api, plugin, auth, headers)
        d.until_lines(1)
        assert api.headers("/v1")[0][name] == value
        # It moves away for good: neither the first nor a later request takes it along.
        api.set("/v1", "", 301, Location=other.base + "/there")
        other.set("/there", document(other, plugin, "x"))
        d.refresh("s")
        d.refresh("s")
        assert other.asked and not any(name in h for _, h, _ in other.asked), other.asked
        for secret in (SECRET, BASIC[6:]):
            assert secret not in shown(d) and secret.encode() not in stored(d)


@pytest.mark.parametrize(("auth", "headers"), [
    ({"bearer_file": "key"}, None), ({"user": "reader", "password_file": "key"}, None), (None, "file")])
def test_what_says_who_asks_may_stand_in_a_file(daemon, api, auth, headers):
    api.set("/v1", document(api, "feed", "x"))
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}})
    key = d.folder / "key"
    key.write_text(SECRET + "\n" if auth else f"X-Key: {SECRET}\r\nX-Other=two words\r\n")
    key.chmod(0o600)
    d.own(key)
    d.sources = {"s": {"plugin": "feed", "url": api.base + "/v1", "every": "1 h",
                       **({"auth": auth} if auth else {"headers_file": "key"})}}
    d.write()
    d.start()
    d.until_lines(1)
    sent = api.headers("/v1")[0]
    if headers:
        assert (sent["x-key"], sent["x-other"]) == (SECRET, "two words")
    else:
        assert sent["authorization"] == (f"Bearer {SECRET}" if "bearer_file" in auth else BASIC)
    key.chmod(0o644)
    code, said = d.run("-n")
    assert code != 0 and "holds a secret and others can get at it" in said, said


def test_a_key_has_its_place_in_the_url_of_any_plugin(daemon, api):
    api.set(f"/v1?key={SECRET.replace('+', '%2B')}", document(api, "feed", SECRET))
    d = polled(daemon, api, "feed", {"key": SECRET}, None, url=api.base + "/v1?key={auth_key}")
    d.until_lines(1)
    assert SECRET not in shown(d)
    assert d.source("s")["url"] == api.base + "/v1?key={secret:auth_key}"


def test_defaults_say_it_for_all_sources_of_a_plugin(daemon, api):
    for path in ("/v1", "/v2"):
        api.set(path, document(api, "feed", path))
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}}, settings={
        "defaults": {"source_feed": {"auth": {"bearer": SECRET}, "headers": {"X-Who": "me"}}}})
    d.sources = {"s": {"plugin": "feed", "url": api.base + "/v1", "every": "1 h"},
                 "t": {"plugin": "feed", "url": api.base + "/v2", "every": "1 h", "auth": {"bearer": "another"}}}
    d.write()
    d.start()
    d.settled()
    assert {p: (h["authorization"], h["x-who"]) for p, h, _ in api.asked} == {
        "/v1": (f"Bearer {SECRET}", "me"), "/v2": ("Bearer another", "me")}


BRINGS = """
#include <courant/plugin.h>
static int parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts;
	return cr->emit(cr, cr->record(cr, page->body));
}
static const struct cr_default brought[] = { { "depot", "every: 1 h\\n" }, { NULL, NULL } };
const struct cr_plugin cr_plugin_v1 = { CR_PLUGIN, .name = "brings", .version = "1", .help = "test",
	.url = "%s", .defaults = brought, .parse = parse };
"""


def test_a_source_that_a_plugin_brings_may_be_told_by_defaults(daemon, api):
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}})
    where = d.folder / "plugins"
    where.mkdir()
    (where / "brings.c").write_text(BRINGS % (api.base + "/own"))
    subprocess.run(["cc", "-std=c17", "-shared", "-fPIC", "-Wl,-z,defs", "-I", TREE / "include", "-o",
                    where / "source_brings.so", where / "brings.c"], check=True)
    (where / "source_brings.so").chmod(0o755)
    where.chmod(0o755)
    api.set("/own", "a")
    d.settings = {"plugins": [str(where)], "defaults": {"source_brings": {
        "auth": {"user": "reader", "password": SECRET}, "headers": {"X-Who": "me"}}}}
    d.write()
    d.start()
    d.until_lines(1)
    (_, sent, _), = api.asked
    assert (sent["authorization"], sent["x-who"]) == (BASIC, "me")


def test_a_plugin_of_others_may_be_told_as_well(daemon, api):
    """The plugin has no such options itself, and the next page goes with it."""
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}})
    where = d.folder / "plugins"
    where.mkdir()
    shutil.copy(BUILD / "tests/plugins/source_pages.so", where)
    (where / "source_pages.so").chmod(0o755)
    where.chmod(0o755)
    api.set("/1", "a|t\nnext /2")
    api.set("/2", "b|t2")
    d.settings = {"plugins": [str(where)]}
    d.sources = {"s": {"plugin": "pages", "url": api.base + "/1", "every": "1 h", "headers": {"X-Who": SECRET},
                       "auth": {"user": "reader", "password": SECRET}}}
    d.write()
    d.start()
    d.until_lines(2)
    assert [(h["x-who"], h["authorization"]) for _, h, _ in api.asked] == [(SECRET, BASIC)] * 2


@pytest.mark.memory
def test_no_worker_holds_what_says_who_asks(daemon, api):
    api.set("/1", f"a|kept-in-sight {SECRET}", X_Echo=BASIC)
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}})
    where = d.folder / "plugins"
    where.mkdir()
    shutil.copy(BUILD / "tests/plugins/source_pages.so", where)
    (where / "source_pages.so").chmod(0o755)
    where.chmod(0o755)
    d.settings = {"plugins": [str(where)]}
    d.sources = {"s": {"plugin": "pages", "url": api.base + "/1", "every": "1 h", "wait": "2 s",
                       "headers": {"Cookie": SECRET}, "auth": {"user": "reader", "password": SECRET}}}
    d.write()
    d.start()

    def held():
        return [m for m in (memory(p) for p, line in processes(d.process.pid).items() if "courant-worker" in line)
                if b"kept-in-sight" in m]
    found = d.until(held, 20, "a worker with the page")
    assert not any(SECRET.encode() in m or BASIC[6:].encode() in m for m in found)


def test_what_a_source_says_in_no_way_is_a_mistake(daemon, api):
    d = daemon(sources={"s": {"plugin": "feed", "url": api.base + "/1", "auth": {"bearrer": "x"}},
                        "t": {"plugin": "feed", "url": api.base + "/1", "auth": {"bearer": {"a": "b"}}}})
    code, said = d.run("-n")
    assert code != 0 and "did you mean `auth_bearer`" in said and "takes one value, no map" in said, said
