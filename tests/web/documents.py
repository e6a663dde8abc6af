"""Feeds of attacks: one entry each, which has it in every field that its format knows."""
import json
import re
from xml.sax.saxutils import escape, quoteattr

DATE = "2026-11-01T%02d:%02d:00Z"


def xml(text):
    """As a text of XML, without the characters that XML has not."""
    return escape(re.sub(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text))


def attr(text):
    return quoteattr(re.sub(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text))


def date(n):
    return DATE % (n // 60 % 24, n % 60)


def rss(vectors, tag=""):
    """vectors: (HTML, address) of each entry."""
    html, address = vectors[0]
    items = []
    for n, (html, address) in enumerate(vectors):
        cdata = html.replace("]]>", "]]]]><![CDATA[>")
        cdata = re.sub(r"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", cdata)
        items.append(
            f"<item><title>{xml(html)}</title><guid isPermaLink='true'>{xml(address)}#{tag}{n}</guid><link>{xml(address)}</link>"
            f"<description>{xml(html)}</description><content:encoded><![CDATA[{cdata}]]></content:encoded><author>{xml(html)}</author>"
            f"<dc:creator>{xml(html)}</dc:creator><dc:rights>{xml(html)}</dc:rights><category domain={attr(html)}>{xml(html)}</category>"
            f"<comments>{xml(address)}</comments><enclosure url={attr(address)} type={attr(html)} length='1'/>"
            f"<source url={attr(address)}>{xml(html)}</source><pubDate>Sun, 01 Nov 2026 {date(n)[11:19]} GMT</pubDate>"
            f"<media:content url={attr(address)} type={attr(html)}><media:title type='html'>{xml(html)}</media:title>"
            f"<media:description type='html'>{xml(html)}</media:description><media:credit>{xml(html)}</media:credit>"
            f"<media:thumbnail url={attr(address)}/></media:content><itunes:author>{xml(html)}</itunes:author>"
            f"<itunes:subtitle>{xml(html)}</itunes:subtitle><itunes:summary>{xml(html)}</itunes:summary><itunes:image href={attr(address)}/></item>")
    return (f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'"
            " xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:media='http://search.yahoo.com/mrss/'"
            " xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel>"
            f"<title>{xml(html)}</title><link>{xml(address)}</link><description>{xml(html)}</description><language>{xml(html)}</language>"
            f"<copyright>{xml(html)}</copyright><managingEditor>{xml(html)}</managingEditor><generator>{xml(html)}</generator>"
            f"<image><url>{xml(address)}</url><title>{xml(html)}</title><link>{xml(address)}</link></image>"
            + "".join(items) + "</channel></rss>").encode()


def atom(vectors, tag=""):
    html, address = vectors[0]
    entries = []
    for n, (html, address) in enumerate(vectors):
        person = f"<name>{xml(html)}</name><uri>{xml(address)}</uri><email>{xml(html)}</email>"
        entries.append(
            f"<entry><id>urn:{tag}{n}:{xml(address)}</id><title type='html'>{xml(html)}</title><link href={attr(address)} title={attr(html)}/>"
            f"<link rel='enclosure' href={attr(address)} type={attr(html)} title={attr(html)} length='1'/><link rel='replies' href={attr(address)}/>"
            f"<link rel='via' href={attr(address)}/><author>{person}</author><contributor>{person}</contributor>"
            f"<category term={attr(html)} label={attr(html)} scheme={attr(address)}/><summary type='html'>{xml(html)}</summary>"
            f"<content type='html'>{xml(html)}</content><rights type='html'>{xml(html)}</rights>"
            f"<source><id>{xml(address)}</id><title type='html'>{xml(html)}</title><link href={attr(address)}/></source>"
            f"<updated>{date(n)}</updated><published>{date(n)}</published></entry>"
            f"<entry><id>urn:text:{tag}{n}</id><title>{xml(html)}</title><summary>{xml(html)}</summary>"
            f"<content type='text'>{xml(html)}</content><rights>{xml(html)}</rights><updated>{date(n)}</updated></entry>")
    return (f"<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom' xml:base={attr(address)}>"
            f"<id>{xml(address)}</id><title type='html'>{xml(html)}</title><subtitle type='html'>{xml(html)}</subtitle>"
            f"<rights type='html'>{xml(html)}</rights><link href={attr(address)}/><link rel='self' href={attr(address)}/>"
            f"<author><name>{xml(html)}</name><uri>{xml(address)}</uri></author><icon>{xml(address)}</icon><logo>{xml(address)}</logo>"
            f"<updated>{date(0)}</updated>" + "".join(entries) + "</feed>").encode()


def author_of(html, address):
    return [{"name": html, "url": address, "avatar": address}]


def jsonfeed(vectors, tag=""):
    vectors = [(html.replace("\0", ""), address) for html, address in vectors]     # JSON Feed has none
    html, address = vectors[0]
    return json.dumps({
        "version": "https://jsonfeed.org/version/1.1", "title": html, "description": html, "home_page_url": address, "feed_url": address,
        "icon": address, "favicon": address, "authors": author_of(html, address), "language": html,
        "items": [{
            "id": f"{address}#{tag}{n}", "url": address, "external_url": address, "title": html, "content_html": html, "summary": html,
            "image": address, "banner_image": address, "date_published": date(n), "tags": [html], "language": html,
            "authors": author_of(html, address),
            "attachments": [{"url": address, "mime_type": html, "title": html, "size_in_bytes": 1}],
            **({"content_text": html} if n % 2 else {}),
        } for n, (html, address) in enumerate(vectors)]}).encode()


def raw(vectors, tag=""):
    """For the plugin source_vectors: each field of the contract by its number."""
    texts, addresses = (5, 6, 7, 8, 9, 10, 13, 16, 17, 19, 20, 22), (4, 14, 15, 18)
    entries = []
    for n, (html, address) in enumerate(vectors):
        html, address = (re.sub("[\0\x1d\x1e]", "", t) for t in (html, address))
        values = [f"{tag}{n} {address}", *(f"{f}={html}" for f in texts), *(f"{f}={address}" for f in addresses), f"a={html}", f"a={address}",
                  f"e={address}", f"e={html}", f"x:{'source'}={html}", f"x:x-y={html}", f"11={date(n)}", f"f:5={html}", f"f:4={address}", f"f:14={address}"]
        entries.append("\x1e".join(values))
    return "\x1d".join(entries).encode()
