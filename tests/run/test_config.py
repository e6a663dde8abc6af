"""Configurations: all mistakes at once with their lines, and a running daemon that keeps the good one."""
import json
import random
import re
import shutil
import subprocess

import pytest

from courant import SLOW, TREE, numbered, program, rss
from receiver import Receiver
from test_path import EVERYTHING, sources

MISTAKES = """\
state: {state}
user: {user}
serve: {{ lisen: 127.0.0.1:0 }}
sources:
  one: {{ plugin: fead, url: http://127.0.0.1:1/f }}
  two: {{ plugin: feed, url: http://127.0.0.1:1/f, every: 5 mni }}
  three: {{ plugin: feed, ulr: http://127.0.0.1:1/f }}
routes:
  r:
    from: [one, tow]
    to: {{ jsonl: {{ paht: x.jsonl }} }}
"""


def test_all_mistakes_are_named_at_once_with_line_and_nearest_name(daemon):
    d = daemon(text="")
    d.conf.write_text(MISTAKES.format(state=d.state, user=d.user() or "nobody"))
    code, said = d.run("-n")
    assert code == 1, said
    for line, wrong, meant in ((3, "lisen", "listen"), (5, "fead", "feed"), (6, "mni", ""),
                               (7, "ulr", "url"), (10, "tow", "two"), (11, "paht", "path")):
        found = re.search(rf"courant\.yaml:{line}: .*{wrong}.*", said)
        assert found, f"line {line}, {wrong}:\n{said}"
        assert meant in found[0], found[0]
    code, again = d.run()
    assert code == 1 and "courant.yaml:3: " in again


@pytest.mark.parametrize("text,pattern", {
    "anchor": ("a: &x 1\n", ":1: .*anchor"),
    "tag": ("a: !!str 1\n", ":1: .*tag"),
    "twice": ("state: /a\nstate: /b\n", ":2: .*already"),
    "tab": ("state: /a\n\tx: y\n", ":2: "),
    "control": ("state: \x01\n", ":1: .*control"),
    "two_documents": ("state: /a\n---\nstate: /b\n", ":[23]: "),
    "a_list": ("- a\n", ":1: "),
    "unclosed": ("serve: { listen: x\nstate: /a\n", ":[123]: "),
    "unknown_setting": ("sttae: /tmp/x\n", ":1: .*state"),
}.values(), ids=["anchor", "tag", "twice", "tab", "control", "two_documents", "a_list", "unclosed",
                 "unknown_setting"])
def test_yaml_beyond_the_strict_part_is_refused_with_its_line(daemon, text, pattern):
    d = daemon(text=text)
    code, said = d.run("-n")
    assert code == 1 and re.search(r"courant\.yaml" + pattern, said), (code, said)


def test_a_missing_configuration_is_named(daemon):
    d = daemon()
    d.conf.unlink()
    code, said = d.run()
    assert code == 1 and "courant.yaml" in said and "No such file" in said


def test_checking_a_good_configuration_fetches_and_writes_nothing(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 2)))
    d = daemon(sources({"one": url}), EVERYTHING)
    code, said = d.run("-n")
    assert code == 0, said
    assert origin.hits() == 0
    assert [p.name for p in d.state.iterdir() if p.suffix == ".db" or p.name == "out"] == []


def test_an_invalid_configuration_on_reload_keeps_the_running_one(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": url}), EVERYTHING).start()
    d.until_lines(3)
    pids = d.pids()
    good = d.conf.read_text()
    d.conf.write_text(good.replace("every:", "evrey:"))
    said = d.courant("reload", check=False)
    assert said.returncode == 1
    assert re.search(rb"courant\.yaml:\d+: .*evrey.*every", said.stdout + said.stderr), said
    origin.put("f.xml", rss(numbered(1, 4)))
    d.refresh("one")
    d.until_lines(4)
    assert d.pids() == pids


def test_a_reload_adds_and_removes_sources_and_keeps_what_is_known(daemon, origin):
    for name in "ab":
        origin.put(f"{name}.xml", rss(numbered(1, 2, name)))
    urls = {n: origin.url(f"/{n}.xml") for n in "ab"}
    d = daemon(sources({"a": urls["a"]}), EVERYTHING).start()
    d.until_lines(2)
    pids = d.pids()
    d.sources = sources(urls)
    d.write()
    d.courant("reload")
    d.until_lines(4)
    assert origin.hits("/a.xml") == 1 and d.pids() == pids
    d.sources = sources({"b": urls["b"]})
    d.write()
    d.courant("reload")
    d.until(lambda: [s["name"] for s in d.status()["sources"]] == ["b"], 10, "a is gone")
    d.sources = sources(urls)
    d.write()
    d.courant("reload")
    d.refresh("a")
    d.settled()
    assert d.records() == 4 and len(d.lines()) == 4
    assert origin.requests("/a.xml")[-1]["status"] == 304


def test_a_reload_on_sighup_is_the_same(daemon, origin):
    import signal
    origin.put("a.xml", rss(numbered(1, 2, "a")))
    d = daemon({}, EVERYTHING).start()
    d.sources = sources({"a": origin.url("/a.xml")})
    d.write()
    d.process.send_signal(signal.SIGHUP)
    d.until_lines(2)


def test_a_missing_plugin_idles_its_source_and_stops_nothing_else(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 2)))
    missing = {"other": {"plugin": "comics", "url": url}}
    d = daemon({**sources({"one": url}), **missing}, EVERYTHING)
    code, said = d.run("-n")
    assert code == 1 and "comics" in said, said
    d.start(wait=False)
    if d.process.poll() is None:
        d.until(d.ready, 20, "up")
        d.until_lines(2)
        assert "comics" in str(d.source("other")), d.source("other")


def test_started_as_root_without_a_user_it_refuses(daemon):
    import os
    if os.geteuid() != 0:
        pytest.skip("needs root")
    d = daemon(sources({"one": "http://127.0.0.1:1/"}), EVERYTHING, {"user": None})
    code, said = d.run()
    assert code != 0 and re.search(r"(?i)root|user", said), (code, said)
    d.write(user="no-such-user")
    code, said = d.run()
    assert code != 0 and "no-such-user" in said, (code, said)


def test_a_private_address_is_not_fetched_unless_allowed(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 2)))
    d = daemon(sources({"one": url}), EVERYTHING, {"private": False}).start()
    d.until(lambda: d.source("one")["error"], 20, "the source shows why")
    assert origin.hits() == 0 and d.records() == 0


@pytest.mark.parametrize("path", sorted((TREE / "conf").glob("*.yaml")), ids=lambda p: p.name)
def test_each_configuration_that_is_shipped_is_a_good_one(path, daemon):
    """Once what its head says is done: commands, each in a line of its own."""
    d = daemon()
    conf = d.folder / "conf"
    shutil.copytree(path.parent, conf)
    text = path.read_text().replace("127.0.0.1:8080", "127.0.0.1:0")
    (conf / path.name).write_text(re.sub(r"(?m)^state: .*", f"state: {d.state}", text))
    for command in re.findall(r"^#     (\S.*)$", path.read_text(), re.M):
        subprocess.run(["sh", "-c", command], cwd=conf, check=True)
    d.own(conf)
    done = subprocess.run([program("courantd"), "-n", "-u", "nobody", "-c", str(conf / path.name)],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30 * SLOW)
    assert done.returncode == 0 and not done.stderr, done


def shipped(daemon, name, changes):
    """A daemon with a configuration of conf/, changed where it names the world outside."""
    d = daemon(text="")
    text = (TREE / "conf" / name).read_text()
    for command in re.findall(r"^#     (\S.*)$", text, re.M):
        subprocess.run(["sh", "-c", command], cwd=d.folder, check=True)
    for old, new in {"127.0.0.1:8080": "127.0.0.1:0", **changes}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    d.conf.write_text(text + "private: yes\n" + (f"user: {d.user()}\n" if d.user() else ""))
    for path in (*d.folder.glob("*.key"), *d.folder.glob("*.txt")):
        d.own(path)
    return d


def test_the_papers_that_are_shipped_as_an_example(daemon, origin):
    named_by_all = "A new way to build dense vectors. " * 12
    for name in ("vision", "language", "speech", "robotics", "theory"):
        words = random.Random(name)
        own = "".join(f"{name} {words.choice('sees hears moves reads proves'.split())} {words.randrange(9999)} vectors; "
                      for _ in range(20))
        origin.put(f"{name}.txt", f"Subscribe\n\nMar 14\n\nDense vectors for {name} and more\n\n{own}\n\n"
                                  f"A paper that all of them name\n\n{named_by_all}\n".encode())
    origin.set("/daily", type="application/json", body=json.dumps([
        {"title": "Reranking of papers in a day", "numComments": 3, "paper": {
            "id": "2401.00001", "summary": "s", "upvotes": 41}}]))
    with Receiver() as receiver:
        d = shipped(daemon, "papers.yaml", {
            "https://papers.example.org/": origin.url("/"), "backlog: none": "backlog: all",
            "preset: huggingface-daily-papers": f"preset: huggingface-daily-papers\n    url: {origin.url('/daily')}",
            "https://hooks.example.org/papers": receiver.url()})
        d.state = d.folder / "state-papers"
        d.state.mkdir()
        d.own(d.state)
        d.start().settled()
        shown = json.loads(d.out("papers.json").read_text())["items"]
        assert len(shown) == 7, "each paper once, whoever names it"
        key = (d.folder / "papers-hook.key").read_text().strip()
        hooks = receiver.taken()
        assert all(h.verified(key) for h in hooks)
        assert len(hooks) == 7 == len(json.loads(d.out("retrieval.json").read_text())["items"])
        assert {h.json["counters"]["votes"] for h in hooks if "counters" in h.json} == {41}


def test_the_releases_that_are_shipped_as_an_example(daemon, origin):
    for name in ("curl/curl", "sqlite/sqlite"):
        origin.set(f"/repos/{name}/releases", type="application/json", body=json.dumps([
            {"id": n, "tag_name": f"v{n}", "name": None, "html_url": f"https://example.org/{name}/{n}",
             "prerelease": n == 3, "draft": n == 4} for n in (4, 3, 2, 1)]))
        origin.set(f"/repos/{name}/advisories", type="application/json", body=json.dumps([
            {"ghsa_id": f"{name}-{n}", "summary": f"What is wrong with {name}, {n}", "severity": severity,
             "published_at": "2026-11-20T00:00:00Z", "cvss_severities": {"cvss_v3": {"score": score}}}
            for n, (severity, score) in enumerate([("low", 2), ("medium", 7.5), ("high", 0)])]))
    with Receiver() as receiver:
        d = shipped(daemon, "releases.yaml", {
            "preset: github-releases": "preset: github-releases\n    url: " + origin.url("/repos/{each}/releases"),
            "https://api.github.com/repos/{each}/security-advisories?state=published&per_page=100":
                origin.url("/repos/{each}/advisories"),
            "https://hooks.example.org/security": receiver.url(), "backlog: 30 d ": "backlog: all "})
        (d.folder / "projects.txt").write_text("curl/curl\nsqlite/sqlite # one\n")
        d.state = d.folder / "state-releases"
        d.state.mkdir()
        d.own(d.state)
        d.start().settled()
        titles = {i["title"] for i in json.loads(d.out("releases.json").read_text())["items"]}
        assert titles == {f"releases/{p}: v{n}" for p in ("curl/curl", "sqlite/sqlite") for n in (1, 2)}
        key = (d.folder / "releases-hook.key").read_text().strip()
        assert all(h.verified(key) for h in receiver.taken())
        assert {h.json["guid"] for h in receiver.taken()} == {
            f"{p}-{n}" for p in ("curl/curl", "sqlite/sqlite") for n in (1, 2)}
