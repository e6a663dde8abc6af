"""Plugins that misbehave cost their own worker and their own job, and status says why.

Each plugin of tests/evil says itself, in its first comment, what `courant status` has to show
(`status:`, a pattern; none: it is harmless to its job), what build it needs (`tags:`), and which other
test it is for (`test:`)."""
import re
import shutil

import pytest

from courant import BUILD, SLOW, TREE, numbered, rss

FOLDER = TREE / "tests" / "evil"
LIMITS = {"job_deadline": f"{int(1000 * SLOW)} ms", "job_cpu": f"{int(400 * SLOW)} ms",
          "workers": 2}
ON_TIME = 3                             # s between two polls of a healthy source, at most
EVERY = "250 ms"


def about(name):
    return dict(re.findall(r"^ \* (\w+): *(.*?)(?: \*/)?$", (FOLDER / f"{name}.c").read_text(),
                           re.M))


def named(kind):
    """The plugins of a kind: sources that misbehave at work, others that misbehave before."""
    found = []
    for path in sorted(FOLDER.glob("*.c")):
        text = path.read_text()
        if "test" in about(path.stem):
            continue
        is_kind = "filter" if path.stem.startswith("filter_") else \
            "sink" if path.stem.startswith("sink_") else \
            "source" if "EVIL_SOURCE(" in text else "refused"
        if is_kind == kind:
            marks = [getattr(pytest.mark, m) for m in about(path.stem).get("tags", "").split()]
            found.append(pytest.param(path.stem, marks=marks))
    return found


def file_of(name):
    """What a plugin of tests/evil has to be called where it is loaded."""
    return f"{name}.so" if name.startswith(("filter_", "sink_")) else f"source_{name}.so"


def folder_of(d, *names):
    """A plugin folder with these alone."""
    where = d.folder / "plugins"
    where.mkdir()
    for name in names:
        shutil.copy(BUILD / "tests" / "evil" / f"{name}.so", where / file_of(name))
        (where / file_of(name)).chmod(0o755)
    d.settings = {"plugins": [str(where)], "limits": LIMITS}


def healthy(d, origin, n=2):
    for i in range(n):
        origin.set(f"/healthy{i}", generate=5, grow=1, window=50)
        d.sources[f"healthy{i}"] = {"plugin": "feed", "url": origin.url(f"/healthy{i}"),
                                    "every": EVERY}
    d.routes["everything"] = {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}


def on_time(origin, hits=4, n=2, seconds=ON_TIME):
    """The healthy sources were polled all the time, also after; the longest pause."""
    longest = 0
    for i in range(n):
        before = origin.hits(f"/healthy{i}")
        times = [r["time"] for r in origin.until_hits(f"/healthy{i}", before + hits, 20)]
        longest = max([longest, *(b - a for a, b in zip(times, times[1:]))])
    assert longest < seconds * 1000 * SLOW, f"a healthy source waited {longest} ms"


def titles(d):
    return [r["title"] for r in d.lines()] if d.out("all.jsonl").exists() else []


@pytest.mark.parametrize("name", named("source"))
def test_an_evil_source_costs_its_worker_and_is_shown_with_its_reason(daemon, origin, name):
    d = daemon()
    folder_of(d, name)
    d.sources = {"evil": {"plugin": name, "url": origin.put("evil", b"a document"), "every": "1 h"}}
    healthy(d, origin)
    d.write()
    d.start()
    pids = d.pids()
    said = about(name).get("status")
    if said:
        d.until(lambda: re.search(said, d.source("evil")["error"] or ""), 30,
                f"status shows /{said}/ for evil")
        source = d.source("evil")
        assert source["state"] in ("parked", "failing", "partial"), source
        shown = d.courant("status").stdout.decode()
        assert re.search(said, shown), shown
    else:
        d.until(lambda: d.source("evil")["checked"] and not d.source("evil")["polling"], 30,
                "evil was polled")
    on_time(origin)
    assert d.pids() == pids
    assert not [t for t in titles(d) if t.startswith("broken out")], titles(d)
    if not said:
        d.until(lambda: [t for t in titles(d) if t.startswith("stopped")] or
                d.source("evil")["state"] == "parked", 10, "what was stopped is told")


@pytest.mark.parametrize("name", named("refused"))
def test_a_plugin_that_misbehaves_when_looked_at_idles_its_source_alone(daemon, origin, name):
    d = daemon()
    folder_of(d, name)
    d.sources = {"evil": {"plugin": name, "url": origin.put("evil", b"a document"), "every": "1 h"}}
    healthy(d, origin)
    d.write()
    said = about(name).get("status")
    d.start(seconds=60)
    pids = d.pids()
    if said:
        d.until(lambda: [p for p in d.status()["plugins"] if re.search(said, p["error"] or "")], 20,
                f"status shows /{said}/ for the plugin")
        source = d.source("evil")
        assert source["state"] == "waiting" and name in source["error"], source
        assert re.search(said, d.courant("status").stdout.decode())
        code, text = d.run("-n")
        assert code == 1 and name in text, (code, text)
    else:
        d.until(lambda: [t for t in titles(d) if t.startswith("stopped")], 20, "its page is read")
    on_time(origin)
    assert d.pids() == pids
    assert not [t for t in titles(d) if t.startswith("broken out")], titles(d)


@pytest.mark.parametrize("name", named("sink"))
def test_an_evil_sink_costs_its_leg_and_is_shown_with_its_reason(daemon, origin, name):
    d = daemon()
    folder_of(d, name)
    healthy(d, origin)
    plugin = re.search(r'\.name = "(\w+)"', (FOLDER / f"{name}.c").read_text())[1]
    d.routes["evil"] = {"from": ["*"], "to": {plugin: {}}}
    d.write()
    d.start()
    pids = d.pids()

    def reason():
        leg = d.route("evil")["sinks"][0]
        return re.search(about(name)["status"], leg["reason"] or "")
    d.until(reason, 40, f"status shows /{about(name)['status']}/ for the leg")
    on_time(origin)
    before = len(d.lines())
    d.until(lambda: len(d.lines()) > before, 10, "the other route goes on")
    assert d.pids() == pids


POISON = ("p", "poison", "https://example.org/p")


@pytest.mark.parametrize("entries,poisoned", [
    pytest.param([*numbered(1, 3), POISON, *numbered(4, 6)], 1, id="one"),
    pytest.param([*numbered(1, 1), *[(f"p{n}", "poison", f"https://example.org/p{n}")
                                     for n in range(3)]], 3, id="all_but_one")])
def test_a_filter_that_crashes_on_a_record_parks_it_after_two_workers(daemon, origin, entries,
                                                                      poisoned):
    d = daemon()
    folder_of(d, "filter_crash")
    d.sources = {"one": {"plugin": "feed", "url": origin.put("f", rss(entries)), "every": "1 h"}}
    healthy(d, origin)
    d.routes["filtered"] = {"from": ["one"], "filters": [{"crash": {}}],
                            "to": {"jsonl": {"path": "filtered.jsonl"}}}
    d.write()
    d.start()
    pids = d.pids()
    found = d.until_lines(len(entries) - poisoned, "filtered.jsonl", seconds=40)
    assert "poison" not in [r["title"] for r in found]
    d.until(lambda: "signal 11" in str(d.route("filtered")), 10, "the route shows why")
    d.until(lambda: d.route("filtered")["filters"]["dead"] == poisoned, 20, "all poison is parked")
    died = re.findall(r"worker \d+ \(filtered/filters\) died of", d.log())
    assert len(died) == 2 * poisoned, "two workers each"
    on_time(origin)
    assert d.pids() == pids


@pytest.mark.sandbox
@pytest.mark.memory
def test_all_evil_at_once_leaves_roles_and_healthy_sources_unharmed(daemon, origin):
    names = [p.values[0] for p in named("source")]
    d = daemon()
    folder_of(d, *names)
    url = origin.put("evil", b"a document")
    d.sources = {f"evil-{n}": {"plugin": n, "url": url, "every": "1 h"}
                 for n in names}
    healthy(d, origin)
    # All of them work at once, with the lowest priority: one that ends by itself needs the time.
    d.settings["limits"] = {**LIMITS, "job_deadline": f"{int(5000 * SLOW)} ms"}
    d.write()
    d.start()
    pids = d.pids()
    d.until(lambda: all(s["checked"] and not s["polling"] for s in d.status()["sources"]
                        if s["name"].startswith("evil")), 120, "every evil source was polled")
    assert d.pids() == pids
    for name in names:
        said = about(name).get("status")
        source = d.source(f"evil-{name}")
        assert not said or re.search(said, source["error"] or ""), source
    # Both workers may be held for a deadline, twice, while others eat the machine's own CPUs.
    on_time(origin, seconds=2 * ON_TIME)
    assert not [t for t in titles(d) if t.startswith("broken out")], titles(d)


def test_a_filter_that_cannot_begin_holds_its_route_and_says_why(daemon, origin):
    d = daemon()
    folder_of(d, "filter_open")
    healthy(d, origin)
    d.routes["filtered"] = {"from": ["*"], "filters": [{"open": {}}],
                            "to": {"jsonl": {"path": "filtered.jsonl"}}}
    d.write()
    d.start()
    d.until(lambda: about("filter_open")["status"] in str(d.route("filtered")), 20,
            "the route shows why")
    on_time(origin)
    assert not d.lines("filtered.jsonl")
