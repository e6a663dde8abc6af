"""The rules of source plugins, one small document each: tests/golden/NAME (of feed) and
tests/golden/PLUGIN/NAME with what `courant parse` has to print for it in NAME.expect, HTTP headers in
NAME.headers where these matter, and options in NAME.options, one NAME=VALUE a line.

An expectation names only what its rule is about: each member has to be there with that value, null means
absent, lists have to be as long as they say."""
import json
import os
import pathlib
import subprocess

import pytest

import courant

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
CASES = sorted(p.with_suffix("") for p in GOLDEN.glob("*.expect"))


def program():
    """The courant that is tested: COURANT, else that of the build."""
    return os.environ.get("COURANT") or courant.program("courant")


@pytest.fixture(scope="module")
def printed():
    """What courant prints for all documents, by their path: one run for all."""
    lines = "".join(f"{p}\t{headers(p)}\n" for p in CASES)
    done = subprocess.run([program(), "parse", "--batch"], input=lines.encode(),
                          stdout=subprocess.PIPE, timeout=120, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(CASES), "one line for each document"
    return dict(zip(CASES, told))


def parse(*arguments):
    """What it prints for one document."""
    return told_by("parse", *arguments)


def told_by(*arguments, text=None):
    """What it prints for one document; it ends with 1 when it could not read that."""
    done = subprocess.run([program(), *map(str, arguments)], input=text, stdout=subprocess.PIPE,
                          timeout=60, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == int("error" in told)
    return told


def headers(path):
    name = path.with_name(path.name + ".headers")
    return str(name) if name.exists() else "-"


def differences(wanted, got, where=""):
    """Where `got` is not what is wanted, one line each."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [line for name, value in wanted.items()
                for line in differences(value, got.get(name), f"{where}.{name}")]
    if isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            return [f"{where}: {len(got)} instead of {len(wanted)}: {got!r}"]
        return [line for i, value in enumerate(wanted)
                for line in differences(value, got[i], f"{where}[{i}]")]
    return [] if wanted == got else [f"{where}: {got!r} instead of {wanted!r}"]


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.name)
def test_golden(printed, path):
    wanted = json.loads(path.with_name(path.name + ".expect").read_text(encoding="utf-8"))
    wrong = differences(wanted, printed[path])
    assert not wrong, "\n".join(wrong)


OTHERS = sorted(p.with_suffix("") for p in GOLDEN.glob("*/*.expect"))


@pytest.mark.parametrize("path", OTHERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_golden_of_other_plugins(path):
    arguments = ["--plugin", courant.BUILD / f"plugins/source_{path.parent.name}.so"]
    options = path.with_name(path.name + ".options")
    if options.exists():
        arguments += [x for line in options.read_text(encoding="utf-8").splitlines()
                      for x in ("-o", line)]
    told = told_by("parse", *arguments, "--batch", text=f"{path}\t{headers(path)}\n".encode())
    wanted = json.loads(path.with_name(path.name + ".expect").read_text(encoding="utf-8"))
    wrong = differences(wanted, told)
    assert not wrong, "\n".join(wrong)


def entry(text):
    return f"<rss version='2.0'><channel>{text}</channel></rss>"


LIMITS = [
    ("attributes=10", entry("<item " + " ".join(f"a{i}='0'" for i in range(11)) + "/>"), 0,
     "refused: a tag has more than 10 attributes (option attributes)"),
    ("depth=16", entry("<item/>" + "<a>" * 20 + "</a>" * 20), 1,
     "elements nested deeper than 16 (option depth)"),
    ("entries=2", entry("<item/>" * 5), 2,
     "3 entries beyond the first 2 left out (option entries)"),
    ("names=1000", entry("<item/>" + "".join(f"<a{i}/>" for i in range(20000))), 1,
     "more than 1000 different names (option names)"),
    ("entries=2", json.dumps({"version": "https://jsonfeed.org/version/1", "title": "t",
                              "items": [{"id": str(i)} for i in range(5)]}), 2,
     "3 entries beyond the first 2 left out (option entries)"),
]


@pytest.mark.parametrize("option,text,entries,why", LIMITS, ids=lambda v: str(v)[:12])
def test_a_limit_names_its_option(tmp_path, option, text, entries, why):
    document = tmp_path / "document"
    document.write_text(text, encoding="utf-8")
    told = parse("-o", option, document)
    assert len(told["entries"]) == entries
    assert told.get("error", told.get("partial")) == why


def test_a_text_is_cut_between_characters(tmp_path):
    document = tmp_path / "document"
    document.write_text(entry("<item><description>" + "\u00fc" * 3000 + "</description></item>"),
                        encoding="utf-8")
    told = parse("-o", "field=1 kB", document)
    assert told["entries"][0]["summary"] == "\u00fc" * 500


def test_a_difference_shows():
    assert differences({"a": [{"b": 1}]}, {"a": [{"b": 2}]}) == [".a[0].b: 2 instead of 1"]
    assert differences({"a": None}, {"a": 1}) and not differences({"a": None}, {})
    assert differences({"a": [1]}, {"a": [1, 2]})
