"""The hostile inputs beside the tree, one after the other through one daemon: each ends as its index
says, by outcome, items, oracles and limits, while a healthy feed beside it stays on time."""
import collections
import gzip
import html.parser
import json
import os
import pathlib
import re
import socket
import threading
import time
import unicodedata
import xml.etree.ElementTree as tree

import pytest

import courant
from courant import SANITIZED, numbered, processes, rss

CLASSES = ("entity", "shape", "encoding", "content", "json", "opml", "bomb", "trunc")
CANARY = 18999                          # what the documents point at
EMPTY = rss([]).decode()
TICK = os.sysconf("SC_CLK_TCK")
LIMITED = not SANITIZED                 # time and memory of a sanitizer are its own


def cases():
    folder = courant.SHARED / "hostile"
    for case in json.loads((folder / "index.json").read_text(encoding="utf-8"))["cases"]:
        if case["class"] not in CLASSES:
            continue
        body = (folder / case["file"]).read_bytes()
        if case["stored"] == "gzip":
            body = gzip.decompress(body)
        yield case, body


class Canary:
    """Counts who connects to it; None where its port is taken."""

    def __init__(self):
        self.hits = 0
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", CANARY))
        self.socket.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.hits += 1

    def close(self):
        self.socket.close()


class Cost:
    """CPU and memory of a process group from here on."""

    def __init__(self, group):
        self.group = group
        self.cpu0 = self.cpu()
        for pid in processes(group):
            try:
                pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
            except OSError:
                pass
        self.memory0 = self.memory("VmRSS")

    def cpu(self):
        """Seconds of all its processes and of those that are gone."""
        ticks = 0
        for pid in processes(self.group):
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
            except OSError:
                continue
            ticks += sum(map(int, fields.rpartition(")")[2].split()[11:15]))
        return ticks / TICK

    def memory(self, what):
        """KiB of it, without pages of files: another worker, begun for the healthy feed while one is
        busy, maps the same libraries as all others."""
        total = 0
        for pid in processes(self.group):
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            except OSError:
                continue
            total += int((re.search(rf"{what}:\s+(\d+)", status) or [0, 0])[1]) - \
                int((re.search(r"RssFile:\s+(\d+)", status) or [0, 0])[1])
        return total / 1024

    def told(self):
        """CPU seconds and MiB."""
        return self.cpu() - self.cpu0, self.memory("VmHWM") - self.memory0


# ---- what may not be in what comes out ----

BAD_TAGS = set("script iframe object embed form base meta link style template".split())
URLS = {"href", "src", "srcset", "action", "xlink:href"}


def unsafe(text):
    """The first reason why HTML is not safe to show; None."""
    class Reader(html.parser.HTMLParser):
        why = None

        def handle_starttag(self, tag, attrs):
            if tag in BAD_TAGS:
                self.why = self.why or f"<{tag}>"
            for name, value in attrs:
                value = re.sub(r"[\x00-\x20]+", "", value or "").lower()
                if name.startswith("on") or name in ("srcdoc", "formaction"):
                    self.why = self.why or name
                if name in URLS and re.match(r"[a-z][a-z0-9+.-]*:", value) and \
                        not re.match("(https?|mailto):", value):
                    self.why = self.why or f"{name}={value[:40]}"
        handle_startendtag = handle_starttag
    reader = Reader(convert_charrefs=True)
    reader.feed(text)
    reader.close()
    return reader.why


def texts(record):
    """Every text of a record, those in its lists and extras too."""
    for value in record.values() if isinstance(record, dict) else record:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list)):
            yield from texts(value)


def html_safe(records):
    for r in records:
        extras = r.get("extras") or {}
        for text in (r.get("summary"), r.get("content"), extras.get("title-html"),
                     extras.get("rights-html")):
            why = unsafe(text) if text else None
            if why:
                return f"not safe: {why}"
        link = r.get("url") or r.get("link") or ""
        if link and not re.match("(?i)(https?|mailto|magnet|tag):", link):
            return f"link {link[:60]}"
    return None


def bidi_balanced(records):
    for text in (t for r in records for t in texts(r)):
        depth = 0
        for c in text:
            kind = unicodedata.bidirectional(c)
            depth += kind in ("LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI")
            depth -= kind in ("PDF", "PDI")
            if depth < 0:
                return f"closes more than it opened: {text[:60]!r}"
        if depth:
            return f"left open: {text[:60]!r}"
    return None


def dates_valid(records):
    for r in records:
        for name in ("published", "updated", "seen"):
            if r.get(name) is None:
                continue
            at = re.fullmatch(r"(\d{4})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", r[name])
            if not at or not 1970 <= int(at[1]) <= time.gmtime().tm_year + 1:
                return f"{name}: {r[name]}"
    return None


ORACLES = {"html-safe": html_safe, "bidi-balanced": bidi_balanced, "dates-valid": dates_valid}


# ---- one case ----

def longest(records):
    return max((len(t.encode()) for r in records for t in texts(r)), default=0)


def longest_list(records):
    return max((len(v) for r in records for v in r.values() if isinstance(v, (list, dict))),
               default=0)


def judge(case, source, records, raw, cost):
    """What is wrong, a line each."""
    want, low, high = case["expect"], *case["expect"]["items"]
    if want["outcome"] == "reject" and (records or not source["error"]):
        yield f"not rejected: {len(records)} records, error {source['error']}"
    if not low <= len(records) <= high:
        yield f"{len(records)} records rather than {low}..{high}; error {source['error']}"
    for text in want.get("absent", []):
        if text in raw:
            yield f"{text!r} came through"
    if "max_field_bytes" in want and longest(records) > want["max_field_bytes"]:
        yield f"a text of {longest(records)} bytes"
    if "max_list" in want and longest_list(records) > want["max_list"]:
        yield f"a list of {longest_list(records)}"
    for path in want.get("must_not_exist", []):
        if os.path.exists(path):
            yield f"{path} was made"
    for name in want["oracles"]:
        why = ORACLES[name](records) if name in ORACLES else None
        if why:
            yield f"{name}: {why}"
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]|[\x80-\x9f]", raw):
        yield "a control character in a line"
    if LIMITED and cost[0] > want["max_cpu_s"]:
        yield f"{cost[0]:.1f} s of CPU"
    if LIMITED and cost[1] > want["max_rss_growth_mb"]:
        yield f"{cost[1]:.0f} MiB more"


def outputs_wrong(d):
    """What is wrong with the lists that are served, and with the log."""
    d.until(lambda: all((leg["place"] or 0) >= d.status()["counts"]["head"] - 3
                        for leg in d.route("all")["sinks"]), 60, "the lists are written")
    items = tree.fromstring(d.http("/all.rss").text).findall("./channel/item")
    if len(items) != 1000:
        yield f"{len(items)} items in the RSS"
    for item in items:
        for text in (item.findtext("description"),
                     item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded")):
            why = unsafe(text) if text else None
            if why:
                yield f"RSS: {item.findtext('title')}: {why}"
    tree.fromstring(d.http("/all.atom").text)
    for line in d.log().split("\n"):
        if re.search(r"[\x00-\x1f\x7f-\x9f]", line):
            yield f"the log: {line!r}"


def lines_of(d, name, since):
    """Its lines in the output from byte `since` on: records, text, and where it ends."""
    data = d.out("all.jsonl").read_bytes()
    found = [line.decode() for line in data[since:].split(b"\n")[:-1]]
    mine = [line for line in found if json.loads(line).get("source") == name]
    return [json.loads(line) for line in mine], "\n".join(mine), len(data)


def poll(d, name):
    before = d.source(name)["checked"]
    d.courant("refresh", name)
    d.until(lambda: d.source(name)["checked"] != before and not d.source(name)["polling"], 60,
            f"{name} was read")
    head = d.status()["counts"]["head"]
    d.until(lambda: (d.route("all")["sinks"][0]["delivered"] or 0) >= head, 60,
            f"what {name} gave is delivered")


@pytest.fixture
def hostile(daemon, origin):
    """A daemon that has read each source once, empty; the cases to come by name."""
    if courant.SHARED is None or not (courant.SHARED / "hostile").is_dir():
        pytest.skip("the hostile inputs beside the tree are missing")
    found = {f"{case['class']}/{case['id']}": (case, body) for case, body in cases()}
    d = daemon(settings={"private": True})
    d.sources = {"healthy": {"plugin": "feed", "url": origin.url("/healthy"), "every": "500 ms"}}
    origin.set("/healthy", generate=5, grow=1, window=50)
    for name in found:
        origin.set("/" + name, body=EMPTY, type="text/xml")
        d.sources[name.replace("/", "-")] = {"plugin": "feed", "url": origin.url("/" + name),
                                             "every": "1 d"}
    d.routes = {"all": {"from": ["*"], "once": "record", "to": [
        {"jsonl": {"path": "all.jsonl"}}, {"feed": {"path": "all", "keep": 1000}}]}}
    d.write()
    d.start()
    d.until(lambda: all(s["checked"] for s in d.status()["sources"]), 60, "all were read once")
    return d, found


def serve(origin, path, case, body):
    """The document at its path, with the headers of its index."""
    origin.put("bodies/" + path, body.replace(b"@SELF@", origin.url("/" + path).encode()))
    origin.set("/" + path, file="bodies/" + path, headers=case["http"]["headers"])


def whole(kind, found):
    """What the cut documents were cut from."""
    if kind == "json":
        return found["trunc/base-json"][1]
    text = max((b for p, (_, b) in found.items() if p.startswith("trunc/xml-")), key=len).decode()
    before, last = text.split("<item><title>Paper 25", 1)[0].rsplit("<item>", 1)
    return (before + "<item>" + last + "<item>" + last.replace("24", "25") +
            "</channel></rss>").encode()


@pytest.mark.shared
def test_each_hostile_input_ends_as_its_index_says(hostile, origin):
    d, found = hostile
    try:
        canary = Canary()
    except OSError:
        canary = None
    pids, since, wrong = d.pids(), d.out("all.jsonl").stat().st_size, []
    for path, (case, body) in found.items():
        name = path.replace("/", "-")
        serve(origin, path, case, body)
        cost = Cost(d.process.pid)
        poll(d, name)
        spent = cost.told()
        records, raw, since = lines_of(d, name, since)
        wrong += [f"{path}: {why}" for why in judge(case, d.source(name), records, raw, spent)]
    for path, (case, _) in found.items():
        if "then-whole-gives-25" in case["expect"]["oracles"]:
            serve(origin, path, case, whole(case["kind"], found))
            poll(d, path.replace("/", "-"))
    given = collections.Counter(r["source"] for r in d.lines())
    wrong += [f"{path}: {given[path.replace('/', '-')]} in the end, not 25"
              for path, (case, _) in found.items()
              if "then-whole-gives-25" in case["expect"]["oracles"]
              and given[path.replace("/", "-")] != 25]
    wrong += outputs_wrong(d)
    assert d.pids() == pids
    assert canary is None or canary.hits == 0
    assert not wrong, "\n".join(wrong)
