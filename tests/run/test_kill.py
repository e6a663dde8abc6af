"""SIGKILL of the whole process group at many moments: nothing lost, nothing under a new id."""
import collections
import random
import re
import shutil
import sqlite3
import subprocess
import time

import courant
from courant import LONG, SLOW, TREE, folder, until

KILLS = 100 if LONG else 12
AT_LEAST = {"fetch": 10, "commit": 10, "deliver": 10} if LONG else {"fetch": 2, "commit": 2,
                                                                   "deliver": 2}
BACKLOG = 60 if LONG else 6
SOURCES, BATCH = 4, 500
BEGINS = {"fetch": r": fetches \S+ as job (\d+)", "commit": r": job (\d+) commits",
          "deliver": r"route (\S+, \S+): delivers "}
ENDS = {"fetch": r": job (\d+) (?:fetched|commits|committed)", "commit": r": job (\d+) committed",
        "deliver": r"route (\S+, \S+): \d+ of \d+ delivered"}


def compiled(where):
    plugin = where / "sink_slow.so"
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1",
                    "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,-z,defs", "-I",
                    TREE / "include", "-o", plugin, TREE / "tests/run/sink_slow.c"], check=True)
    plugin.chmod(0o755)
    return plugin


def phases(log):
    """What was under way when the log ended, by its begin lines that have no end."""
    running = {p: set() for p in BEGINS}
    for line in log.splitlines():
        for phase in BEGINS:
            if found := re.search(ENDS[phase], line):
                running[phase].discard(found[1])
            if found := re.search(BEGINS[phase], line):
                running[phase].add(found[1])
    return {p for p, open_ in running.items() if open_}


def backlog(d):
    """Records that the slow consumer has not acknowledged, read from a copy of the dead database."""
    where = folder("courant-copy-")
    try:
        for path in d.state.iterdir():
            if ".db" in path.name and not path.name.endswith("-shm"):
                shutil.copy(path, where)
        name = next(p for p in where.iterdir() if p.name.endswith(".db"))
        db = sqlite3.connect(name)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        head = db.execute("SELECT max(n) FROM log").fetchone()[0] or 0
        legs = db.execute("SELECT delivered FROM leg WHERE name LIKE 'slow%'").fetchall()
        db.close()
        return head - min([leg[0] for leg in legs] or [0])
    finally:
        shutil.rmtree(where)


def wait_moment(d, phase, since):
    """Until the phase begins in the log; then a little into it, at random."""
    seen = []

    def begun():
        seen[:] = re.findall(BEGINS[phase], d.log()[since:])
        return len(seen) >= wanted
    wanted = random.choice((1, 1, 2, 3, 5, 12))    # some lives are long enough to finish batches
    until(begun, 20, f"{phase} begins", every=0.001, context=d.describe)
    time.sleep(random.random() * {"fetch": 0.03, "commit": 0.002, "deliver": 0.3}[phase])


def slow_lines(d):
    path = d.out("slow.out")
    if not path.exists():
        return []
    return [line.split(" ", 1) for line in path.read_text().splitlines()]


def repeated(lines):
    return len(lines) - len({tuple(x) for x in lines})


def test_kill_at_any_moment_loses_nothing_and_repeats_at_most_a_batch(daemon, origin):
    random.seed(20261121)
    d = daemon()
    plugins = d.folder / "plugins"
    plugins.mkdir()
    compiled(plugins)
    for n in range(SOURCES):
        origin.set(f"/{n}", generate=60, grow=25, window=400, item_bytes=200, delay=30, name=f"s{n}")
    d.settings = {"plugins": [str(plugins)]}
    d.sources = {f"s{n}": {"plugin": "feed", "url": origin.url(f"/{n}"), "every": "1 s"}
                 for n in range(SOURCES)}
    d.routes = {"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}},
                                              {"slow": {"path": "slow.out", "each": f"{int(3 * SLOW)} ms"}},
                                              {"feed": {"path": "all"}}]}}
    d.write()
    hit, behind, moments, lines_before, most = collections.Counter(), 0, [], 0, 0
    kills = 0
    while kills < KILLS or (kills < 3 * KILLS and (
            behind < BACKLOG or any(hit[p] < AT_LEAST[p] for p in AT_LEAST))):
        since = len(d.log())
        d.start(wait=False, debug=True)
        wish = min(AT_LEAST, key=lambda p: hit[p] / AT_LEAST[p] + random.random() * 0.5)
        wait_moment(d, wish, since)
        d.kill()
        kills += 1
        now, owed = phases(d.log()[since:]), backlog(d)
        hit.update(now)
        behind += owed > 0
        lines = slow_lines(d)
        moments.append(f"{kills:3d} wanted {wish:8s} in {'+'.join(sorted(now)) or 'none':22s} "
                       f"backlog {owed}")
        most = max(most, repeated(lines) - lines_before)
        lines_before = repeated(lines)
    (courant.BUILD / "kill.log").write_text("\n".join(moments) + f"\n{dict(hit)}, with a backlog: "
                                            f"{behind}\n")
    print("\n".join(moments))

    # Then a quiet end: one more poll of each source, and everything delivered.
    d.sources = {name: {**s, "every": "1 h"} for name, s in d.sources.items()}
    d.write()
    d.start()
    d.refresh()
    d.settled(120)
    counts = {n: origin.hits(f"/{n}") for n in range(SOURCES)}
    expected = {f"s{n}#{i}" for n, hits in counts.items() for i in range(1, 60 + 25 * (hits - 1) + 1)}
    for what, found in (("jsonl", [[r["id"], r["guid"]] for r in d.lines()]),
                        ("slow", slow_lines(d))):
        ids = collections.defaultdict(set)
        for record, guid in found:
            ids[guid].add(record)
        lost = expected - set(ids)
        assert not lost, f"{what}: {len(lost)} of {len(expected)} lost: {sorted(lost)[:10]}"
        assert set(ids) == expected, f"{what}: never served: {sorted(set(ids) - expected)[:10]}"
        renamed = {g: i for g, i in ids.items() if len(i) > 1}
        assert not renamed, f"{what}: under a new id: {list(renamed.items())[:5]}"
        assert repeated(found) <= kills * BATCH, f"{what}: {repeated(found)} repeated"
    assert most <= BATCH, f"one kill repeated {most} records"
    assert d.records() == len(expected)
    assert all(hit[p] >= least for p, least in AT_LEAST.items()), (hit, moments)
    assert behind >= BACKLOG, (behind, moments)
    assert d.stop() == 0
