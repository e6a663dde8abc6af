"""Names of plugins: the file's name is the plugin's, and nobody takes over another's."""
import json
import re
import shutil
import subprocess

import pytest

from courant import BUILD, program
from test_dropin import build, dropin, plugin, start, titles  # noqa: F401


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The plugin `drop`, which wants to open sockets, and what a stranger made of it."""
    where = tmp_path_factory.mktemp("names")
    return {"drop": build(where / "1.so", "DROP_WANTS=CR_NETWORK"),
            "update": build(where / "2.so", 'DROP_VERSION="2"', "DROP_WANTS=CR_NETWORK"),
            "thief": build(where / "66.so", 'DROP_VERSION="66"', "DROP_WANTS=CR_NETWORK"),
            "other": build(where / "3.so", 'DROP_NAME="other"', 'DROP_VERSION="3"'),
            "filter": BUILD / "tests" / "plugins" / "filter_floor.so"}


def put(where, made_one, name):
    shutil.copy(made_one, where / "new")
    (where / "new").chmod(0o644)
    (where / "new").rename(where / name)
    return where / name


def allowed(d, made, *folders):
    """The daemon with source `one` of the plugin `drop`, which is allowed what it wants."""
    d.settings["allow"] = ["source_drop"]
    d.settings["plugins"] = [str(d.plugins), *map(str, folders)]
    d.write()
    d.courant("reload")
    put(folders[-1] if folders else d.plugins, made["drop"], "source_drop.so")
    d.until(lambda: "dropped 1" in titles(d), 10, "the plugin's record")
    return d


def polled(d):
    """What versions the records came from, when the source was read once more."""
    d.until(lambda: d.courant("refresh", "one", check=False).returncode == 0, 10, "no setup is being taken")
    d.refresh("one")
    return {t for t in titles(d) if t.startswith("dropped")}


def shown(d, path):
    return next(p for p in json.loads(d.courant("plugins", "--json", check=False).stdout) if p["file"] == str(path))


def test_a_file_beside_does_not_take_over_a_name(dropin, made):  # noqa: F811
    d = allowed(dropin, made)
    path = put(d.plugins, made["thief"], "source_aaa.so")
    d.until(lambda: "dropped 66" in titles(d) or re.search(r"source_aaa\.so: ", d.log()), 10, "it is looked at")
    assert polled(d) == {"dropped 1"}
    d.wait_log(r"warning: \S*source_aaa\.so: it calls itself source_drop: .*source_drop\.so")
    assert shown(d, path)["state"] == "refused"
    d.stop()
    d.start()
    assert polled(d) == {"dropped 1"} and shown(d, path)["state"] == "refused"


def test_a_second_folder_does_not_take_over_a_name(dropin, made):  # noqa: F811
    d = dropin
    more = d.folder / "more"
    more.mkdir()
    allowed(d, made, more)
    path = put(d.plugins, made["thief"], "source_drop.so")       # in the folder that is named first
    d.until(lambda: "dropped 66" in titles(d) or "comes first" in d.log(), 10, "it is looked at")
    assert polled(d) == {"dropped 1"}
    d.wait_log(rf"warning: {path}: refused: {more}/source_drop\.so comes first and is the plugin source_drop; remove ")
    said = d.courant("plugins", "drop", check=False).stdout.decode()
    assert f"refused: {more}/source_drop.so has this name and comes first" in said, said
    assert shown(d, path)["state"] == "behind" and shown(d, path)["wants"] == {"network": False}
    assert shown(d, more / "source_drop.so")["wants"] == {"network": True}
    put(more, made["update"], "source_drop.so")
    d.until(lambda: "dropped 2" in titles(d), 10, "the file that has the name may change")
    d.stop()
    d.start()
    assert polled(d) == {"dropped 1", "dropped 2"}, "also after a restart"
    assert shown(d, path)["state"] == "behind"
    (more / "source_drop.so").unlink()
    d.until(lambda: "dropped 66" in titles(d), 10, "the name is free when its file is gone")
    d.wait_log(rf"warning: {path}: is the plugin source_drop now, and gets what the configuration gives to that name")
    at = put(more, made["update"], "source_drop.so")
    d.wait_log(rf"warning: {at}: refused: {path} comes first")


def test_a_file_that_replaces_itself_does_not_take_over_a_name(dropin, made):  # noqa: F811
    d = allowed(dropin, made)
    d.sources["two"] = {**d.sources["one"], "plugin": "other"}
    d.write()
    d.courant("reload")
    put(d.plugins, made["other"], "source_aaa.so")
    d.wait_log("source_aaa.so: it calls itself source_other")
    put(d.plugins, made["other"], "source_other.so")
    d.until(lambda: "dropped 3" in titles(d), 10, "the other plugin's record")
    put(d.plugins, made["thief"], "source_other.so")
    d.wait_log(r"source_other\.so: it calls itself source_drop")
    d.wait_log(r"plugin source_other: version 3 \(.*\) goes on")
    assert polled(d) == {"dropped 1", "dropped 3"}
    put(d.plugins, made["filter"], "source_drop.so")
    d.wait_log(r"source_drop\.so: it calls itself filter_floor")
    d.wait_log(r"plugin source_drop: version 1 \(.*\) goes on")
    assert polled(d) == {"dropped 1", "dropped 3"}


def test_at_a_start_the_first_folder_counts_whoever_is_faster(dropin, made):  # noqa: F811
    d = dropin
    more = d.folder / "more"
    more.mkdir()
    d.stop()
    first = put(d.plugins, made["drop"], "source_drop.so")
    with open(first, "ab") as big:                      # takes longer to read, copy and hash
        big.write(bytes(30 << 20))
    second = put(more, made["thief"], "source_drop.so")
    d.settings.update(plugins=[str(d.plugins), str(more)], allow=["source_drop"])
    d.write()
    code, said = d.run("-n")
    assert code == 0 and f"{second}: refused: {first} comes first" in said, said
    d.start()
    d.until(lambda: titles(d), 10, "records")
    assert polled(d) == {"dropped 1"} and shown(d, second)["state"] == "behind"


def test_what_is_refused_keeps_its_name_from_others(dropin, made):  # noqa: F811
    """A file that is in use and turns bad stops its sources; no second file takes its grants."""
    d = dropin
    more = d.folder / "more"
    more.mkdir()
    allowed(d, made, more)
    put(d.plugins, made["thief"], "source_drop.so")
    d.wait_log("comes first")
    (more / "source_drop.so").chmod(0o666)
    d.until(lambda: "chmod go-w" in (d.source("one")["error"] or ""), 10, "the source waits")
    assert {t for t in titles(d) if t.startswith("dropped")} == {"dropped 1"}
    d.stop()
    d.start()
    assert "chmod go-w" in d.source("one")["error"]
    (more / "source_drop.so").chmod(0o644)
    d.until(lambda: d.source("one")["state"] == "ok", 10, "it works again")
    assert polled(d) == {"dropped 1"}


def test_a_folder_that_is_left_takes_its_plugins_along(dropin, made):  # noqa: F811
    d = dropin
    more = d.folder / "more"
    more.mkdir()
    allowed(d, made, more)
    d.settings["plugins"] = [str(d.plugins)]
    d.write()
    d.courant("reload")
    d.until(lambda: d.source("one")["state"] == "waiting", 10, "its source waits")
    put(d.plugins, made["update"], "source_drop.so")
    d.until(lambda: "dropped 2" in titles(d), 10, "the name is free")
    d.settings["plugins"] = [str(more), str(d.plugins)]
    d.write()
    d.courant("reload")
    d.wait_log(rf"warning: {more}/source_drop\.so: refused: {d.plugins}/source_drop\.so comes first")
    assert polled(d) == {"dropped 1", "dropped 2"}
    assert shown(d, more / "source_drop.so")["state"] == "behind"


NAMES = ["drop.so", "Source_drop.so", "source_Drop.so", "source_dr\u00f6p.so", "source_dr\u043ep.so", "source_.so",
         "source_drop.v2.so", "source-drop.so", "sourcedrop.so", "source_1drop.so", "sources_drop.so", "_source_drop.so",
         "source_drop .so", " source_drop.so", "source_drop\n.so", "source_" + "d" * 33 + ".so", "evil_drop.so"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_file_with_another_name_is_no_plugin(dropin, made, name):  # noqa: F811
    d = dropin
    path = put(d.plugins, made["drop"], name)
    said = "is no name of a plugin's file: it is called source_NAME.so, filter_NAME.so or sink_NAME.so"
    d.wait_log(f"warning: .*{re.escape(said)}")
    assert shown(d, path)["state"] == "refused" and said in shown(d, path)["reason"]
    assert d.source("one")["state"] == "waiting"
    for command in (["plugins", path], ["parse", "--plugin", path, d.conf]):
        done = subprocess.run([program("courant"), "-s", "/nonexistent", *command], capture_output=True)
        assert done.returncode == 1 and said in (done.stdout + done.stderr).decode(), (command, done)
    code, text = d.run("-n")
    assert code == 1 and said in text, text


def test_commands_refuse_a_plugin_that_calls_itself_otherwise(made, tmp_path):
    path = put(tmp_path, made["other"], "source_drop.so")
    (tmp_path / "page").write_text("x")
    for command in (["plugins", path], ["parse", "--plugin", path, tmp_path / "page"],
                    ["filter", "--plugin", put(tmp_path, made["filter"], "filter_other.so")]):
        done = subprocess.run([program("courant"), "-s", "/nonexistent", *command], capture_output=True,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 1 and b"it calls itself" in done.stdout + done.stderr, (command, done)
