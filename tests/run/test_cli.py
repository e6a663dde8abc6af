"""The command-line tool: parse, its batch mode, plugins, status."""
import json
import re
import shutil
import subprocess

import pytest

from courant import BUILD, SLOW, program, folder, numbered, rss
from test_path import ATOM, EVERYTHING, FORMATS, sources


def courant(*arguments, text=None):
    return subprocess.run([program("courant"), *arguments], input=text, capture_output=True,
                          timeout=60 * SLOW)


@pytest.fixture
def files():
    where = folder()
    for name, (body, kind) in FORMATS.items():
        (where / name).write_text(body)
        (where / f"{name}.headers").write_text(
            f"Content-Type: {kind}\nX-Feed-URL: http://example.org/feeds/{name}\n")
    yield where
    import shutil
    shutil.rmtree(where)


@pytest.mark.parametrize("name", FORMATS)
def test_parse_prints_a_file_in_the_record_model(files, name):
    done = courant("parse", str(files / name))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["format"] == name
    assert [e["title"] for e in found["entries"]] == ["First & foremost", "Second"]


def test_parse_batch_answers_each_line_in_order_and_goes_on_after_a_bad_one(files):
    (files / "bad").write_text("<html><body>no feed</body></html>")
    names = ["rss20", "bad", "json", "atom10"]
    lines = "".join(f"{files / n}\t{files / n}.headers\n" if n != "bad" else f"{files / n}\t-\n"
                    for n in names) + f"{files}/missing\t-\n"
    done = courant("parse", "--batch", text=lines.encode())
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 5, done
    assert [f.get("format") for f in found][0::2][:2] == ["rss20", "json"]
    assert found[1]["error"] and found[4]["error"]
    assert found[0]["entries"][0]["link"] == "http://example.org/a"
    assert found[3]["format"] == "atom10"


def test_parse_of_a_file_that_is_no_feed_fails_and_says_why(files):
    (files / "bad").write_text("hello")
    done = courant("parse", str(files / "bad"))
    assert done.returncode != 0 or json.loads(done.stdout)["error"]


def test_plugins_lists_what_came_with_it(daemon):
    d = daemon({}, {}).start()
    said = d.courant("plugins").stdout.decode()
    for name in ("feed", "jsonl"):
        assert name in said, said


def test_plugins_tells_what_the_daemon_runs_and_all_about_one(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": url, "two": url}), EVERYTHING).start()
    said = d.courant("plugins").stdout.decode()
    assert re.search(r"^source_feed 1: .*\n    running\n    used by 2 sources: one, two\n    /.*"
                     r"source_feed.so\n    sha256 [0-9a-f]{64}, for version 1\.\d+ ", said, re.M), said
    assert re.search(r"^sink_jsonl .*\n    running\n    used by 1 route: everything\n", said, re.M)
    whole = d.courant("plugins", "webhook", "source_feed").stdout.decode()
    for text in ("needs version 1.", "does deliver, check\n", "takes records\n",
                 "wants http (granted), secrets (granted)\n", "does parse\n",
                 "    url            URL, has to be given: where to send",
                 "    batch          whole number 1..32, 1 unless given: records"):
        assert text in whole, whole
    told = json.loads(d.courant("plugins", "--json", "jsonl").stdout)
    assert len(told) == 1 and told[0]["state"] == "running" and told[0]["used_by"] == ["everything"]
    assert {o["name"]: o.get("required", False) for o in told[0]["options"]}["path"]
    missing = d.courant("plugins", "feeed", check=False)
    assert missing.returncode == 1 and b"no plugin feeed" in missing.stderr


def test_plugins_tells_what_is_not_granted_and_which_file_is_not_loaded(daemon):
    d = daemon({}, {})
    d.settings = {"plugins": [str(BUILD / "tests" / "plugins")]}
    d.write()
    d.start()
    said = d.courant("plugins", "exec").stdout.decode()
    assert "exec (not granted)" in said and "`allow: [source_exec]`" in said, said
    other = d.folder / "source_feed.so"
    shutil.copy(BUILD / "plugins" / "source_feed.so", other)
    said = d.courant("plugins", str(other)).stdout.decode()
    assert "not in a plugin folder of the daemon" in said and "entries" in said, said


def test_status_is_readable_and_json_is_json(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": url, "two": origin.url("/missing")}), EVERYTHING).start()
    d.until_lines(3)
    d.until(lambda: d.source("two")["error"], 20, "the second failed")
    said = d.courant("status").stdout.decode()
    for word in ("one", "two", "404", "everything", "store"):
        assert word in said, said
    status = d.status()
    assert status["counts"]["records"] == 3
    one = d.source("one")
    assert one["found"] == 3 and one["failures"] == 0
    assert d.source("two")["failures"] >= 1 and "404" in d.source("two")["error"]


def test_without_a_daemon_the_tool_says_so(daemon):
    d = daemon()
    done = d.courant("status", check=False)
    assert done.returncode == 1 and b"admin.sock" in done.stdout + done.stderr


def test_a_misspelt_command_is_refused():
    done = courant("stauts")
    assert done.returncode not in (0, None) and b"status" in done.stderr + done.stdout


def test_refreshing_a_source_that_is_none_is_refused(daemon):
    d = daemon({}, {}).start()
    done = d.courant("refresh", "nobody", check=False)
    assert done.returncode == 1 and b"nobody" in done.stdout + done.stderr
