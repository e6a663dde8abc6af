#!/usr/bin/env python3
"""make bench: what Courant takes, as ratios to what cannot be avoided, all measured in one run.

Usage: run.py [--quick] [NAME...]; --quick measures less of each, a NAME (parse, path, webhook, dropin,
memory, same, story, heat, search, mail) that one alone.
Each row names its aim; nothing fails when an aim is missed: the numbers are for people."""
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import time

from common import QUICK, TREE, WORDS, feed, helper, row
from parsers import bench_parse, best, timed
from courant import BUILD, Daemon, folder, processes, until
from receiver import Receiver
from search import bench_search
from smtpd import Smtpd
import pairs


def verified(work, d):
    """Seconds that the verifier takes for the records of the database, all of which it took once."""
    program = helper("bench-verify", ["tests/bench/verify.c", BUILD / "libcore.a"], [])
    path = work / "records"
    with path.open("wb") as out, sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True) as db:
        n = 0
        for (blob,) in db.execute("SELECT blob FROM record"):
            out.write(struct.pack("=I", len(blob)) + blob)
            n += 1
    count, seconds = best(lambda: timed(program, "20", path))
    return seconds * n / count


def bench_path(work):
    """Records per CPU second of all processes, from files to JSON Lines, and the verifier's share."""
    feeds, per = (10, 1000) if QUICK else (40, 1000)
    place = work / "path"
    place.mkdir(mode=0o755)
    for n in range(feeds):
        (place / f"{n}.rss").write_text(feed(f"path{n}", per, 700))
    d = Daemon({f"s{n}": {"plugin": "feed", "url": f"file://{place}/{n}.rss", "every": "1 d"}
                for n in range(feeds)},
               {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}},
               {"files": [str(place)], "serve": None})
    try:
        begun = time.monotonic()
        d.start(seconds=60)
        d.until(lambda: sum(s["found"] or 0 for s in d.status()["sources"]) >= feeds * per, 120,
                "all read")
        d.settled(240)
        wall = time.monotonic() - begun
        total = d.records()
        d.process.send_signal(15)
        _, status, used = os.wait4(d.process.pid, 0)
        d.process.returncode = status
        cpu = used.ru_utime + used.ru_stime
        lines = sum(1 for _ in d.out("all.jsonl").open("rb"))
        assert total == lines == feeds * per, (total, lines)
        row("from file to JSON Lines, all processes", f"{total / cpu:.0f} records/CPU s",
            "aim 10,000")
        row("from file to JSON Lines, by the clock", f"{total / wall:.0f} records/s")
        row("  user and system time", f"{used.ru_utime:.2f} + {used.ru_stime:.2f} s")
        row("  of it, verifying what workers wrote", f"{100 * verified(work, d) / cpu:.1f} %",
            "aim under 3 %")
    finally:
        d.close()


def used_by(process):
    """User and system seconds of a process and all that it waited for."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    return used.ru_utime + used.ru_stime


def used_so_far(d):
    """User and system seconds of the daemon's processes, those that ended included."""
    ticks = 0
    for pid in processes(d.process.pid):
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(n) for n in stat[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def bench_webhook(work):
    """Records per CPU second of all our processes, from the log through two filters to signed
    webhooks, against libcurl alone posting the same bodies to the same receiver; and with what it
    takes to start, to read the files and to store the records."""
    post = helper("bench-post", ["tests/bench/post.c"], ["libcurl"])
    feeds, per = (2, 500) if QUICK else (4, 1000)
    total = feeds * per
    place = work / "webhook"
    place.mkdir(mode=0o755)
    for n in range(feeds):
        (place / f"{n}.rss").write_text(feed(f"hook{n}", per, 700, markup=False))
    sources = {f"s{n}": {"plugin": "feed", "url": f"file://{place}/{n}.rss", "every": "1 d"}
               for n in range(feeds)}
    filters = [{"match": {"in": ["title", "summary"], "any": WORDS}},
               {"match": {"in": ["title"], "none": ["a phrase that is nowhere"]}}]
    with Receiver() as r:
        d = Daemon(sources, None, {"files": [str(place)], "serve": None})
        try:
            d.start(seconds=60)
            d.until(lambda: d.records() >= total, 60, "all read")
            d.settled(60)
            d.routes = {"hooks": {"from": ["*"], "once": "record", "filters": filters, "to": {
                "webhook": {"url": r.url(), "secret": "raw:a key of the bench", "backlog": "all"}}}}
            d.write()
            before = used_so_far(d)
            begun = time.monotonic()
            d.courant("reload")
            d.until(lambda: len(r.hooks) >= total, 300, "all sent")
            wall = time.monotonic() - begun
            d.settled(60)
            ours = used_so_far(d) - before
            d.process.send_signal(15)
            whole = used_by(d.process)
            hooks = r.taken()
            assert len(hooks) == total, len(hooks)
        finally:
            d.close()
        bodies = work / "bodies"
        with bodies.open("wb") as out:
            for hook in hooks:
                out.write(struct.pack("=I", len(hook.body)) + hook.body)
        alone = []
        for _ in range(3):
            bare = subprocess.Popen([post, r.url(), str(bodies)], stdout=subprocess.PIPE)
            assert int(bare.stdout.read()) == total
            alone.append(used_by(bare))
    alone = sorted(alone)[1]
    row("webhooks: bare libcurl POST loop", f"{total / alone:.0f} records/CPU s")
    row("webhooks: from the log, two filters, all processes", f"{total / ours:.0f} records/CPU s")
    row("webhooks: ratio", f"{alone / ours:.2f}", "aim 0.3")
    row("webhooks: from start and file on", f"{total / whole:.0f} records/CPU s")
    row("webhooks: ratio", f"{alone / whole:.2f}")
    row("webhooks: by the clock", f"{total / wall:.0f} records/s")


def first_line(d, begun):
    """ms since then until there is a line."""
    out = d.out("all.jsonl")
    until(lambda: out.exists() and b"\n" in out.read_bytes(), 20, "the first record",
          every=0.001, context=d.describe)
    return (time.monotonic() - begun) * 1000


def bench_dropin(work):
    """From the rename of a plugin into the folder of a running daemon to the first line of its first
    record, against a daemon that is started to get the same record."""
    plugin = work / "source_drop.so"
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", "-Wl,-z,defs",
                    "-I", TREE / "include", "-o", plugin, TREE / "tests/plugins/source_drop.c"],
                   check=True)
    plugin.chmod(0o644)
    (work / "page").write_text("a page\n")
    dropped, started = [], []
    for n in range(6 if QUICK else 20):
        d = Daemon({"one": {"plugin": "drop", "url": f"file://{work}/page", "every": "1 d"}},
                   {"all": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}},
                   {"files": [str(work)], "serve": None})
        try:
            d.settings["plugins"] = [str(d.folder / "plugins")]
            (d.folder / "plugins").mkdir(mode=0o755)
            d.write()
            if n % 2 == 0:
                d.start()
                shutil.copy(plugin, d.folder / "plugins/new")
            else:
                shutil.copy(plugin, d.folder / "plugins/source_drop.so")
            begun = time.monotonic()
            if n % 2 == 0:
                (d.folder / "plugins/new").rename(d.folder / "plugins/source_drop.so")
                dropped.append(first_line(d, begun))
            else:
                d.start(wait=False)
                started.append(first_line(d, begun))
        finally:
            d.close()
    a, b = (sorted(x)[len(x) // 2] for x in (dropped, started))
    row("drop-in: from rename to first record, median", f"{a:.0f} ms", "aim 2000 ms")
    row("drop-in: a daemon started for the same record", f"{b:.0f} ms")
    row("drop-in: ratio", f"{a / b:.2f}")


def pss(pids):
    """kB of proportional set size, of each process."""
    found = {}
    for pid, line in pids.items():
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        role = re.search(r"--role (\w+)", line)
        name = role[1] if role else "worker" if "courant-worker" in line else "core"
        found[name] = found.get(name, 0) + int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return found


def bench_memory(work):
    """Sum of PSS, idle, with 10, 1,000 and 10,000 sources."""
    place = work / "memory"
    place.mkdir(mode=0o755)
    (place / "f.rss").write_text(feed("memory", 3, 200))
    core = {}
    for n in (10, 1000) if QUICK else (10, 1000, 10000):
        names = work / f"names{n}.txt"
        names.write_text("".join(f"entry-{i}\n" for i in range(n)))
        names.chmod(0o644)
        for i in range(n):
            target = place / f"entry-{i}.rss"
            if not target.exists():
                os.link(place / "f.rss", target)
        d = Daemon({"g": {"plugin": "feed", "each_file": str(names), "every": "1 d",
                          "url": f"file://{place}/{{each}}.rss"}},
                   {"all": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}},
                   {"files": [str(place)]})
        try:
            d.start(seconds=60)
            d.until(lambda: all(s["checked"] for s in d.status()["sources"]), 600, "all polled")
            d.settled(120)
            d.until(lambda: not d.status()["workers"], 60, "idle workers are gone", )
            found = pss(processes(d.process.pid))
            core[n] = found["core"]
            row(f"PSS idle with {n} sources", f"{sum(found.values()) / 1024:.1f} MB",
                "aim under 40 MB" if n == 1000 else "")
            row("  " + ", ".join(f"{k} {v / 1024:.1f}" for k, v in sorted(found.items())), "")
        finally:
            d.close()
    if 10000 in core:
        row("core, for each source beyond 1,000", f"{(core[10000] - core[1000]) * 1024 / 9000:.0f} B",
            "aim 600 B")


def bench_same(work):
    """Candidates of a new record that are prepared and compared, an abstract each, per CPU second."""
    rng = random.Random("same")
    papers = [pairs.article(rng, paper=True) for _ in range(200)]
    records = "".join(json.dumps(pairs.record(a["title"], pairs.as_html(a["text"] * 2))) + "\n" for a in papers)
    done = subprocess.run([BUILD / "tests/same", "bench", "1" if QUICK else "5"], input=records, text=True,
                          capture_output=True, check=True)
    n, seconds = done.stdout.split()
    size = len(records) // len(papers)
    row(f"records of {size} B compared with another", f"{float(n) / float(seconds):.0f} /CPU s", "aim 70,000")


def bench_story(work):
    """Look-up, comparisons and keys of new records, in a database of many items: abstracts of words as frequent as
    in a language. Every third record is a copy of the one before, by another source."""
    program = helper("bench-story", ["tests/bench/story.c", BUILD / "libcore.a"],
                     ["sqlite3", "libcrypto", "jansson"])
    items, count = (100_000, 2000) if QUICK else (1_000_000, 20_000)
    rng, lines, told = random.Random("story"), [], None
    words = ["".join(rng.choices(pairs.SYLLABLES, k=rng.randrange(1, 4))) for _ in range(20_000)]
    for n in range(count):
        if n % 3 < 2:
            told = "\t".join(" ".join(words[int(len(words) ** rng.random())] for _ in range(k)) for k in (10, 160))
        lines.append(f"{n % 500}\thttps://{n % 500}.example/{n}\t{told}\n")
    done = subprocess.run([program, work / "story.db", str(items)], input="".join(lines), text=True,
                          capture_output=True, check=True)
    n, stories, alone, whole = map(float, done.stdout.split())
    row(f"the story of a new record, among {items:,} items", f"{1e6 * alone / n:.0f} us CPU", "aim 200 us")
    row("  with the record itself and the commits", f"{1e6 * whole / n:.0f} us CPU")
    row("  copies that were found", f"{n - stories:.0f} of {count // 3}")


def bench_heat(work):
    """An event of a story's heat with its rank, in groups of 100 that are synced to the disk."""
    program = helper("bench-heat", ["tests/bench/heat.c", BUILD / "libcore.a"],
                     ["sqlite3", "libcrypto", "jansson"])
    for stories, aim in ((100_000, 40),) if QUICK else ((100_000, 40), (1_000_000, 90)):
        events = 5_000 if QUICK else 50_000
        done = subprocess.run([program, work / f"heat{stories}.db", str(stories), str(events)], text=True,
                              capture_output=True, check=True)
        alone, used, ranked, top = map(float, done.stdout.split())
        row(f"an event of heat, among {stories:,} stories", f"{1e6 * alone / events:.0f} us CPU", f"aim {aim} us")
        row("  with its rank and the commits", f"{1e6 * used / events:.0f} us CPU")
        row("  the rank", f"{1e6 * ranked / events:.0f} us CPU")
        row("  the first 30 by heat", f"{1e6 * top:.0f} us CPU", "aim 1000 us")


def subscribe(d, n):
    for at in range(0, n, 500):
        table = "".join(f"r{i}@example.org\n" for i in range(at, min(at + 500, n)))
        d.courant("subscribers", "news", "import", "-", "--confirmed", given=table.encode())


def bench_mail(work):
    """Mails a second to subscribers over eight connections, from a record's arrival until the last is accepted, and
    the same message by smtplib, over as many connections to the same server."""
    n, at_once = 500 if QUICK else 5000, 8
    place = work / "mail"
    place.mkdir(mode=0o755)
    (place / "a.rss").write_text(feed("mail", 0))
    with Smtpd() as server:
        d = Daemon({"a": {"plugin": "feed", "url": f"file://{place}/a.rss", "every": "1 d"}},
                   {"news": {"from": ["*"], "to": {"mail": {"subscribe": True, "backlog": "all"}}}},
                   {"files": [str(place)], "serve": {"listen": "127.0.0.1:0", "base": "https://papers.example.org"},
                    "mail": {"server": server.url, "from": "papers@example.org", "at_once": at_once,
                             "per_connection": 100000}})
        try:
            d.start(seconds=60)
            subscribe(d, n)
            before = used_so_far(d)
            (place / "a.rss").write_text(feed("mail", 1))
            begun = time.monotonic()
            d.refresh("a")
            d.until(lambda: len(server.messages) >= n, 600, "all sent")
            wall = time.monotonic() - begun
            d.settled(60)
            ours = used_so_far(d) - before
            assert sorted(m.recipient for m in server.messages) == sorted(f"r{i}@example.org" for i in range(n))
        finally:
            d.close()
        message = server.messages[0].data
        program = [sys.executable, TREE / "tests/bench/post_mail.py", str(server.port), str(at_once), str(n)]
        alone = min(float(subprocess.run(program, input=message, capture_output=True, check=True).stdout)
                    for _ in range(3))
    row(f"mails to {n:,} subscribers, at_once: {at_once}", f"{n / wall:.0f} a second", "aim 100")
    row("  the same by smtplib, as many connections", f"{n / alone:.0f} a second")
    row("  ratio", f"{alone / wall:.2f}")
    row("  all processes", f"{1e6 * ours / n:.0f} us CPU a mail")


BENCHES = {"parse": bench_parse, "path": bench_path, "webhook": bench_webhook,
           "dropin": bench_dropin, "memory": bench_memory, "same": bench_same,
           "story": bench_story, "heat": bench_heat, "search": bench_search, "mail": bench_mail}


def main():
    chosen = [a for a in sys.argv[1:] if a != "--quick"]
    if not set(chosen) <= BENCHES.keys():
        sys.exit(f"usage: run.py [--quick] [{'|'.join(BENCHES)}]...")
    work = folder("courant-bench-")
    try:
        for name in chosen or BENCHES:
            BENCHES[name](work)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
