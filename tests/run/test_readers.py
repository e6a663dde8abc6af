"""Feeds as others read them: what courantd writes, through the readers that Debian has. Each finds every
entry with its title, its link and its text, and no reason to complain."""
import importlib.util
import json
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree as tree

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
MEDIA = "{http://search.yahoo.com/mrss/}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"

NAMES = ('xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
         'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
         'xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:media="http://search.yahoo.com/mrss/" '
         'xmlns:atom="http://www.w3.org/2005/Atom"')


def channel(items, more=""):
    return (f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {NAMES}><channel><title>A blog</title>'
            f'<link>https://blog.example/</link><description>d</description>{more}'
            + "".join(f"<item>{i}</item>" for i in items) + "</channel></rss>").encode()


def entry(name, more, link=True):
    at = f"<link>https://blog.example/{name}</link>" if link else ""
    return f'<guid isPermaLink="false">{name}</guid>{at}{more}<pubDate>Thu, 26 Nov 2026 10:00:00 GMT</pubDate>'


BLOG = channel([
    entry("content", "<title>content</title><content:encoded>&lt;p&gt;text of content &amp;amp; more&lt;/p&gt;"
          "</content:encoded>"),
    entry("summary", "<title>summary</title><description>&lt;p&gt;text of summary&lt;/p&gt;</description>"),
    entry("both", "<title>both</title><description>text of both</description><content:encoded>"
          "&lt;p&gt;text of both, all of it&lt;/p&gt;</content:encoded>"),
    entry("bare", "<title>text of bare &lt;b&gt;</title>"),
    entry("untitled", "<description>&lt;p&gt;text of untitled&lt;/p&gt;</description>"),
    entry("people", "<title>people</title><description>text of people</description>"
          "<dc:creator>Ann Alder</dc:creator><dc:creator>Bob Birch</dc:creator>"),
    entry("bücher/a b?c=\"d\"", "<title>iri</title><description>text of iri</description>"),
    entry("wordless", "<title>text of wordless</title><description> &lt;p&gt;&lt;/p&gt; </description>"),
], "<language>en</language><image><url>https://blog.example/i.png</url><title>A</title>"
   "<link>https://blog.example/</link></image>")
POD = channel([
    entry("ep1", "<title>ep1</title><description>text of ep1</description>"
          '<enclosure url="https://blog.example/1.jpg" length="5" type="image/jpeg"/>'
          '<enclosure url="https://blog.example/1.mp3" length="99" type="audio/mpeg"/>'
          '<enclosure url="https://blog.example/1.ogg" length="98" type="audio/ogg"/>'
          "<itunes:duration>1:02:03</itunes:duration><itunes:episode>3</itunes:episode><itunes:season>2"
          "</itunes:season><itunes:explicit>no</itunes:explicit><itunes:episodeType>Full</itunes:episodeType>"
          '<itunes:image href="https://blog.example/1.png"/>'
          '<podcast:transcript url="https://blog.example/1.vtt" type="application/x-of-its-own"/>'
          "<podcast:person>Ann Alder</podcast:person>"),
    entry("ep2", '<title>text of ep2</title><enclosure url="https://blog.example/2.m4a"/>'
          "<itunes:duration>about an hour</itunes:duration><itunes:explicit>perhaps</itunes:explicit>"),
    entry("ep3", '<title>ep3</title><description>text of ep3</description>'
          '<media:content url="https://blog.example/3.jpg" medium="image"/>'
          '<media:content url="https://blog.example/player" type="application/x-shockwave-flash"/>'),
    entry("ep4", '<title>ep4</title><description>text of ep4</description>'
          '<media:content url="https://blog.example/4.mp3"/>'
          '<enclosure url="https://blog.example/4.mp3" length="7" type="audio/mpeg"/>'),
], "<itunes:author>Ann</itunes:author>")
NEWS = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><id>urn:news</id>
<title>The &lt;news&gt; &amp; all</title><updated>2026-11-01T00:00:00Z</updated>
<link href="https://news.example/"/><link rel="self" href="https://news.example/feed.atom"/>
<entry><id>urn:news:1</id><title>atom</title><link href="https://news.example/1"/>
<updated>2026-11-26T10:00:00Z</updated><content type="html">&lt;p&gt;text of atom&lt;/p&gt;</content>
<author><name>Ann Alder</name></author><author><name>Bob Birch</name></author></entry>
<entry><id>urn:news:2</id><title>text of linkless</title><updated>2026-11-26T10:00:00Z</updated>
<author><name>Ann Alder</name></author></entry></feed>"""
JSONFEED = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "J", "language": "de",
                       "home_page_url": "https://j.example/", "items": [
    {"id": "1", "url": "https://j.example/1", "title": "json", "content_text": "text of json",
     "attachments": [{"url": "https://j.example/1.mp3", "mime_type": "audio/mpeg"}]}]})
COUNT = 8 + 4 + 2 + 1
PAGES = {"/blog": (BLOG, "application/rss+xml"), "/pod": (POD, "application/rss+xml"),
         "/news": (NEWS, "application/atom+xml"), "/json": (JSONFEED, "application/feed+json")}


@pytest.fixture(scope="module")
def feeds():
    """The feeds of one run: all.rss, all.atom, all.json, and blog.* from one source."""
    import courant
    from origin import Origin
    with Origin() as origin:
        for path, (body, kind) in PAGES.items():
            origin.set(path, body=body, type=kind)
        d = courant.Daemon({p[1:]: {"plugin": "feed", "url": origin.url(p)} for p in PAGES}, {
            "all": {"from": ["*"], "once": "record", "to": [{"feed": {"path": "all"}}, {"jsonl": {"path": "all.jsonl"}}]},
            "one": {"from": ["blog"], "to": [{"feed": {"path": "blog"}}]}})
        try:
            d.start()
            d.until_lines(COUNT)
            d.settled()
            d.until(lambda: d.out("all.json").exists() and len(json.loads(d.out("all.json").read_text())["items"])
                    == COUNT, 20, "the list holds all")
            yield {"folder": d.out(""), "origin": origin.url("")}
        finally:
            d.close()


def needs(*programs):
    for each in programs:
        if shutil.which(each) is None:
            pytest.skip(f"{each} is missing: contrib/packages test")


def ran(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def expect(found, want=COUNT):
    """Entries as dicts of title, link, text: each of its own, and all there; one without a text is its title."""
    assert len(found) == want, [f["title"] for f in found]
    for each in found:
        each["text"] = each["text"] or each["title"]
        assert each["title"] and "text of " in each["text"], each
        name = each["text"].split("text of ")[1].split()[0].strip(",.<")
        name = name.partition("<")[0]
        assert each["title"] in (name, f"text of {name}", f"text of {name} <b>"), each
    assert len({f["text"] for f in found}) == want


RUBY = """
require "rss"; require "json"
feed = RSS::Parser.parse(File.read(ARGV[0]), true)
text = proc { |x| x.nil? ? nil : x.respond_to?(:content) ? x.content.to_s : x.to_s }
puts JSON.generate(feed.items.map { |i|
  atom = !i.respond_to?(:description)
  { title: text[i.title], link: atom ? i.links.map { |l| l.href }.first : i.link,
    text: atom ? text[i.content] || text[i.summary] : i.description,
    author: atom ? i.authors.map { |a| a.name.content }.join(", ") : i.dc_creator,
    enclosure: (atom || i.enclosure.nil?) ? nil : i.enclosure.url } })
"""


@pytest.mark.parametrize("name", ("all.rss", "all.atom", "blog.rss", "blog.atom"))
def test_ruby_reads_and_validates(feeds, name):
    needs("ruby")
    found = json.loads(ran("ruby", "-e", RUBY, feeds["folder"] / name))
    expect(found, COUNT if name.startswith("all") else 8)
    assert [f["author"] for f in found if f["title"] == "people"] == ["Ann Alder, Bob Birch"]


def test_libmrss_reads(feeds, tmp_path):
    needs("cc", "pkg-config")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "mrss"], capture_output=True, text=True)
    if flags.returncode != 0:
        pytest.skip("libmrss0-dev is missing: contrib/packages test")
    program = tmp_path / "reader_mrss"
    ran("cc", "-o", program, HERE / "reader_mrss.c", *flags.stdout.split())
    for name in ("all.rss", "all.atom"):
        rows = [line.split("\t") for line in ran(program, feeds["folder"] / name).splitlines()]
        found = [dict(zip(("title", "link", "text", "enclosure"), row)) for row in rows]
        expect(found)
    assert "https://blog.example/1.mp3" in ran(program, feeds["folder"] / "all.rss")


@pytest.mark.parametrize("name", ("all.rss", "all.atom"))
def test_sfeed_reads(feeds, name):
    needs("sfeed")
    with open(feeds["folder"] / name) as text:
        rows = [line.split("\t") for line in ran("sfeed", stdin=text).splitlines()]
    found = [{"title": r[1], "link": r[2], "text": r[3], "author": r[6], "when": r[0]} for r in rows]
    expect(found)
    assert all(f["when"] for f in found)
    if name == "all.rss":
        assert [f["author"] for f in found if f["title"] == "people"] == ["Ann Alder, Bob Birch"]


@pytest.mark.parametrize("name", ("all.rss", "all.atom"))
def test_feedparser_reads_without_complaint(feeds, name):
    if importlib.util.find_spec("feedparser") is None:
        pytest.skip("python3-feedparser is missing: contrib/packages test")
    import feedparser
    feed = feedparser.parse((feeds["folder"] / name).read_bytes())
    assert not feed.bozo, feed.bozo_exception
    found = [{"title": e.title, "link": e.get("link"), "text": e.content[0].value if e.get("content")
              else e.get("summary"), "author": e.get("author", ""), "whole": e} for e in feed.entries]
    expect([{**f, "title": f["title"].replace("&lt;", "<").replace("&gt;", ">")} for f in found])
    if name == "all.rss":
        assert [f["author"] for f in found if f["title"] == "people"] == ["Ann Alder, Bob Birch"]
        one = next(f["whole"] for f in found if f["title"] == "ep1")
        assert [x.href for x in one.enclosures] == ["https://blog.example/1.mp3"]
        assert one.itunes_duration == "1:02:03" and one.itunes_episode == "3"
    source = next(f["whole"] for f in found if f["title"] == "atom").source
    assert source.title == "The <news> & all" or "news" in source.title
    assert source.get("href") or source.get("link") or source.links


# ---- what the formats demand, whoever reads them

def test_rss_by_its_specification_and_the_profile(feeds):
    rss = tree.parse(feeds["folder"] / "all.rss").getroot().find("channel")
    assert rss.findtext("link").startswith("https://") and rss.find("description").text
    for item in rss.findall("item"):
        assert item.findtext("title") and item.find("description") is not None
        assert len(item.findall("enclosure")) <= 1 and len(item.findall(DC + "creator")) <= 1
        source = item.find("source")
        assert source.text and source.get("url")
        for url in (item.findtext("link"), source.get("url")):
            assert url is None or url.isascii() and not set(url) & set(' "<>|\\^`{}')
    urls = {i.find("source").get("url") for i in rss.findall("item")}
    assert "https://news.example/feed.atom" in urls            # as the feed says itself
    assert feeds["origin"].rstrip("/") + "/blog" in urls       # as it was fetched
    by = {i.findtext("title"): i for i in rss.findall("item")}
    one = by["ep1"]
    assert one.find("enclosure").attrib == {"url": "https://blog.example/1.mp3", "length": "99", "type": "audio/mpeg"}
    assert [(m.get("url"), m.get("medium")) for m in one.findall(MEDIA + "content")] == [
        ("https://blog.example/1.jpg", "image"), ("https://blog.example/1.ogg", "audio")]
    said = {e.tag.partition("}")[2]: e.text for e in one if e.tag.startswith((ITUNES, PODCAST))}
    assert said == {"duration": "1:02:03", "episode": "3", "season": "2", "explicit": "no", "episodeType": "full",
                    "image": None, "transcript": None, "person": "Ann Alder"}
    assert one.find(PODCAST + "transcript").attrib == {"url": "https://blog.example/1.vtt",
                                                          "type": "application/x-of-its-own"}
    two = by["text of ep2"]
    assert two.find("enclosure").attrib == {"url": "https://blog.example/2.m4a", "length": "0", "type": "audio/mp4"}
    assert two.find(ITUNES + "duration") is None and two.find(ITUNES + "explicit") is None
    assert by["ep3"].find("enclosure") is None and len(by["ep3"].findall(MEDIA + "content")) == 2
    assert by["ep4"].find("enclosure").get("length") == "7" and by["ep4"].find(MEDIA + "content") is None


def test_atom_by_rfc_4287(feeds):
    feed = tree.parse(feeds["folder"] / "all.atom").getroot()
    assert feed.findtext(ATOM + "id") == "urn:courant:feed:all"
    for each in feed.findall(ATOM + "entry"):
        assert all(each.findtext(ATOM + n) for n in ("id", "title", "updated")) and each.find(ATOM + "author")
        content = each.find(ATOM + "content")
        assert content is None or content.text.strip()
        assert content is not None or each.find(f"{ATOM}link[@rel='alternate']") is not None
        source = each.find(ATOM + "source")
        assert source.findtext(ATOM + "id") and source.findtext(ATOM + "title")
        assert source.find(f"{ATOM}link[@rel='self']").get("href")
    news = next(e for e in feed.findall(ATOM + "entry") if e.findtext(ATOM + "title") == "atom").find(ATOM + "source")
    assert news.findtext(ATOM + "id") == "urn:news" and news.findtext(ATOM + "title") == "The <news> & all"
    assert news.find(f"{ATOM}link[@rel='self']").get("href") == "https://news.example/feed.atom"


def test_a_feed_of_one_source_has_its_page_its_language_and_its_icon(feeds):
    rss = tree.parse(feeds["folder"] / "blog.rss").getroot().find("channel")
    assert rss.findtext("link") == "https://blog.example/" and rss.findtext("language") == "en"
    assert rss.findtext("image/url") == "https://blog.example/i.png"
    atom = tree.parse(feeds["folder"] / "blog.atom").getroot()
    assert atom.find(f"{ATOM}link[@rel='alternate']").get("href") == "https://blog.example/"
    assert atom.findtext(ATOM + "icon") == "https://blog.example/i.png"
    assert atom.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    feed = json.loads((feeds["folder"] / "blog.json").read_text())
    assert feed["home_page_url"] == "https://blog.example/" and feed["icon"] == "https://blog.example/i.png"
    assert feed["language"] == "en"


def test_json_feed_by_version_1_1(feeds):
    feed = json.loads((feeds["folder"] / "all.json").read_text())
    assert feed["version"] == "https://jsonfeed.org/version/1.1" and feed["title"] and "author" not in feed
    assert "language" not in feed and "icon" not in feed       # its sources have different ones
    for item in feed["items"]:
        assert isinstance(item["id"], str) and ("content_html" in item) + ("content_text" in item) == 1
        for a in item.get("attachments", []):
            assert a["url"] and "/" in a["mime_type"] and set(a) <= {"url", "mime_type", "size_in_bytes",
                                                                     "duration_in_seconds"}
        for who in item.get("authors", []):
            assert who.get("name") or who.get("url")
    one = next(i for i in feed["items"] if i["title"] == "ep1")
    assert [a.get("duration_in_seconds") for a in one["attachments"]] == [None, 3723, None]
