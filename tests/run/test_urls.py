"""Addresses: made URIs where they come in, asked for as they were checked; credentials in them belong to
the origin and are shown to nobody."""
import base64
import html
import json
import re
import urllib.parse

import pytest

from api import Api
from courant import rss
from receiver import Receiver
from test_secrets import shown, stored

LOGIN = "Basic " + base64.b64encode(b"reader:s3cret").decode()
XML = "application/rss+xml"


def item(guid, link, more=""):
    return f"<item><guid isPermaLink='false'>{guid}</guid><title>{guid}</title><link>{link}</link>{more}</item>"


def one(daemon, sources, routes=None, **settings):
    d = daemon(sources=sources, routes=routes or {"all": {"from": ["*"], "to": [
        {"feed": {"path": "all"}}, {"jsonl": {"path": "all.jsonl"}}]}}, settings=settings)
    d.sources = {name: {"plugin": "feed", "every": "1 h", **s} for name, s in sources.items()}
    d.write()
    return d.start(debug=True)


# ---- IRIs ----

@pytest.mark.parametrize("url", ["http://bücher.localhost:{}/über?ä=ö", "http://BÜCHER。localhost:{}/über?ä=ö",
                                 "http://b%C3%BCcher.localhost:{}/%C3%BCber?%C3%A4=ö"])
def test_an_iri_is_asked_for_as_a_uri(daemon, api, url):
    api.set("/%C3%BCber?%C3%A4=%C3%B6", rss([item("a", "/straße")]), Content_Type=XML)
    d = one(daemon, {"s": {"url": url.format(api.port)}, "t": {"each": [url.format(api.port)], "url": "{each}"}},
            hosts={"Bücher.localhost": {"at_once": 1}})
    d.settled()
    assert d.records() == 2
    uri = f"http://xn--bcher-kva.localhost:{api.port}/%C3%BCber?%C3%A4=%C3%B6"
    assert d.source("s")["url"] == uri
    assert {h["host"] for _, h, _ in api.asked} == {f"xn--bcher-kva.localhost:{api.port}"}
    link = f"http://xn--bcher-kva.localhost:{api.port}/stra%C3%9Fe"
    assert {r["link"] for r in d.lines()} == {link}
    d.until(lambda: link in d.out("all.rss").read_text(), 20, "the link stands in the feed")


def test_where_a_redirect_and_a_page_lead_is_a_uri_as_well(daemon, api):
    api.set("/old", "", 302, Location=f"http://bücher.localhost:{api.port}/list/ä".encode().decode("latin-1"))
    api.set("/list/%C3%A4", {"list": [{"self": "http://xn--bcher-kva.localhost/ü", "name": "t"}],
                             "next": f"http://BÜCHER.localhost:{api.port}/list/2?é"})
    api.set("/list/2?%C3%A9", {"list": [{"self": "//ÜBER.example/ü#é", "name": "u"}]})
    d = one(daemon, {"s": {"plugin": "json", "url": api.base + "/old", "items": "list", "next": "next",
                           "fields": {"guid": "name", "title": "name", "link": "self"}}})
    found = d.until_lines(2)
    assert [r["link"] for r in found] == ["http://xn--bcher-kva.localhost/%C3%BC",
                                          "http://xn--ber-goa.example/%C3%BC#%C3%A9"]
    assert api.paths() == ["/old", "/list/%C3%A4", "/list/2?%C3%A9"]


def test_links_in_texts_and_files_of_an_entry_are_uris(daemon, api):
    api.set("/f", rss([item("a", "http://bücher.example/ü", """
        <description>&lt;a href="http://u:p@bücher.example/ä"&gt;x&lt;/a&gt; &lt;img src="//BÜCHER.example/ö.png"&gt;</description>
        <enclosure url="ü.mp3" length="5" type="audio/mpeg"/><comments>http://☃.net/ö</comments>
        <wfw:commentRss xmlns:wfw="http://wellformedweb.org/CommentAPI/">http://u:p@bücher.example/k</wfw:commentRss>
        """)]), Content_Type=XML)
    d = one(daemon, {"s": {"url": api.base + "/f"}})
    record, = d.until_lines(1)
    text = json.dumps(record, ensure_ascii=False)
    for want in ("http://xn--bcher-kva.example/%C3%BC", "http://xn--bcher-kva.example/%C3%A4",
                 "http://xn--bcher-kva.example/%C3%B6.png", "http://xn--bcher-kva.example/k", api.base + "/%C3%BC.mp3",
                 "http://%E2%98%83.net/%C3%B6"):
        assert want in text, (want, text)
    assert "u:p@" not in text and text.isascii(), text
    for asked in ("http://bücher.example/ü", "http://u:p@xn--bcher-kva.example/%c3%bc"):
        assert record["id"] in d.courant("explain", asked).stdout.decode()


def test_a_webhook_goes_to_the_uri_of_its_url(daemon, api):
    api.set("/f", rss([item("a", "/a")]), Content_Type=XML)
    with Receiver() as r:
        port = urllib.parse.urlsplit(r.url()).port
        d = one(daemon, {"s": {"url": api.base + "/f"}}, {"hook": {"from": ["*"], "to": {"webhook": {
            "url": f"http://reader:s3cret@bücher.localhost:{port}/haken/ü", "backlog": "all"}}}})
        d.until(lambda: r.hooks, 20, "a hook came")
        hook = r.hooks[0]
        assert (hook.path, hook.headers["host"]) == ("/haken/%C3%BC", f"xn--bcher-kva.localhost:{port}")
        assert hook.headers["authorization"] == LOGIN
        d.settled()
        assert "s3cret" not in d.log() + d.courant("status", "--json").stdout.decode()


def test_a_host_that_cannot_be_looked_up_is_a_mistake(daemon):
    d = daemon(sources={"s": {"plugin": "feed", "url": "http://reader:s3cret@a／b.example/f"},
                        "t": {"plugin": "feed", "url": "http://reader:s3cret/x@host/f"}})
    code, said = d.run("-n")
    assert code != 0 and said.count("none that can be fetched") == 2, said
    assert "s3cret" not in said and "http://a" in said, said


# ---- Addresses of outputs ----

def test_an_output_of_any_name_is_found_by_its_address(daemon, api):
    """Its feeds' own links, and those of the page, lead to it whatever signs its name has."""
    name = "tägliche news/100% #1?&+;<a>'\u4e2d"
    api.set("/f", rss([item("a", "/a")]), Content_Type=XML)
    d = one(daemon, {"s": {"url": api.base + "/f"}}, {"r": {"from": ["*"], "to": [
        {"feed": {"path": name}}, {"jsonl": {"path": name + ".jsonl"}}]}},
        serve={"listen": "127.0.0.1:0", "base": "https://BÜCHER.example/feeds/ü/"})
    d.settled()
    base = "https://xn--bcher-kva.example/feeds/%C3%BC/"
    told = {"rss": re.search('<atom:link rel="self"[^>]* href="([^"]*)"', d.out(name + ".rss").read_text())[1],
            "atom": re.search('<link rel="self"[^>]* href="([^"]*)"', d.out(name + ".atom").read_text())[1],
            "json": json.loads(d.out(name + ".json").read_text())["feed_url"]}
    assert {k: v[:len(base)] for k, v in told.items()} == dict.fromkeys(told, base), told
    paths = [address[len(base) - 1:] for address in told.values()]
    paths += [html.unescape(p) for p in re.findall(' href="(/[^"]*100[^"]*)"', d.http("/").text)]
    assert len(set(paths)) == 4 and all(re.fullmatch("[A-Za-z0-9/._~%-]+", p) for p in paths), paths
    for path in paths:
        answer = d.http(path)
        assert answer.status == 200 and answer.body == d.out(urllib.parse.unquote(path[1:])).read_bytes(), path


def test_a_list_of_feeds_may_have_marks_and_returns(daemon, api):
    opml = """<opml version="2.0"><body><outline text="A" xmlUrl="\ufeffhttp://a.example/&#13;&#10;"/>
        <outline text="B" xmlUrl=" http://bücher.example/ü&#13; "/></body></opml>"""
    api.set("/list", ("\ufeff" + opml.replace("\n", "\r\n")).encode(), Content_Type="text/x-opml")
    d = one(daemon, {"s": {"url": api.base + "/list"}})
    assert {r["link"] for r in d.until_lines(2)} == {"http://a.example/", "http://xn--bcher-kva.example/%C3%BC"}


# ---- Credentials ----

def entries(api):
    """A feed behind a login that names it, relatively and absolutely, wherever a feed may."""
    own = f"http://reader:s3cret@127.0.0.1:{api.port}"
    return rss([item("a", "/story/1", f"""<description>&lt;a href="/x"&gt;x&lt;/a&gt; &lt;img src="i.png"&gt;
        &lt;a href="{own}/y"&gt;{own}/z&lt;/a&gt;</description><comments>{own}/c</comments>
        <enclosure url="/e.mp3" length="5" type="audio/mpeg"/>"""),
                item("b", own + "/story/2")],
               more=f"<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='{own}/f'/>")


@pytest.mark.parametrize("kind", ["url", "each", "each_bare"])
def test_credentials_in_a_url_go_to_its_origin_and_stand_nowhere(daemon, api, kind):
    with Api() as other, Receiver() as r:
        there = f"reader:s3cret@127.0.0.1:{api.port}/old"
        api.set("/old", "", 301, Location=f"http://reader:s3cret@127.0.0.1:{api.port}/f")
        api.set("/f", entries(api), Content_Type=XML, Link=f"<http://reader:s3cret@127.0.0.1:{api.port}/p>; rel=hub",
                X_Echo=LOGIN)
        source = {"url": {"url": "http://" + there}, "each": {"each": ["http://" + there], "url": "{each}"},
                  "each_bare": {"each": [there], "url": "http://{each}"}}[kind]
        routes = {"all": {"from": ["*"], "to": [{"feed": {"path": "all"}}, {"jsonl": {"path": "all.jsonl"}}]},
                  "hook": {"from": ["*"], "to": {"webhook": {"url": r.url(), "backlog": "all"}}}}
        d = one(daemon, {"s": source}, routes)
        d.until_lines(2)
        d.until(lambda: len(r.hooks) == 2, 20, "both hooks")
        assert [h["authorization"] for _, h, _ in api.asked] == [LOGIN, LOGIN]
        name = d.status()["sources"][0]["name"]
        d.refresh(name)
        assert api.paths() == ["/old", "/f", "/f"] and api.headers("/f")[-1]["authorization"] == LOGIN
        everything = shown(d) + d.courant("explain", "a").stdout.decode() + str([h.body for h in r.hooks]) + \
            "".join(d.out(f"all.{e}").read_text() for e in ("rss", "atom", "json")) + d.http("/").text + \
            d.http("/api/v1/sources").text
        for secret in ("s3cret", LOGIN[6:], "reader:"):
            assert secret not in everything, secret
        assert b"s3cret" not in stored(d)
        assert all(r["link"].startswith(api.base + "/story/") for r in d.lines())
        # It moves to another origin: that one is asked without.
        api.set("/f", "", 301, Location=other.base + "/f")
        other.set("/f", entries(api), Content_Type=XML)
        d.refresh(name)
        d.refresh(name)
        assert len(other.asked) == 2 and not any("authorization" in h for _, h, _ in other.asked)


def test_a_password_may_have_signs_that_are_escaped(daemon, api):
    api.set("/f", rss([item("a", "/a")]), Content_Type=XML)
    d = one(daemon, {"s": {"url": f"http://a%40b:p%2Fq%3A%C3%A9@127.0.0.1:{api.port}/f"}})
    d.until_lines(1)
    (_, headers, _), = api.asked
    assert base64.b64decode(headers["authorization"][6:]).decode() == "a@b:p/q:é"


def test_sources_of_one_host_have_each_their_own_login(daemon, api):
    each = [f"http://{who}:{who}-pass@127.0.0.1:{api.port}/{who}" for who in ("ann", "bob")]
    each.append(f"{api.base}/none")
    for path in ("/ann", "/bob", "/none"):
        api.set(path, rss([item(path, path)]), Content_Type=XML)
    d = one(daemon, {"s": {"each": each, "url": "{each}"}})
    d.until_lines(3)
    sent = {path: h.get("authorization") for path, h, _ in api.asked}
    assert sent == {**{f"/{w}": "Basic " + base64.b64encode(f"{w}:{w}-pass".encode()).decode()
                       for w in ("ann", "bob")}, "/none": None}


def test_a_login_that_is_changed_is_sent_after_a_reload(daemon, api):
    api.set("/f", rss([item("a", "/a")]), Content_Type=XML)
    d = one(daemon, {"s": {"url": f"http://reader:old@127.0.0.1:{api.port}/f"}})
    d.until_lines(1)
    d.sources["s"]["url"] = f"http://reader:s3cret@127.0.0.1:{api.port}/f"
    d.write()
    d.courant("reload")
    d.until(lambda: api.headers("/f")[-1]["authorization"] == LOGIN, 20, "the new one is sent")
    d.settled()
    assert len(d.lines()) == 1


def test_the_command_line_sends_a_login_and_shows_none(daemon, api):
    api.set("/f", entries(api), Content_Type=XML)
    d = daemon()
    done = d.courant("-c", str(d.conf), "fetch", "feed", "--url", f"http://reader:s3cret@127.0.0.1:{api.port}/f", check=False)
    assert done.returncode == 0, done.stderr
    assert api.headers("/f")[0]["authorization"] == LOGIN
    assert b"s3cret" not in done.stdout + done.stderr and b"warning" not in done.stderr, done.stderr


# ---- The way to the network ----

@pytest.mark.parametrize("name", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_is_used(daemon, api, monkeypatch, name):
    with Api() as proxy, Receiver() as r:
        monkeypatch.setenv(name, proxy.base)
        for no in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(no, raising=False)
        api.set("/f", rss([item("a", "/a")]), Content_Type=XML)
        d = one(daemon, {"s": {"url": api.base + "/f"}}, {"hook": {"from": ["*"], "to": {"webhook": {
            "url": r.url(), "backlog": "all"}}}})
        d.until(lambda: r.hooks, 20, "fetch and send reached whom they were to")
        done = d.courant("-c", str(d.conf), "fetch", "feed", "--url", api.base + "/f", check=False)
        assert done.returncode == 0 and not proxy.asked, (done.stderr, proxy.asked)
