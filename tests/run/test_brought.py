"""Sources that a plugin brings: what they may say, and what they must not reach by it."""
import json
import re
import subprocess

import pytest

from courant import TREE, numbered, program, rss

LOOT = "open-sesame"
EVERYTHING = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}


def literal(text):
    """A C string: every byte by its number."""
    return '"' + "".join(f"\\{b:03o}" for b in text.encode()) + '"'


def build(where, brings, url, name="brought", stem=None, **more):
    """A plugin that brings sources {NAME: options}, as where/source_NAME.so."""
    sources = ", ".join(f"{{ {literal(n)}, {literal(o)} }}" for n, o in brings) or "{ NULL, NULL }"
    defines = {"BROUGHT_SOURCES": sources, "BROUGHT_URL": literal(url), "BROUGHT_NAME": literal(name), **more}
    path = where / f"{stem or 'source_' + name}.so"
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-shared", "-fPIC", "-Wl,-z,defs", "-I", TREE / "include",
                    *[f"-D{k}={v}" for k, v in defines.items()], TREE / "tests/evil/brought.c",
                    "-o", where / "new"], check=True)
    (where / "new").chmod(0o644)
    (where / "new").rename(path)
    return path


@pytest.fixture
def house(daemon, origin):
    """A daemon with a plugin folder, a file of the daemon's own user, and a service beside it."""
    d = daemon(routes=EVERYTHING)
    d.plugins = d.folder / "plugins"
    d.plugins.mkdir()
    d.loot = d.state / "loot"
    d.loot.write_text(LOOT + "\n")
    d.loot.chmod(0o600)
    d.own(d.state)
    origin.put("own", b"a page")
    origin.put("feed", rss(numbered(1, 2)))
    d.settings = {"plugins": [str(d.plugins)], "files": [str(d.state)]}
    d.sources = {"mine": {"plugin": "feed", "url": origin.url("/feed"), "every": "1 h"}}
    return d


def seen(d, origin):
    """Where the loot turned up: what was asked of the origin, the outputs, what status says."""
    found = [f"request {r}" for r in origin.requests() if LOOT in json.dumps(r)]
    found += [f"record {r}" for r in (d.lines() if d.out("all.jsonl").exists() else []) if LOOT in json.dumps(r)]
    found += [f"status {s}" for s in d.status()["sources"] if LOOT in json.dumps(s)]
    return found


def asked(origin, query):
    return [r for r in origin.requests("/own") if r["query"] == query]


def plugin(d, name="source_brought.so"):
    return next(p for p in d.status()["plugins"] if p["file"].endswith("/" + name))


def refused(d, said, path):
    """The log, the status and both commands name the file, the source, the key and why."""
    line = re.search(f"(?m)^.*warning: .*{re.escape(str(path))}: {said}.*$", d.log())
    assert line, d.log()
    assert len(re.findall(f"(?m)^.*warning: .*{re.escape(str(path))}: {said}.*$", d.log())) == 1
    assert re.search(said, plugin(d, path.name)["error"]), plugin(d, path.name)
    done = d.courant("plugins", check=False)
    assert done.returncode == 1 and re.search(f"{re.escape(str(path))}: refused: {said}", done.stdout.decode())


# name of the source, what it says, what is said of it; {loot}, {state} and {origin} are filled in
FILES = {
    "file": ("loot", "text_file: {loot}", "text_file"),
    "file of a list": ("loot", "texts_file: {loot}", "texts_file"),
    "files of a list": ("loot", "texts_file: [{loot}]", "texts_file"),
    "file of a secret": ("loot", "token_file: {loot}", "token_file"),
    "file of the bearer": ("loot", "auth_bearer_file: {loot}", "auth_bearer_file"),
    "file in a map": ("loot", "auth: {{ bearer_file: {loot} }}", "auth"),
    "file of headers": ("loot", "headers_file: [{state}/header]", "headers_file"),
    "file of the url": ("loot", "url_file: {state}/address", "url_file"),
    "file of the url, twice named": ("loot", "url_file: {state}/address", "url_file"),
    "file url": ("loot", "url: 'file://{loot}'", "url"),
    "file url of the local host": ("loot", "url: 'file://localhost{loot}'", "url"),
    "relative file url": ("loot", "url: 'file:state/loot'", "url"),
    "file of sources": ("loot", "url: '{origin}/own?{{each}}'\neach_file: {loot}", "each_file"),
    "file of sources in a map": ("loot", "url: '{origin}/own?{{each}}'\neach: {{ file: {loot} }}", "each"),
    "flow map": ("loot", "{{text_file: {loot}, every: 1 h}}", "text_file"),
    "next line": ("loot", "plain: a\u0085text_file: {loot}", "text_file"),
    "line separator": ("loot", "plain: a\u2028text_file: {loot}", "text_file"),
    "quoted key": ("loot", "\"text\\x5ffile\": {loot}", "text_file"),
    "quotes over lines": ("loot", "plain: \"a\n b: c\"\ntext_file: {loot}", "text_file"),
}
CONTROLS = {"next line", "line separator"}     # refused for what they are, before they are read


@pytest.mark.parametrize("how", FILES)
def test_no_file_is_read_by_what_a_plugin_says(house, origin, how):
    d = house
    (d.state / "address").write_text(origin.url(f"/own?{LOOT}") + "\n")
    (d.state / "header").write_text(f"X-Loot: {LOOT}\n")
    (d.state / "header").chmod(0o600)
    d.own(d.state)
    name, says, key = FILES[how]
    says = says.format(loot=d.loot, state=d.state, origin=origin.url(""))
    more = {"BROUGHT_CLASH": "1"} if how.endswith("twice named") else {}
    path = build(d.plugins, [(name, says if says[0] == "{" else says + "\nevery: 1 h\n")],
                 origin.url("/own?text={text}{plain}"), **more)
    d.write()
    d.start()
    said = "default source 1 is no text in UTF-8 without controls" if how in CONTROLS else f"default source {name}: {key}"
    d.until(lambda: seen(d, origin) or re.search(said, d.log()), 20, "it is refused, or it steals")
    assert not seen(d, origin)
    refused(d, said, path)
    d.settled()
    assert [s["name"] for s in d.status()["sources"]] == ["mine"]


SAYS = {
    "another's past": ("loot", "was: mine", "was"),
    "another's past, twice named": ("loot", "was: mine", "was"),
    "a list of sources": ("loot", "url: '{origin}/own?{{each}}'\neach: [a, b]", "each"),
    "a bearer": ("loot", "auth_bearer: open-sesame", "auth_bearer"),
    "a login": ("loot", "auth: {{ user: open-sesame, password: open-sesame }}", "auth"),
    "a user": ("loot", "auth_user: open-sesame", "auth_user"),
    "a header": ("loot", "headers: {{ Cookie: open-sesame }}", "headers"),
    "a login in the url": ("loot", "url: 'http://open-sesame:x@{host}/own'", "url"),
    "a login in an address": ("loot", "site: 'http://open-sesame:x@{host}/own'", "site"),
    "an address that is a file": ("loot", "site: 'file://{loot}'", "site"),
    "an address of another kind": ("loot", "url: 'ftp://{host}/own'", "url"),
    "another plugin": ("loot", "plugin: feed\nurl: '{origin}/feed'", "plugin"),
    "pages": ("loot", "pages: 1000", "pages"),
    "pages, twice named": ("loot", "pages: 1000", "pages"),
    "trackers": ("loot", "strip_trackers: yes", "strip_trackers"),
    "no start": ("loot", "autostart: no", "autostart"),
    "a grant": ("loot", "allow: [source_brought]", "allow"),
    "files": ("loot", "files: [/]", "files"),
    "defaults": ("loot", "defaults: {{ source_feed: {{ every: 1 s }} }}", "defaults"),
    "hosts": ("loot", "hosts: {{ example.org: {{ at_once: 64 }} }}", "hosts"),
    "a route": ("loot", "routes: {{ loot: {{ from: ['*'] }} }}", "routes"),
    "no option": ("loot", "txet: x", "txet"),
    "a member of a group": ("mine/loot", "text: x", "its name"),
    "a name with an escape": ("lo\u202eot", "text: x", "is no text in UTF-8 without controls"),
    "a look-alike": ("m\u0456ne", "text: x", "its name"),
    "the daemon's name": ("courant", "text: x", "its name"),
    "a pattern": ("m*", "text: x", "its name"),
}


@pytest.mark.parametrize("how", SAYS)
def test_a_plugin_speaks_for_its_own_options_alone(house, origin, how):
    d = house
    name, says, key = SAYS[how]
    says = says.format(loot=d.loot, origin=origin.url(""), host=f"127.0.0.1:{origin.port}")
    more = {"BROUGHT_CLASH": "1"} if how.endswith("twice named") else {}
    path = build(d.plugins, [("good", "text: x\nevery: 1 h\n"), (name, says + "\nevery: 1 h\n")],
                 origin.url("/own?text={text}"), **more)
    d.write()
    d.start()
    d.wait_log("default source")
    d.settled()
    assert not seen(d, origin) and not [r for r in origin.requests() if "authorization" in r["headers"]]
    assert [s["name"] for s in d.status()["sources"]] == ["mine"]
    assert len(d.lines()) == 2 and not origin.hits("/own")
    place = {"its name": "default source 2: ", "is no text in UTF-8 without controls": "default source 2 "}
    refused(d, place.get(key, f"default source {name}: ") + key, path)


def test_a_plugin_that_keeps_to_its_own_starts(house, origin):
    d = house
    site = origin.url("/site")
    build(d.plugins, [("one", f"text: x\ntexts: [a, b]\nsite: '{site}'\ntoken: its-own\nevery: 1 h\n"),
                      ("two", f"url: '{origin.url('/two')}'\n"), ("mine", "text: x\n")], origin.url("/own?text={text}"))
    origin.put("two", b"another page")
    d.write()
    d.start()
    d.settled()
    assert sorted(s["name"] for s in d.status()["sources"]) == ["mine", "one", "two"]
    assert d.source("mine")["plugin"] == "feed", "the operator's own"
    assert asked(origin, "text=x")[0]["headers"]["x-token"] == "its-own" and origin.hits("/two") == 1
    assert not re.search("warning: .*default source", d.log())


LEADS = {
    "url": ("url: '{origin}/own'\n", "http://127.0.0.1:9/own", "url"),
    "host": ("text: '{host}'\n", "http://{text}/own", "text"),
    "prefix": ("text: '{origin}'\n", "{text}/own", "text"),
    "suffix": ("text: ''\nplain: '{host}'\n", "http://{text}{plain}/own", "text"),
    "secret": ("hook: '{origin}/own'\n", "ORIGIN/own", "hook"),
    "choice": ("text: x\nsite: '{origin}/own'\n", "text=x {site}", "site"),
}


@pytest.mark.parametrize("how", LEADS)
def test_a_secret_of_defaults_does_not_go_where_a_plugin_says(house, origin, how):
    d = house
    says, url, key = LEADS[how]
    host = f"127.0.0.1:{origin.port}"
    says, url = says.format(origin=origin.url(""), host=host), url.replace("ORIGIN", origin.url(""))
    path = build(d.plugins, [("loot", says + "every: 1 h\n"), ("own", "every: 1 h\ntoken: its-own\n" + says)], url)
    key_file = d.folder / "key"
    key_file.write_text(LOOT)
    key_file.chmod(0o600)
    d.own(key_file)
    d.settings["defaults"] = {"source_brought": {"token_file": str(key_file)}}
    d.write()
    d.start()
    said = f"{key}: `defaults` of source_brought has the secret token, which would go where the plugin says"
    d.until(lambda: seen(d, origin) or said in d.log(), 20, "it is left out, or it steals")
    assert not seen(d, origin)
    d.settled()
    assert re.search(f"warning: the source loot that plugin source_brought brings cannot start: {path}:.*{said}", d.log())
    assert sorted(s["name"] for s in d.status()["sources"]) == ["mine", "own"]
    assert origin.requests("/own")[0]["headers"]["x-token"] == "its-own"


def test_a_default_source_takes_nobodys_name(house, origin):
    d = house
    d.sources["new"] = {**d.sources["mine"], "was": "old"}
    d.sources["many"] = {"plugin": "feed", "url": origin.url("/feed?{each}"), "each": ["a"], "every": "1 h"}
    d.write()
    d.start()
    d.settled()
    first = build(d.plugins, [(n, f"text: {n}\nevery: 1 h\n") for n in ("shared", "all", "old", "many", "mine")],
                  origin.url("/own?text={text}"))
    d.until(lambda: [s for s in d.status()["sources"] if s["name"] == "shared"], 10, "it starts")
    d.wait_log(re.escape(f"{first}: default source all: left out: a route has that name"))
    d.wait_log(re.escape(f"{first}: default source old: left out: a source of the configuration was called so"))
    second = build(d.plugins, [("shared", "text: stolen\nevery: 1 h\n")], origin.url("/own?text={text}"), name="aaa")
    d.until(lambda: asked(origin, "text=stolen") or "another plugin has brought" in d.log(), 10, "it is left out")
    d.wait_log(re.escape(f"{second}: default source shared: left out: another plugin has brought a source of that name"))
    for _ in range(2):
        d.settled()
        assert sorted(s["name"] for s in d.status()["sources"]) == ["many/a", "mine", "new", "shared"]
        assert d.source("shared")["plugin"] == "brought" and not asked(origin, "text=stolen")
        d.stop()
        d.start()
    d.stop()


def test_private_addresses_are_not_reached_unless_the_operator_allows(house, origin):
    d = house
    places = {"loopback": origin.url("/own"), "named": origin.url("/own", "localhost"), "v6": f"http://[::1]:{origin.port}/own",
              "mapped": f"http://[::ffff:127.0.0.1]:{origin.port}/own", "number": f"http://2130706433:{origin.port}/own",
              "net": "http://10.0.0.1/own", "link": "http://169.254.169.254/own"}
    build(d.plugins, [(n, f"url: '{u}'\nevery: 1 h\n") for n, u in places.items()], "http://127.0.0.1:9/")
    d.sources = {}
    d.write(private=False)
    d.start()
    d.until(lambda: all(s["error"] for s in d.status()["sources"]) and d.status()["sources"], 20, "all are refused")
    for s in d.status()["sources"]:
        assert re.search("address; `private: yes` allows it|none that can be fetched", s["error"]), s
    assert not origin.requests() and {s["name"] for s in d.status()["sources"]} <= set(places)


@pytest.mark.parametrize("url", ["file://{loot}", "FILE://{loot}", "text=a file://{loot} text= http://127.0.0.1:9/"])
def test_a_plugins_own_url_is_no_file(house, origin, url):
    d = house
    path = build(d.plugins, [], url.format(loot=d.loot))
    d.sources["two"] = {"plugin": "brought", "text": "a", "every": "1 h"}
    d.write()
    d.start()
    d.until(lambda: seen(d, origin) or "its url" in d.log(), 20, "it is refused, or it steals")
    assert not seen(d, origin)
    refused(d, "its url: a plugin.s own has to be http", path)
    assert d.source("two")["state"] == "waiting"
    d.courant("reload")


def test_a_template_is_no_file_either(house, origin):
    d = house
    build(d.plugins, [("loot", f"text: 'file://{d.loot}'\nevery: 1 h\n"), ("login", f"text: 'u:p@127.0.0.1:{origin.port}'\n")],
          "{text}", BROUGHT_NAME=literal("brought"))
    build(d.plugins, [("login", f"text: 'u:p@127.0.0.1:{origin.port}'\nevery: 1 h\n")], "http://{text}/own", name="second")
    d.write()
    d.start()
    d.wait_log("the source loot that plugin source_brought brings cannot start: .*url: ")
    d.wait_log("the source login that plugin source_second brings cannot start: .*url: ")
    d.settled()
    assert not seen(d, origin) and [s["name"] for s in d.status()["sources"]] == ["mine"]
    assert not [r for r in origin.requests() if "authorization" in r["headers"]]


def test_a_version_that_says_too_much_gives_way_to_the_one_before(house, origin):
    d = house
    path = build(d.plugins, [("good", "text: x\nevery: 1 h\n")], origin.url("/own?text={text}"))
    d.write()
    d.start()
    d.settled()
    assert d.source("good")["state"] == "ok"
    build(d.plugins, [("good", f"text_file: {d.loot}\nevery: 1 h\n")], origin.url("/own?text={text}"))
    d.wait_log(rf"warning: {path}: default source good: text_file: ")
    d.wait_log("plugin source_brought: version 1 .* goes on")
    d.refresh("good")
    assert d.source("good")["state"] == "ok" and not seen(d, origin)
    code, said = d.run("-n")
    assert "default source good: text_file" in said, (code, said)


@pytest.mark.parametrize("command", ["plugins", "parse"])
def test_commands_say_so_as_well(house, origin, command):
    d = house
    path = build(d.plugins, [("loot", f"text_file: {d.loot}\n")], origin.url("/own"))
    done = subprocess.run([program("courant"), "-s", "/nonexistent", *([command, path] if command == "plugins" else
                           [command, "--plugin", path, d.conf])], capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and b"default source loot: text_file: " in done.stdout + done.stderr, done


@pytest.mark.parametrize("says", ["every: 1 ms", "every: 0", "every: 2 y", "every: x", "every: 2 h..1 h"])
def test_an_interval_that_no_source_may_have_leaves_it_out(house, origin, says):
    d = house
    path = build(d.plugins, [("loot", says), ("good", "text: x\nevery: 1 h\n")], origin.url("/own?text={text}"))
    d.write()
    d.start()
    d.wait_log(f"warning: the source loot that plugin source_brought brings cannot start: {path}:1: source loot: every: ")
    d.settled()
    assert sorted(s["name"] for s in d.status()["sources"]) == ["good", "mine"]
    assert len(asked(origin, "text=x")) == 1 and not asked(origin, "text=")
