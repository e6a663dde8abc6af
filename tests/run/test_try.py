"""`courant filter` and `courant fetch`: plugins tried on real data, with nothing stored."""
import json
import shutil
import subprocess

import pytest

from courant import BUILD, SLOW, folder, program

FLOOR = BUILD / "tests" / "plugins" / "filter_floor.so"
PROBE = BUILD / "tests" / "plugins" / "filter_probe.so"


def courant(*arguments, text=None):
    return subprocess.run([program("courant"), *map(str, arguments)], input=text,
                          capture_output=True, text=True, timeout=60 * SLOW)


@pytest.fixture
def work():
    where = folder("try-")
    yield where
    shutil.rmtree(where)


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def record(n, **more):
    return {"id": f"{n:026}", "schema": 1, "source": "s", "title": f"T {n}",
            "link": f"https://example.org/{n}", "published": "2024-01-02T03:04:05Z",
            "authors": [{"name": "A", "mail": "a@example.org"}], "categories": ["x", "y"],
            "summary": "<p>s</p>", "enclosures": [{"url": "https://example.org/a.mp3", "size": 3}],
            "extras": {"e": "f"}, "numbers": {"n": 0.5}, "counters": {"votes": n}, **more}


def jsonl(*records):
    return "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in records)


def test_filter_prints_what_is_kept_unchanged(work):
    (work / "in.jsonl").write_text(jsonl(*(record(n) for n in range(1, 1201))))
    done = courant("filter", "--plugin", FLOOR, "-o", "of=votes", "-o", "least=700", work / "in.jsonl")
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout) == [record(n) for n in range(700, 1201)]


def test_filter_says_why_of_all():
    done = courant("filter", "--plugin", FLOOR, "-o", "of=votes", "-o", "least=2", "--why", "-",
                   text=jsonl(record(1), record(2)))
    assert done.returncode == 0, done.stderr
    assert [(v["verdict"], v["why"], v["title"]) for v in lines(done.stdout)] == [
        ("wait", "votes is 1, below 2", "T 1"), ("keep", "votes is 2", "T 2")]


def test_filter_prints_what_the_filter_changed():
    done = courant("filter", "--plugin", PROBE, text=jsonl(record(11)))
    kept, = lines(done.stdout)
    assert kept["title"] == "[x] changed" and kept["extras"] == {"e": "f", "why": "because"}
    assert kept["link"] == "https://example.org/elsewhere" and "summary" not in kept


def test_filter_skips_a_bad_line_says_where_and_goes_on():
    done = courant("filter", "--plugin", PROBE, text="\n" + jsonl(record(7)) + "{\n[1]\n" + jsonl(record(8)))
    assert done.returncode == 1
    assert [r["title"] for r in lines(done.stdout)] == ["T 7", "T 8"]
    assert "-:3: skipped" in done.stderr and "-:4: skipped: no JSON object" in done.stderr


def test_filter_names_wrong_options_and_plugins(work):
    done = courant("filter", "--plugin", FLOOR, "-o", "off=votes", text="")
    assert done.returncode == 1 and "off" in done.stderr and "did you mean `of`" in done.stderr
    assert "has to be given" in done.stderr
    done = courant("filter", "nothing_like_it", text="")
    assert done.returncode == 1 and "no filter named nothing_like_it" in done.stderr
    done = courant("filter", "--plugin", BUILD / "plugins" / "source_feed.so", text="")
    assert done.returncode == 1 and "is a source, and no filter" in done.stderr
    assert courant("filter").returncode == 2


def test_filter_reads_an_option_from_a_file(work):
    (work / "of").write_text("votes\n")
    done = subprocess.run([program("courant"), "filter", "--plugin", str(FLOOR), "-o", "of_file=of",
                           "-o", "least=2"], input=jsonl(record(1), record(2)), cwd=work,
                          capture_output=True, text=True, timeout=60 * SLOW)
    assert [r["title"] for r in lines(done.stdout)] == ["T 2"], done.stderr


def test_filter_that_crashes_is_told_and_ends_it():
    done = courant("filter", "--plugin", BUILD / "tests" / "evil" / "filter_crash.so",
                   text=jsonl(record(1, title="poison")))
    assert done.returncode == 1 and "the worker died" in done.stderr, done
