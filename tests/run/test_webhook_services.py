"""What sink_webhook sends to each chat: within the service's limits, calling nobody, and what becomes
of a record that a receiver refuses for what it is."""
import html
import json
import re

import pytest

from courant import numbered, rss
from receiver import Receiver

ZERO_WIDTH = "\u200b"
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"       # one seen character of 5 code points


def utf16(text):
    return len(text.encode("utf-16-le")) // 2


# Where the text is, what the service counts, and how many of these it takes.
SERVICES = {
    "discord": ("content", utf16, 2000),
    "slack": ("text", utf16, 4000),
    "mattermost": ("text", len, 16383),
    "telegram": ("text", utf16, 4096),
    "matrix": ("formatted_body", lambda t: len(t.encode()), 16000),
    "ntfy": (None, lambda t: len(t.encode()), 4096),             # the body itself
}


@pytest.fixture
def posted(daemon, origin):
    """A daemon that sends these entries to a receiver, each route by other options."""
    def make(receiver, entries, routes=None, **options):
        origin.put("f.xml", rss(entries))
        hook = {"url": receiver.url(), "backlog": "all", **options}
        d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
                   {name: {"from": ["*"], "to": {
                       "webhook": {**hook, "url": receiver.url("/" + name), **more}}}
                    for name, more in (routes or {"hooks": {}}).items()})
        return d.start()
    return make


def until(d, receiver, n):
    d.until(lambda: len(receiver.taken()) >= n, 30, f"{n} messages")
    d.settled()
    return receiver.taken()


def leg(d, name="hooks"):
    return d.route(name)["sinks"][0]


def text_of(hook):
    name = SERVICES[hook.path[1:]][0]
    return hook.json[name] if name else hook.body.decode()


def texts(receiver, service):
    return [text_of(h) for h in receiver.hooks if h.path == "/" + service]


def by_service():
    return {name: {"body": name} for name in SERVICES}


@pytest.mark.parametrize("letter", ["z", "\u00e9", "*", "&amp;", "e\u0301", "\U0001f600", FAMILY])
def test_a_title_is_cut_at_a_seen_character_within_what_the_service_takes(posted, letter):
    one = html.unescape(letter)
    with Receiver() as r:
        d = posted(r, [("long", letter * (12000 // len(letter.encode())), "https://example.org/1")],
                   by_service())
        until(d, r, len(SERVICES))
        for service, (_, count, most) in SERVICES.items():
            text, = texts(r, service)
            assert count(text) <= most, service
            shown = html.unescape(text).replace("\\", "")
            assert "https://example.org/1" in shown and "one" in shown
            title = max(re.findall("(?:%s)+" % re.escape(one), shown), key=len)
            behind = shown[shown.index(title) + len(title)]
            assert behind in "]|< \n>\u2026", f"{service}: a character is torn"
            assert behind == "\u2026" or service not in ("discord", "slack", "telegram")


def test_discord_has_256_characters_of_a_title(posted):
    with Receiver() as r:
        d = posted(r, [("a", "x" * 256, "https://example.org/1"), ("b", "y" * 257, "https://example.org/2")],
                   body="discord")
        got = sorted(h.json["content"] for h in until(d, r, 2))
        assert got == [f"[{'x' * 256}](https://example.org/1) \u00b7 one",
                       f"[{'y' * 255}\u2026](https://example.org/2) \u00b7 one"]


def test_a_batch_is_divided_where_the_service_takes_no_more(posted):
    entries = [(f"g{n}", f"{n} " + "a headline of ordinary length " * 6, f"https://example.org/{n}")
               for n in range(60)]
    with Receiver() as r:
        d = posted(r, entries, {s: {"body": s, "batch": 32} for s in SERVICES})
        d.until(lambda: all(leg(d, s)["place"] == leg(d, "discord")["place"] >= 60
                            for s in SERVICES), 30, "all of them are sent")
        d.settled()
        for service, (_, count, most) in SERVICES.items():
            sent = texts(r, service)
            assert all(count(t) <= most for t in sent), service
            assert sum(t.count("https://example.org/") for t in sent) == 60
            assert len(sent) < 30, f"{service}: not one by one"
            if service == "discord":
                assert all(count(t) > 1700 for t in sent[:3]), "as many as it takes"


@pytest.mark.parametrize("service,most", [("discord", 2000), ("slack", 4000), ("telegram", 4096)])
def test_what_no_cut_can_mend_is_a_dead_letter_unsent_and_the_route_goes_on(posted, service, most):
    with Receiver() as r:
        d = posted(r, [("z", "after it", "https://example.org/2"),
                       ("y", "too far", "https://example.org/" + "y" * most),
                       ("a", "before it", "https://example.org/1")], body=service, batch=8)
        d.until(lambda: leg(d)["dead"] == 1 and leg(d)["retry"] == 0, 20, "one dead letter")
        d.settled()
        text = "\n".join(h.json[SERVICES[service][0]] for h in r.hooks)
        assert "after it" in text and "before it" in text and "too far" not in text
        assert "longer than a message of " + service in d.log()


def test_a_link_that_just_fits_is_sent_without_the_source(posted):
    link = "https://example.org/" + "y" * (2000 - len("[x](https://example.org/)"))
    with Receiver() as r:
        d = posted(r, [("a", "x", link)], body="discord")
        assert until(d, r, 1)[0].json["content"] == f"[x]({link})"
    with Receiver() as r:
        d = posted(r, [("b", "x", link + "y")], body="discord")
        d.until(lambda: leg(d)["dead"] == 1, 20, "one more and it is a dead letter")
        assert not r.hooks


CALLS = ["@everyone", "@here", "@channel", "@all", "@room", "@ada", "&lt;!channel&gt;", "&lt;!here|here&gt;",
         "&lt;@U024BE7LH&gt;", "&lt;@&amp;123456789012345678&gt;", "&lt;@123456789012345678&gt;",
         "&lt;a href=\"tg://user?id=42\"&gt;Ada&lt;/a&gt;", "&lt;!subteam^S1&gt;", "[x](tg://user?id=42)",
         "&lt;a href=&quot;https://matrix.to/#/@ada:example.org&quot;&gt;Ada&lt;/a&gt;"]


def test_no_title_calls_anybody(posted):
    with Receiver() as r:
        d = posted(r, [(f"g{n}", f"{call} attend", f"https://example.org/{n}" if n % 2 else None)
                       for n, call in enumerate(CALLS)] +
                   [("u", None, "https://example.org/u")] +
                   ["<item><guid isPermaLink='false'>text</guid><description>@everyone of you, "
                    "&amp;lt;!channel&amp;gt;</description></item>"], {**by_service()})
        until(d, r, len(SERVICES) * (len(CALLS) + 1))
        for h in r.hooks:
            for at in h.body.decode().replace("\\u200b", ZERO_WIDTH).split("@")[1:]:
                assert at.startswith(ZERO_WIDTH), f"{h.path}: {h.body}"
            if h.path == "/discord":
                assert h.json["allowed_mentions"] == {"parse": []}
                assert "<" not in h.json["content"].replace("\\<", "")
            if h.path == "/slack":
                for part in h.json["text"].split("<")[1:]:
                    assert part.startswith("https://example.org/"), h.json
            if h.path == "/telegram":
                assert h.json["parse_mode"] == "HTML"
            if h.path in ("/telegram", "/matrix"):
                text = h.json["text" if h.path == "/telegram" else "formatted_body"]
                assert text.count("<") == 2 * text.count('<a href="https://example.org/'), text
            if h.path == "/matrix":
                assert h.json["m.mentions"] == {} and h.json["msgtype"] == "m.notice"


def test_a_link_that_no_browser_follows_is_text(posted):
    """tg://user?id=42 as a link is a call to user 42."""
    item = "<item><guid isPermaLink='false'>%d</guid><title>t</title><link>%s</link></item>"
    with Receiver() as r:
        d = posted(r, [item % (1, "tg://user?id=42"), item % (2, "magnet:?xt=urn:btih:1")], body="telegram")
        assert all("<a " not in h.json["text"] for h in until(d, r, 2))


def test_an_untitled_record_shows_the_beginning_of_its_text(posted):
    text = "Kestrels nest on the &lt;b&gt;tower&lt;/b&gt; again &amp;amp; again. " * 40
    with Receiver() as r:
        d = posted(r, [f"<item><guid isPermaLink='false'>u</guid><link>https://example.org/1</link>"
                       f"<description>{text}</description></item>",
                       "<item><guid isPermaLink='false'>v</guid><link>https://example.org/2</link></item>",
                       "<item><guid isPermaLink='false'>w</guid><link>https://example.org/3</link>"
                       "<description>&lt;img src='x.png'&gt;</description></item>"],
                   {**by_service(), "plain": {"body": '{"t":"{title}"}'}})
        until(d, r, 3 * (len(SERVICES) + 1))
        for service in SERVICES:
            first, = [t for t in texts(r, service) if "example.org/1" in t]
            first = html.unescape(first)
            assert "Kestrels nest on the tower again & again. Kestrels" in first
            assert first.count("Kestrels") < 7 and "\u2026" in first
            assert all(any(f"example.org/{n}" in t for t in texts(r, service)) for n in (2, 3))
        plain = [h.json["t"] for h in r.hooks if h.path == "/plain"]
        assert any(t.startswith("Kestrels") and len(t) == 200 for t in plain)
        assert {"https://example.org/2", "https://example.org/3"} < set(plain)


@pytest.mark.parametrize("dates,want", [
    ("<pubDate>Fri, 27 Nov 2020 10:00:00 GMT</pubDate>", "2020-11-27T10:00:00Z"),
    ("<updated xmlns='http://www.w3.org/2005/Atom'>2021-01-02T03:04:05Z</updated>", "2021-01-02T03:04:05Z"),
    ("", None),
])
def test_a_template_always_has_a_date(posted, dates, want):
    with Receiver() as r:
        d = posted(r, [f"<item><guid isPermaLink='false'>u</guid><title>t</title>{dates}</item>"],
                   body='{"p":"{published}","r":{json}}')
        got = until(d, r, 1)[0].json
        assert got["p"] == (want or got["r"]["seen"])


@pytest.mark.parametrize("name,want", [
    ("{summary:200}", "ab" * 99 + "a\u2026"), ("{summary:201}", "ab" * 100 + "\u2026"), ("{summary:300}", "ab" * 150),
    ("{title:4}", "e\u0301e\u0301e\u0301\u2026"), ("{title:5}", "e\u0301" * 5), ("{title:1}", "\u2026"),
    ("{categories:7}", "one, t\u2026"), ("{content:3}", FAMILY * 2 + "\u2026"),
    ("{markdown:3}", "[e\u0301e\u0301\u2026](https://example.org/1) \u00b7 one"),
])
def test_a_template_can_shorten(posted, name, want):
    item = ("<item><guid isPermaLink='false'>u</guid><link>https://example.org/1</link>"
            f"<title>{'e' + chr(0x301)}{('e' + chr(0x301)) * 4}</title><description>{'ab' * 150}</description>"
            "<category>one</category><category>two</category><content:encoded xmlns:content="
            f"'http://purl.org/rss/1.0/modules/content/'>{FAMILY * 9}</content:encoded></item>")
    with Receiver() as r:
        d = posted(r, [item], body=json.dumps({"v": name}))
        assert until(d, r, 1)[0].json == {"v": want}


@pytest.mark.parametrize("body,said", [
    ("{sumary:200}", "there is no {sumary}"), ("{summary:0}", "{summary:0}: a text is cut to 1 to 10000"),
    ("{summary:99999999999}", "a text is cut to 1 to 10000"), ("{link:20}", "{link} cannot be cut"),
    ("{json:20}", "{json} cannot be cut"),
])
def test_a_name_that_cannot_be_is_told_before_it_starts(daemon, body, said):
    d = daemon({}, {"hooks": {"from": ["*"], "to": {"webhook": {"url": "http://127.0.0.1:1/", "body": body}}}})
    code, text = d.run("-n")
    assert code == 1 and said in text, text


def test_a_channel_for_a_service_that_is_told_by_its_url_is_a_mistake(daemon):
    d = daemon({}, {"hooks": {"from": ["*"], "to": {"webhook": {
        "url": "http://127.0.0.1:1/", "body": "discord", "channel": "news"}}}})
    code, text = d.run("-n")
    assert code == 1 and "channel: discord has none" in text, text


@pytest.mark.parametrize("status, batch", [
    (400, 1), (413, 1), (422, 1), (400, 10), (422, 10), (404, 10), (406, 10), (451, 10)])
def test_a_record_that_is_refused_alone_has_three_tries_and_the_others_go_on(posted, status, batch):
    def answer(hook, nth):
        what = hook.json if isinstance(hook.json, list) else [hook.json]
        return status if any(x["title"] == "n number 7" for x in what) else 200
    with Receiver(answer) as r:
        d = posted(r, numbered(1, 12), batch=batch,
                   retry=["100 ms", "200 ms", "24 h", "24 h"])
        d.until(lambda: leg(d)["dead"] == 1 and leg(d)["retry"] == 0, 30, "a dead letter")
        d.until(lambda: sum(len(x.json) if batch > 1 else 1 for x in r.taken()) == 11, 20, "all others")
        d.settled()
        alone = [h for h in r.hooks if h.status == status and
                 (batch == 1 or [x["title"] for x in h.json] == ["n number 7"])]
        assert len(alone) == 3 and len({h.id for h in alone}) == 1
        if batch > 1:
            assert sum(h.status == status for h in r.hooks) <= 3 + 4, "halved, and not again each time"
            assert [x["title"] for h in r.taken() for x in h.json] in (
                [f"n number {n}" for n in order if n != 7] for order in (range(1, 13), range(12, 0, -1)))


def test_a_message_that_is_too_large_is_divided_until_it_is_taken(posted):
    with Receiver(lambda hook, nth: 413 if len(hook.body) > 3000 else 200) as r:
        d = posted(r, [(f"g{n}", f"{n} " + "x" * 500, None) for n in range(30)], batch=32)
        d.until(lambda: sum(len(h.json) for h in r.taken()) == 30, 30, "all 30")
        d.settled()
        assert leg(d)["dead"] == 0 and len({x["id"] for h in r.taken() for x in h.json}) == 30
        assert max(len(h.json) for h in r.taken()) > 1


@pytest.mark.parametrize("status", [401, 403, 408, 409, 425, 429, 500, 502, 503])
def test_another_failure_divides_no_batch_and_is_tried_on(posted, status):
    with Receiver(lambda hook, nth: status if nth < 4 else 200) as r:
        d = posted(r, numbered(1, 6), batch=6, retry=["50 ms"] * 6)
        until(d, r, 1)
        assert [len(h.json) for h in r.hooks] == [6] * 5 and len({h.id for h in r.hooks}) == 1
        assert leg(d)["dead"] == 0


def test_what_the_address_may_be_to_blame_for_has_all_tries_without_a_batch(posted):
    with Receiver(lambda hook, nth: 404 if nth < 6 else 200) as r:
        d = posted(r, numbered(1, 2), retry=["50 ms"] * 6)
        until(d, r, 2)
        assert leg(d)["dead"] == 0 and [h.status for h in r.hooks] == [404] * 6 + [200] * 2


def test_a_matrix_event_has_its_id_as_transaction(posted):
    room = "/_matrix/client/v3/rooms/%21r%3Aexample.org/send/m.room.message"
    with Receiver(lambda hook, nth: 500 if nth == 0 else 200) as r:
        d = posted(r, numbered(1, 1), {"m": {"url": r.url(room), "body": "matrix", "bearer": "t",
                                             "retry": ["50 ms"]}})
        got = until(d, r, 1)[0]
        assert got.method == "PUT" and got.path == f"{room}/{got.id}" == r.hooks[0].path
        assert got.json["body"] == "n number 1 \u00b7 one\nhttps://example.org/n/1"
        assert got.json["formatted_body"] == '<a href="https://example.org/n/1">n number 1</a> \u00b7 one'


def test_telegram_is_told_the_chat_and_ntfy_is_sent_text(posted):
    with Receiver() as r:
        d = posted(r, numbered(1, 1), {
            "a": {"body": "telegram", "channel": "-1001"}, "b": {"body": "telegram"}, "c": {"body": "ntfy"}})
        until(d, r, 3)
        got = {h.path: h for h in r.hooks}
        assert got["/a"].json == {**got["/b"].json, "chat_id": "-1001"}
        assert got["/b"].json["text"] == '<a href="https://example.org/n/1">n number 1</a> \u00b7 one'
        assert got["/c"].body.decode() == "n number 1 \u00b7 one\nhttps://example.org/n/1"
        assert got["/c"].headers["content-type"] == "text/plain; charset=utf-8"
