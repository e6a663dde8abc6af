"""make bench search: what is found among 100,000 records, how fast, and what the index costs."""
import collections
import pathlib
import random
import re
import time
from xml.sax.saxutils import escape

import courant
import test_papers
from asker import Asker
from common import QUICK, row
from courant import Daemon

LIMIT = 20
SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi xo zu".split()


def papers():
    """The distinct papers of the pages beside the tree: [(title, abstract)]."""
    found = {}
    for path in sorted((courant.SHARED / "papers-pages").glob("*.txt")):
        for title, abstract in test_papers.listed(path.read_bytes()):
            found.setdefault(title, abstract)
    return list(found.items())


class Varied:
    """Papers like the given ones: the frequent words stand where they stood, the others are drawn as frequently as
    all of them have them. Most get an ending, and some are new, so that the vocabulary grows as that of so many
    abstracts does, to some 150,000 words of 100,000 records."""

    def __init__(self, of):
        self.of, self.rng = of, random.Random("search")
        self.words = [w for title, abstract in of for w in (title + " " + abstract).split()]
        self.titles = [w for title, _ in of for w in title.split()]
        has = collections.Counter(w for _, abstract in of for w in set(abstract.split()))
        self.frequent = {w for w, n in has.items() if n > len(of) / 4}
        self.made = ["".join(self.rng.choices(SYLLABLES, k=self.rng.randrange(2, 5))) for _ in range(50_000)]

    def word(self, word, pool):
        if word in self.frequent:
            return word
        draw = self.rng.random()
        if draw < 0.03:
            return self.made[int(len(self.made) ** self.rng.random()) - 1]
        word = self.rng.choice(pool)
        return word if draw < 0.35 or word in self.frequent or not word.isalpha() else word + self.rng.choice(SYLLABLES)

    def one(self):
        title, abstract = self.rng.choice(self.of)
        return (" ".join(self.word(w, self.titles) for w in title.split()),
                " ".join(self.word(w, self.words) for w in abstract.split()))


def halves(abstract):
    cut = abstract.find(". ", len(abstract) // 2)
    cut = cut if cut > 0 else len(abstract) // 2
    return abstract[:cut + 1], abstract[cut + 1:]


def document(entries):
    return ('<?xml version="1.0"?><rss version="2.0"><channel><title>t</title><link>https://e.org/</link>'
            "<description>d</description>" + "".join(
                f"<item><guid isPermaLink=\"false\">{guid}</guid><title>{escape(title)}</title>"
                f"<description>{escape(text)}</description></item>" for guid, title, text in entries)
            + "</channel></rss>")


def mistyped(rng, word):
    at = rng.randrange(1, len(word) - 1)
    return rng.choice((word[:at] + word[at + 1:], word[:at] + word[at + 1] + word[at] + word[at + 2:],
                       word[:at] + rng.choice("aeinorst") + word[at + 1:], word[:at] + rng.choice("aeinorst") + word[at:]))


def rank(stories, title):
    """1 over the place of the paper; 0: it is not in the answer."""
    return next((1 / (n + 1) for n, s in enumerate(stories) if s["title"] == title), 0)


def cpu(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6     # ms


def p95(all_of):
    return sorted(all_of)[int(len(all_of) * 0.95)]


class Asked:
    """Questions, what the index role took for each, and the answers' ranks."""

    def __init__(self, d):
        self.asker, self.pid = Asker(d), d.pids()["index"]

    def run(self, name, command, questions, aim="", found="", **more):
        took, ranks = [], []
        for title, question in questions:
            begun = cpu(self.pid)
            answer = self.asker.json(command, {**question, **more})
            took.append(cpu(self.pid) - begun)
            ranks.append(rank(answer.get("stories", []), title))
        if found:
            row(f"{name}: found at the reciprocal rank", f"{sum(ranks) / len(ranks):.3f}", f"aim {found}")
        row("  CPU p50, p95", f"{sorted(took)[len(took) // 2]:.1f}, {p95(took):.1f} ms", f"aim p95 {aim} ms")


def fill(work, d, of, total):
    """Writes the feeds: the papers, of whose abstracts the first halves, among varied ones."""
    varied, rng = Varied(of), random.Random(1)
    entries = [(f"p{n}", title, halves(abstract)[0]) for n, (title, abstract) in enumerate(of)]
    entries += [(f"v{n}", *varied.one()) for n in range(total - len(entries))]
    rng.shuffle(entries)
    place = work / "search"
    place.mkdir(mode=0o755)
    sources = {}
    for n in range(0, total, 1000):
        path = place / f"{n}.rss"
        path.write_text(document(entries[n:n + 1000]))
        sources[f"s{n}"] = {"plugin": "feed", "url": f"file://{path}", "every": "1 d"}
    d.sources = sources
    d.settings.update({"files": [str(place)], "serve": None})
    d.write()


def built(d):
    """The CPU seconds of building the file anew, and its bytes."""
    d.stop()
    (d.state / "index" / "index.db").unlink()
    d.start(seconds=60)
    pid = d.pids()["index"]
    d.indexed(600)
    seconds = last = cpu(pid) / 1000
    while True:                     # words are counted after that
        time.sleep(1)
        now = cpu(pid) / 1000
        if now - last < 0.01:
            break
        last = now
    d.stop()
    size = sum(p.stat().st_size for p in (d.state / "index").iterdir())
    d.start(seconds=60)
    d.indexed(60)
    return seconds, last, size


def bench_search(work):
    if courant.SHARED is None:
        row("search", "skipped", "the papers beside the tree are missing: COURANT_SHARED")
        return
    of, total = papers(), 10_000 if QUICK else 100_000
    d = Daemon()
    try:
        fill(work, d, of, total)
        d.start(seconds=60)
        d.until(lambda: d.records() >= total, 900, "all stored", 0.5)
        d.indexed(600)
        seconds, counted, size = built(d)
        row(f"indexing, {total:,} records", f"{total / seconds:.0f} records/CPU s", "aim 8,000")
        row("  counting their words besides", f"{counted - seconds:.2f} CPU s")
        row("  bytes a record", f"{size / total:.0f} B", "aim 1,150")
        ask(Asked(d), of, total)
        private = re.search(r"Private_Dirty:\s*(\d+)", pathlib.Path(
            f"/proc/{d.pids()['index']}/smaps_rollup").read_text())[1]
        row("  private memory of the role", f"{int(private) / 1024:.1f} MB", "aim 40")
    finally:
        d.close()


def ask(asked, of, total):
    rng = random.Random(2)
    three, whole, both = [], [], []
    for title, _ in of:
        words = [w for w in re.findall(r"[A-Za-z]{4,}", title)]
        if len(words) < 3:
            continue
        chosen = rng.sample(words, 3)
        three.append((title, {"q": " ".join(chosen)}))
        chosen[0] = mistyped(rng, chosen[0])
        both.append((title, {"q": " ".join(chosen)}))
        typed = [mistyped(rng, w) if n % 3 == 1 and w.isalpha() and len(w) > 3 else w
                 for n, w in enumerate(title.split())]
        whole.append((title, {"q": re.sub(r"[^\w\s-]|(?<=\s)-", " ", " ".join(typed))}))
    asked.run("three words of a title, all words", "search", three, "20", "0.93", limit=LIMIT)
    asked.run("a title with typing errors", "search", whole, "50", "0.99", limit=LIMIT)
    asked.run("three words, one with a typing error", "search", both, "50", "0.83", limit=LIMIT)
    asked.run("half an abstract finds the other, similar", "similar",
              [(title, {"text": halves(abstract)[1]}) for title, abstract in of], "20", "0.93", limit=LIMIT)
    common = [("", {"q": f"{a} {b}"}) for a in "learning model data language training".split()
              for b in "the method large neural results".split()]
    row("two frequent words", "")
    asked.run("", "search", common, "20", limit=LIMIT)
    row("  the newest first", "")
    asked.run("", "search", common, "2", limit=LIMIT, sort="new")
    row("  any word: with one that no record has", "")
    asked.run("", "search", [("", {"q": q["q"] + " qqqqqqq"}) for _, q in common], "15", limit=LIMIT)
    row("completion", "")
    asked.run("", "complete", [("", {"q": title[:n]}) for title, _ in of[:50] for n in (2, 3, 4)], "2")
