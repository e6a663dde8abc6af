"""What was checked is what is loaded: files that are swapped, folders that others write to, links of others,
copies that were changed."""
import ctypes
import ctypes.util
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading

import pytest

from courant import SLOW, folder, program
from test_plugin_faults import build, helped, library, run_with

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: owners are changed")
STRANGER = 54321
ROUNDS = 100

WORD = """
static int parse(struct cr *cr, void *o, const struct cr_page *page)
{
	(void)o, (void)page;
	cr->emit(cr, cr->record(cr, "x"));
	return 0;
}
const struct cr_plugin cr_plugin_v1 = { CR_PLUGIN, .name = "word", .version = "1", .help = "%s", .parse = parse };
"""


@pytest.fixture
def where():
    path = folder("plugins-")
    yield path
    shutil.rmtree(path)


def courant(*words):
    return subprocess.run([program("courant"), *map(str, words)], capture_output=True, text=True,
                          timeout=60 * SLOW)


# ---- what was checked is what is loaded

def test_a_file_that_is_swapped_all_the_time_is_loaded_only_as_it_was_checked(where):
    good = build(where, "good", WORD % "good")
    bad = build(where, "bad", WORD % "bad")
    bad.chmod(0o666)            # never to be loaded
    hashes = {hashlib.sha256(good.read_bytes()).hexdigest(): "good"}
    plugin, ended = where / "source_word.so", threading.Event()
    libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    shutil.copy(good, plugin)
    os.rename(good, plugin)
    names = (-100, os.fsencode(plugin), -100, os.fsencode(bad), 2)

    def swap():
        while not ended.is_set():
            libc.renameat2(*names)
    thread = threading.Thread(target=swap)
    thread.start()
    try:
        seen = []
        for _ in range(ROUNDS):
            done = courant("plugins", "--json", plugin)
            told = json.loads(done.stdout)[0]
            seen.append((told["state"], told.get("help")))
            if told["state"] != "refused":
                assert hashes.get(told["hash"]) == told["help"], told
    finally:
        ended.set()
        thread.join()
    assert {h for _, h in seen} <= {"good", None}, "a file was loaded that the check refuses"
    assert {s for s, _ in seen} != {"refused"}, "the swaps were too slow to prove anything"


# ---- folders and links

def told(plugin):
    return json.loads(courant("plugins", "--json", plugin).stdout)[0]


@root
def test_a_folder_that_others_can_change_is_refused_with_its_path_owner_and_mode(where):
    deep = where / "a" / "b"
    deep.mkdir(parents=True)
    plugin = build(deep, "source_word", WORD % "good")
    assert told(plugin)["help"] == "good", "in a sticky /tmp, below folders of root's alone"
    for which, mode, owner, said in (
            (deep, 0o777, 0, r"lies in folder {}.*owner 0, mode 0777.*chmod go-w"),
            (deep, 0o1777, 0, r"lies in folder {}.*mode 1777"),
            (deep, 0o775, 0, r"lies in folder {}.*mode 0775"),
            (where / "a", 0o777, 0, r"lies below folder {}, .*mode 0777"),
            (where, 0o777, 0, r"lies below folder {}, .*mode 0777"),
            (deep, 0o755, STRANGER, r"lies below folder {}, which belongs to user 54321 \(mode 0755\)"),
            (where / "a", 0o755, STRANGER, r"lies below folder {}, which belongs to user 54321")):
        which.chmod(mode)
        os.chown(which, owner, owner)
        now = told(plugin)
        assert now["state"] == "refused" and re.search(said.format(re.escape(str(which))), now["reason"]), now
        which.chmod(0o755)
        os.chown(which, 0, 0)
    assert told(plugin)["help"] == "good"


@root
def test_a_link_that_others_made_is_not_followed(where):
    (where / "real").mkdir()
    build(where / "real", "source_word", WORD % "good")
    (where / "source_word.so").symlink_to("real/source_word.so")
    (where / "way").symlink_to(where / "real")
    for plugin, link in ((where / "source_word.so", where / "source_word.so"),
                         (where / "way" / "source_word.so", where / "way")):
        assert told(plugin)["help"] == "good", "a link of root's is followed"
        os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
        now = told(plugin)
        assert now["state"] == "refused" and f"link {link}, which belongs to user {STRANGER}" in now["reason"], now
        os.chown(link, 0, 0, follow_symlinks=False)
    (where / "source_loop.so").symlink_to("source_loop.so")
    assert told(where / "source_loop.so")["state"] == "refused"


@root
def test_a_library_in_a_folder_of_others_is_refused(where):
    other = folder("helper-")
    try:
        library(other, "help")
        helped(where, "helped", other, "-lhelper", f"-Wl,-rpath,{other}")
        assert told(where / "source_helped.so")["state"] == "good"
        other.chmod(0o777)
        now = told(where / "source_helped.so")
        assert now["state"] == "refused" and re.search(
            rf"its library {other}/libhelper.so lies in folder {other}, .*mode 0777", now["reason"]), now
    finally:
        shutil.rmtree(other)


def test_the_daemon_refuses_an_open_folder_in_log_status_and_n_and_takes_it_once_it_is_closed(
        daemon, origin, where):
    build(where, "source_word", WORD % "good")
    where.chmod(0o777)
    d = run_with(daemon, origin, where, "word")
    said = rf"source_word.so: lies in folder {where}, .*mode 0777"
    d.wait_log(said)
    d.wait_log(rf"plugins: {where}: what is in it is refused")
    d.until(lambda: re.search(f"lies in folder {where}", d.source("word")["error"] or ""), 20, "in status")
    code, out = d.run("-n")
    assert code != 0 and re.search(rf"courant.yaml:\d+: plugins: {where}: lies in folder", out), out
    where.chmod(0o755)
    d.until(lambda: d.source("word")["state"] == "ok", 30, "it is looked at again")


# ---- copies

def copy_of(d, plugin):
    return d.state / "plugins" / (hashlib.sha256(plugin.read_bytes()).hexdigest() + ".so")


def change(path):
    path.chmod(0o700)
    data = path.read_bytes()
    assert b"good" in data
    path.write_bytes(data.replace(b"good", b"evil"))        # of the same length
    path.chmod(0o500)


def changed(daemon, origin, where):
    """A stopped daemon that ran a plugin, whose copy was changed since."""
    plugin = build(where, "source_word", WORD % "good")
    d = run_with(daemon, origin, where, "word")
    d.until(lambda: d.source("word")["state"] == "ok", 20, "it works")
    d.stop()
    copy = copy_of(d, plugin)
    change(copy)
    return d, plugin, copy


def test_a_changed_copy_is_not_loaded_after_a_restart(daemon, origin, where):
    d, plugin, copy = changed(daemon, origin, where)
    d.start()
    d.wait_log(rf"warning: .*{copy.name}: is not what was copied from .*source_word.so: its SHA-256 is")
    assert b"evil" not in copy.read_bytes(), "it is copied anew"
    assert json.loads(d.courant("plugins", "--json", "source_word").stdout)[0]["help"] == "good"
    d.until(lambda: d.source("word")["state"] == "ok", 20, "it works")


def test_a_library_put_beside_a_copy_is_not_loaded(daemon, origin, where):
    library(where, "good help")
    helped(where, "helped", where, "-lhelper", "-Wl,-rpath,$ORIGIN")
    build(where, "source_word", WORD % "good")
    d = run_with(daemon, origin, where, "helped", "word")
    d.until_lines(2)
    d.stop()
    own, = (d.state / "plugins").glob("*.lib")
    shutil.copy(own / "libhelper.so", own / "libz.so.1")
    change(own / "libhelper.so")
    d.start()
    d.wait_log(rf"warning: .*is not what was copied from .*source_helped.so")
    d.until(lambda: d.source("helped")["state"] == "ok", 20, "it works")
    assert [p.name for p in own.iterdir()] == ["libhelper.so"]
    assert b"evil" not in (own / "libhelper.so").read_bytes()


def test_a_changed_copy_of_the_last_good_version_is_not_gone_back_to(daemon, origin, where):
    d, plugin, copy = changed(daemon, origin, where)
    plugin.write_bytes(b"no plugin")
    d.start()
    d.wait_log(r"its last good version cannot be used: its copy was changed")
    assert not copy.exists()
