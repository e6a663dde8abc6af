"""source_feed in its worker against bare libxml2 and, where they are installed, other parsers."""
import json
import os
import resource
import shutil
import struct
import subprocess
import sys

from common import QUICK, TREE, feed, helper, row
from courant import BUILD, SHARED, program

SIZES = (1, 4, 16)                      # MiB of one document
FEEDPARSER = """
import sys, time
import feedparser
texts = [open(f, "rb").read() for f in sys.argv[1:]]
begun = time.process_time()
for text in texts:
    feedparser.parse(text)
print(sum(map(len, texts)), time.process_time() - begun)
"""


def made(work):
    """File sets by name."""
    sets = {}
    for name, markup in (("our own feeds", True), ("the same in plain text", False)):
        place = work / name.replace(" ", "-")
        place.mkdir()
        for n in range(8):
            (place / f"{n}.rss").write_text(feed(f"bench{n}", 100, markup=markup))
        sets[name] = sorted(place.iterdir())
    if SHARED and (SHARED / "feeds-real").is_dir():
        sets["captured feeds"] = [
            p for p in sorted((SHARED / "feeds-real").iterdir())
            if p.suffix in (".rss", ".atom", ".xml", ".rdf") and p.read_bytes()[:1] == b"<"]
    return sets


def timed(*command):
    """BYTES SECONDS ... that a helper prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                          text=True)
    return [float(word) for word in done.stdout.split()]


def best(run, times=1 if QUICK else 3):
    """The fastest of a few: others share the machine."""
    return min((run() for _ in range(times)), key=lambda r: r[1] / r[0])


def speed(result):
    return result[0] / result[1] / 1e6


def html_of(work, files):
    """The HTML of the records of these files, as the sanitiser's helper reads it."""
    lines = "".join(f"{f}\t-\n" for f in files)
    done = subprocess.run([program("courant"), "parse", "--batch"], input=lines.encode(),
                          stdout=subprocess.PIPE, check=False)     # 1: not all can be read
    path = work / "html"
    with path.open("wb") as out:
        for line in done.stdout.splitlines():
            for entry in json.loads(line).get("entries", []):
                for text in (entry.get("summary"), entry.get("content")):
                    if text:
                        out.write(struct.pack("=I", len(text.encode())) + text.encode())
    return path


# ---- other parsers: (BYTES, SECONDS) ----

def sfeed(files):
    """One process a document, as it is used; its start is part of it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for f in files:
        with open(f, "rb") as text:
            subprocess.run(["sfeed"], stdin=text, stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (sum(os.path.getsize(f) for f in files),
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def feedparser(files):
    return timed("/usr/bin/python3", "-c", FEEDPARSER, *files)


def gofeed():
    """Its program, built from the library as distributions install it; None."""
    if not shutil.which("go"):
        return None
    path = BUILD / "bench-gofeed"
    done = subprocess.run(["go", "build", "-o", path, TREE / "tests/bench/gofeed.go"],
                          env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"},
                          stderr=subprocess.DEVNULL, check=False)
    return path if done.returncode == 0 else None


def others():
    """Those that are installed, by name."""
    found = {}
    if subprocess.run(["pkg-config", "--exists", "mrss"], check=False).returncode == 0:
        mrss = helper("bench-mrss", ["tests/bench/mrss.c"], ["mrss"])
        found["libmrss"] = lambda files: timed(mrss, "3", *files)
    if shutil.which("sfeed"):
        found["sfeed"] = sfeed
    if path := gofeed():
        found["gofeed"] = lambda files: timed(path, "3", *files)
    if subprocess.run(["/usr/bin/python3", "-c", "import feedparser"], check=False,
                      stderr=subprocess.DEVNULL).returncode == 0:
        found["Python feedparser"] = feedparser
    return found


# ---- rows ----

def against_sax2(work, name, files, sax2, mine, html):
    """Rows of one file set."""
    total = sum(f.stat().st_size for f in files)
    rounds = str(max(2, (20 if QUICK else 150) * 1000000 // total))
    bare = best(lambda: timed(sax2, rounds, *files))
    ours = best(lambda: mine(rounds, *files))
    texts = html_of(work, files)
    clean = best(lambda: timed(html, rounds, texts))
    normalised = (ours[0], ours[1] - clean[1])
    row(f"{name}: bare SAX2 push", f"{speed(bare):.0f} MB/s")
    row(f"{name}: normalised and sanitised", f"{speed(ours):.0f} MB/s")
    row(f"{name}: normalised, against SAX2", f"{speed(normalised) / speed(bare):.2f}", "aim 0.4")
    row(f"{name}: sanitised too", f"{speed(ours) / speed(bare):.2f}", "aim 0.25")
    row("  beyond SAX2, a record", f"{(ours[1] - bare[1]) / ours[2] * 1e6:.1f} us")


def linear(work, mine):
    """Rows of one document that grows, and its path."""
    one = None
    for size in SIZES:
        path = work / f"large{size}.rss"
        path.write_text(feed("large", size * 270, 4000))
        got = speed(best(lambda path=path: mine(str(max(1, 16 // size)), path)))
        one = one or got
        row(f"one document of {path.stat().st_size / 2**20:.0f} MiB", f"{got:.0f} MB/s",
            f"{got / one:.2f} of the smallest's")
    return path, got


def bench_parse(work):
    """What a document costs, CPU time; normalised is what is left without the sanitiser, which is
    timed by itself on the HTML of the same records."""
    sax2 = helper("bench-sax2", ["tests/bench/sax2.c"], ["libxml-2.0"])
    worker = helper("bench-worker", ["tests/bench/worker.c", BUILD / "libcore.a"], ["libseccomp"])
    html = helper("bench-html", ["tests/bench/html.c", BUILD / "libcore.a"], [])
    plugin = str(BUILD / "plugins/source_feed.so")

    def mine(rounds, *files):
        return timed(worker, plugin, rounds, *files)
    sets = made(work)
    for name, files in sets.items():
        against_sax2(work, name, files, sax2, mine, html)
    large, fast = linear(work, mine)
    files = sets.get("captured feeds") or sets["our own feeds"]
    ours = speed(best(lambda: mine("3", *files)))
    row("the same documents: source_feed, sanitised", f"{ours:.0f} MB/s")
    for name, run in others().items():
        got = speed(best(lambda run=run: run(files), 2))
        row(f"the same documents: {name}", f"{got:.1f} MB/s",
            f"we are {ours / got:.1f} times as fast")
        if name != "Python feedparser":
            got = speed(best(lambda run=run: run([large])))
            row(f"the largest document: {name}", f"{got:.1f} MB/s",
                f"we are {fast / got:.1f} times as fast")


if __name__ == "__main__":
    sys.exit("run tests/bench/run.py parse, or make bench")
