"""Plugins dropped into a running daemon: appear, half-copied, replaced, gone back from, removed."""
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from courant import BUILD, SLOW, TREE, numbered, rss
from test_core import fill, small_disk  # noqa: F401
from test_path import EVERYTHING

WITHIN = 2                              # s from the last write to the first fetch


def build(path, *defines, include=TREE / "include"):
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-shared", "-fPIC", "-Wl,-z,defs",
                    "-I", include, *[f"-D{d}" for d in defines],
                    TREE / "tests/plugins/source_drop.c", "-o", path], check=True)
    path.chmod(0o644)
    return path


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    where = tmp_path_factory.mktemp("drop")
    return {"1": build(where / "1.so"), "2": build(where / "2.so", 'DROP_VERSION="2"'),
            "crash": build(where / "crash.so", 'DROP_VERSION="3"', "DROP_CRASH"),
            "constructor": build(where / "constructor.so", 'DROP_VERSION="4"',
                                 "DROP_CONSTRUCTOR=abort()"),
            "stream": build(where / "stream.so", "DROP_STREAM"),
            "stream crash": build(where / "stream-crash.so", "DROP_STREAM", 'DROP_VERSION="3"',
                                  "DROP_CRASH"),
            "stream fail": build(where / "stream-fail.so", "DROP_STREAM", 'DROP_VERSION="3"',
                                 "DROP_FAIL")}


def start(d, origin):
    """The daemon with an empty plugin folder, a source that waits for `drop`, and a healthy one."""
    d.plugins = d.folder / "plugins"
    d.plugins.mkdir()
    d.settings["plugins"] = [str(d.plugins)]
    d.sources = {"one": {"plugin": "drop", "url": origin.put("drop", b"x"), "every": "1 h"},
                 "feed": {"plugin": "feed", "url": origin.put("f", rss(numbered(1, 2))),
                          "every": "1 h"}}
    d.routes = EVERYTHING
    d.write()
    d.start(debug=True)
    d.until_lines(2)
    return d


@pytest.fixture
def dropin(daemon, origin):
    return start(daemon(), origin)


def drop(d, version):
    """As install(1) does it: under another name, then renamed."""
    shutil.copy(version, d.plugins / "new")
    (d.plugins / "new").rename(d.plugins / "source_drop.so")
    return time.monotonic()


def plugin(d):
    return next((p for p in d.status()["plugins"] if p["file"].endswith("source_drop.so")), None)


def titles(d):
    return [r["title"] for r in d.lines()]


def test_a_plugin_that_appears_runs_within_two_seconds_without_a_restart(dropin, versions, origin):
    d = dropin
    assert d.source("one")["state"] == "waiting"
    pids = d.pids()
    dropped = drop(d, versions["1"])
    origin.until_hits("/drop", 1)
    assert time.monotonic() - dropped < WITHIN * SLOW
    d.until(lambda: "dropped 1" in titles(d), 10, "its record is delivered")
    assert d.pids() == pids and origin.hits("/f") == 1


def test_a_half_copied_plugin_is_looked_at_again_when_it_is_whole(dropin, versions):
    d = dropin
    data = versions["1"].read_bytes()
    path = d.plugins / "source_drop.so"
    path.write_bytes(data[:len(data) // 2])
    d.wait_log("source_drop.so: is cut off")
    path.write_bytes(data)
    d.until(lambda: "dropped 1" in titles(d), 10, "its record is delivered")


def test_a_replaced_plugin_is_used_from_the_next_job_on(dropin, versions):
    d = dropin
    drop(d, versions["1"])
    d.until(lambda: "dropped 1" in titles(d), 10, "the first version's record")
    drop(d, versions["2"])
    d.until(lambda: "dropped 2" in titles(d), 10, "the second version's record")
    assert plugin(d)["version"] == "2"


def test_a_version_that_crashes_gives_way_to_the_one_that_worked_also_after_a_restart(
        dropin, versions):
    d = dropin
    drop(d, versions["1"])
    d.until(lambda: "dropped 1" in titles(d), 10, "the first version's record")
    drop(d, versions["crash"])
    d.wait_log(r"gone back to version 1")
    d.until(lambda: d.source("one")["state"] == "ok", 20, "the source works again")
    assert plugin(d)["version"] == "1"
    d.stop()
    d.start()
    assert plugin(d)["version"] == "1"
    d.refresh("one")
    assert d.source("one")["state"] == "ok"


@pytest.mark.parametrize("end, deaths", [("crash", 2), ("fail", 0)])
def test_a_stream_that_ends_badly_gives_way_to_the_version_that_worked(dropin, versions, end,
                                                                       deaths):
    d = dropin
    d.sources["one"] = {"plugin": "drop"}
    d.write()
    d.courant("reload")
    drop(d, versions["stream"])
    d.until(lambda: "dropped 1" in titles(d), 10, "the first version's record")
    drop(d, versions[f"stream {end}"])
    d.wait_log(r"gone back to version 1")
    d.until(lambda: d.source("one")["state"] == "ok" and d.source("one")["streaming"], 20,
            "the stream runs again")
    assert plugin(d)["version"] == "1"
    assert len([o for o in d.status()["obituaries"] if o["job"] == "one"]) == deaths


def test_a_version_that_crashes_in_its_constructor_is_not_taken(dropin, versions):
    d = dropin
    drop(d, versions["1"])
    d.until(lambda: "dropped 1" in titles(d), 10, "the first version's record")
    drop(d, versions["constructor"])
    d.wait_log(r"version 1 .* goes on")
    d.refresh("one")
    assert d.source("one")["state"] == "ok" and plugin(d)["version"] == "1"


def test_a_removed_plugin_idles_its_source_and_a_returned_one_goes_on(dropin, versions):
    d = dropin
    drop(d, versions["1"])
    d.until(lambda: "dropped 1" in titles(d), 10, "its record")
    (d.plugins / "source_drop.so").unlink()
    d.until(lambda: d.source("one")["state"] == "waiting", 10, "the source waits")
    said = d.source("one")["error"]
    assert "source_drop" in said and "source_drop.so was removed" in said, said
    drop(d, versions["2"])
    d.until(lambda: "dropped 2" in titles(d), 10, "the other version's record")


def test_a_file_that_others_can_write_is_refused_until_its_mode_is_right(dropin, versions):
    d = dropin
    path = d.plugins / "source_drop.so"
    shutil.copy(versions["1"], d.plugins / "new")
    (d.plugins / "new").chmod(0o666)
    (d.plugins / "new").rename(path)
    d.until(lambda: "chmod go-w" in (d.source("one")["error"] or ""), 10, "the reason is shown")
    path.chmod(0o644)
    d.until(lambda: "dropped 1" in titles(d), 10, "its record")


def test_a_plugin_that_finds_no_room_for_its_copy_is_taken_once_there_is_some(
        small_disk, versions, origin):  # noqa: F811
    d = start(small_disk, origin)
    ballast = fill(d.state)
    drop(d, versions["1"])
    d.wait_log("source_drop.so: cannot be copied to .*: No space left on device")
    d.until(lambda: "No space left" in d.source("one")["error"], 10, "the reason is shown")
    ballast.unlink()
    d.until(lambda: "dropped 1" in titles(d), 30, "it was tried again by itself")
    ballast = fill(d.state)
    drop(d, versions["2"])
    d.wait_log(r"plugin source_drop: version 1 \(.*\) goes on")
    ballast.unlink()
    d.courant("reload")
    d.until(lambda: "dropped 2" in titles(d), 8, "a reload tries it at once")
    assert not list((d.state / "plugins").glob("*.new"))


def test_an_edit_that_nobody_reloaded_does_not_slip_in(dropin, versions):
    d = dropin
    d.conf.write_text(d.conf.read_text().replace("feed:", "renamed:", 1))
    drop(d, versions["1"])
    d.until(lambda: "dropped 1" in titles(d), 10, "its record")
    assert sorted(s["name"] for s in d.status()["sources"]) == ["feed", "one"]


# -- what is refused, and what is not

EVIL = BUILD / "tests" / "evil"
HANGS = "DROP_CONSTRUCTOR=for (;;) pause()"
REFUSED = {
    "mode": "can be written by others (mode 0666): chmod go-w it",
    "owner": "belongs to user 54321; only root's or the daemon's own",
    "no_symbol": "exports no cr_plugin_v1",
    "other_major": "made for major version 2 of the plugin contract, this Courant takes 1",
    "newer_minor": "needs version 1.99 of the plugin contract, this Courant has 1.",
    "bad_offset": "option far",
    "bad_size": "its descriptor claims a size of",
    "constructor": "the worker that loaded it died: killed by signal 6",
    "hangs": "it did not describe itself within 5 s: does a constructor hang?",
}


def refusable(how, versions, where):
    """A plugin that is to be refused."""
    if how == "hangs":
        return build(where / "hangs.so", HANGS)
    made = EVIL / f"{how}.so"
    return made if made.is_file() else versions.get(how, versions["1"])


@pytest.mark.parametrize("how", REFUSED)
def test_what_is_refused_says_why_in_the_log_and_to_the_operator(
        dropin, versions, origin, tmp_path, how):
    d = dropin
    d.sources["feed"]["every"] = "100 ms"
    d.write()
    d.courant("reload")
    new = d.plugins / "new"
    shutil.copy(refusable(how, versions, tmp_path), new)
    new.chmod(0o666 if how == "mode" else 0o644)
    if how == "owner":
        if os.geteuid() != 0:
            pytest.skip("needs root")
        os.chown(new, 54321, 54321)
    hits = origin.hits("/f")
    new.rename(d.plugins / "source_drop.so")
    d.wait_log(re.escape(f"source_drop.so: ") + ".*" + re.escape(REFUSED[how]))
    if how == "hangs":
        assert origin.hits("/f") - hits >= 10, "others are polled meanwhile"
    done = d.courant("plugins", check=False)
    said = done.stdout.decode()
    assert done.returncode == 1 and REFUSED[how] in said, said
    assert re.search(r"source_drop.so: refused: .*\n    used by 1 source: one\n", said), said
    d.until(lambda: REFUSED[how] in d.source("one")["error"], 10, "the source shows it")
    told = json.loads(d.courant("plugins", "--json", "source_drop", check=False).stdout)
    assert told[0]["state"] == "refused" and REFUSED[how] in told[0]["reason"]
    drop(d, versions["1"])
    d.until(lambda: "dropped 1" in titles(d), 10, "one that is good takes its place")


def contract(where, minor):
    """The header as it was, or will be, in another minor version."""
    text = (TREE / "include" / "courant" / "plugin.h").read_text()
    text = re.sub(r"#define CR_MINOR\t\d+", f"#define CR_MINOR\t{minor}", text)
    if minor == 0:                  # what came with 1.1 is not there
        text = re.sub(r"(?m)^\t[^\n]*/\* 1\.1[:,][^*]*\*/\n", "", text)
    else:
        text = re.sub(r"(?m)^(\tint\t\(\*request\)[^\n]*\n)", r"\1\tint\t(*later)(void);\n", text)
    (where / "courant").mkdir()
    (where / "courant" / "plugin.h").write_text(text)
    return where


@pytest.mark.parametrize("minor", [0, 9])
def test_plugins_for_an_older_and_a_newer_minor_version_run(dropin, tmp_path, minor):
    d = dropin
    drop(d, build(tmp_path / "drop.so", include=contract(tmp_path, minor)))
    d.until(lambda: "dropped 1" in titles(d), 10, "its record")
    said = d.courant("plugins", "drop").stdout.decode()
    assert f"for version 1.{minor} of the plugin contract" in said, said


def test_plugins_tells_of_versions_that_replace_each_other_and_go(dropin, versions):
    def state():
        return json.loads(d.courant("plugins", "--json", "drop").stdout)[0]

    d = dropin
    drop(d, versions["1"])
    d.until(lambda: "dropped 1" in titles(d), 10, "the first version's record")
    assert (state()["state"], state()["used_by"]) == ("running", ["one"])
    drop(d, versions["crash"])
    d.until(lambda: state()["state"] == "gone back", 20, "it goes back")
    now = state()
    assert now["version"] == "1" and len(now["not_used"]) == 64 != len(now["hash"]) - 1
    said = d.courant("plugins").stdout.decode()
    assert re.search(r"gone back to this version, since [0-9a-f]{12} failed: .*signal 6", said), said
    other = d.folder / "more"
    other.mkdir()
    shutil.copy(versions["2"], other / "source_drop.so")
    d.settings["plugins"].append(str(other))
    d.write()
    d.courant("reload")
    d.until(lambda: "comes first" in d.courant("plugins").stdout.decode(), 10, "the other is behind")
    (d.plugins / "source_drop.so").unlink()
    d.until(lambda: "dropped 2" in titles(d), 10, "the other takes its place")
    (other / "source_drop.so").unlink()
    d.until(lambda: "removed: " in d.courant("plugins", check=False).stdout.decode(), 10, "gone")


# -- contrib/hello in the configuration that is shipped

CHANGES = b"# Changes\n\n## 1.1.0 - 2024-11-21\n- a\n\n## 1.0.0 - 2024-10-01\n- b\n"


def hello(where, *replaced):
    code = (TREE / "contrib/hello/source_changes/source_changes.c").read_text()
    for old, new in replaced:
        assert old in code
        code = code.replace(old, new)
    source = where / f"hello{len(replaced)}.c"
    source.write_text(code)
    subprocess.run(["cc", "-std=c17", "-shared", "-fPIC", "-Wl,-z,defs", "-I", TREE / "include",
                    source, "-o", source.with_suffix(".so")], check=True)
    source.with_suffix(".so").chmod(0o644)
    return source.with_suffix(".so")


def shipped(d, origin):
    """The shipped configuration, with the two places for sources and plugins that it leaves open."""
    text = (TREE / "conf/courant.yaml").read_text()
    for old, new in (
            ("#user: courant", f"user: {d.user()}" if d.user() else ""),
            ("#state: /var/lib/courant", f"state: {d.state}"),
            ("#plugins: [/usr/local/lib/courant/plugins]", f"plugins: [{d.plugins}]"),
            ("#private: no", "private: yes"),
            ("sources:\n", f"sources:\n"
             f"  slow: {{ plugin: feed, url: '{origin.url('/slow')}', every: 1 h }}\n"
             f"  log: {{ plugin: changes, url: '{origin.url('/changes')}', every: 1 h }}\n")):
        assert old in text, old
        text = text.replace(old, new, 1)
    d.conf.write_text(text)


def ids(d, what):
    return re.findall(rf"slow: {what} (?:\S+ as )?(?:job )?(\d+)", d.log())


def test_hello_dropped_in_replaced_and_removed_disturbs_nobodys_fetch(daemon, origin, tmp_path):
    d = daemon()
    d.plugins = d.folder / "plugins"
    d.plugins.mkdir()
    origin.put("changes", CHANGES)
    origin.set("/slow", body=rss(numbered(1, 2)), delay=12000 if SLOW == 1 else 20000)
    shipped(d, origin)
    d.start(debug=True)
    origin.until_hits("/slow", 1)
    path = d.plugins / "source_changes.so"

    def put(version):
        shutil.copy(version, d.plugins / "new")
        (d.plugins / "new").rename(path)

    put(hello(tmp_path))
    origin.until_hits("/changes", 1)
    begun = time.monotonic()
    d.until(lambda: len(d.lines("everything.jsonl")) == 2, 10, "its records are delivered")
    assert time.monotonic() - begun < WITHIN * SLOW
    assert d.out("everything.rss").is_file()
    put(hello(tmp_path, ('"1",', '"2",'), ("rec = cr->record(cr, head);", "abort();")))
    d.wait_log("plugin source_changes: gone back to version 1")
    d.until(lambda: d.source("log")["state"] == "ok", 10, "the good version works")
    path.unlink()
    d.until(lambda: d.source("log")["state"] == "waiting", 10, "its source idles")
    assert origin.hits("/slow") == 1 and d.source("slow")["state"] == "new", "still under way"
    d.until(lambda: len(d.lines("everything.jsonl")) == 4, 20, "the slow one is delivered")
    asked, came = ids(d, "fetches"), re.findall(r"slow: job (\d+) (?:fetched|committed)", d.log())
    assert len(asked) == 1 and came == [asked[0]] * 2, (asked, came)
    assert origin.hits("/slow") == 1
