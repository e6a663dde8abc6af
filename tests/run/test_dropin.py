"""Plugins dropped into a running daemon: appear, half-copied, replaced, gone back from, removed."""
import shutil
import subprocess
import time

import pytest

from courant import SLOW, TREE, numbered, rss
from test_core import fill, small_disk  # noqa: F401
from test_path import EVERYTHING

WITHIN = 2                              # s from the last write to the first fetch


def build(path, *defines):
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-shared", "-fPIC", "-Wl,-z,defs",
                    "-I", TREE / "include", *[f"-D{d}" for d in defines],
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
    d.settings = {"plugins": [str(d.plugins)]}
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
