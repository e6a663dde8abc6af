"""contrib/mutants: which faults it makes of a file's text, and that it judges one by the tests."""
import importlib.machinery
import importlib.util
import re
import subprocess

import pytest

from courant import TREE

SCRIPT = TREE / "contrib" / "mutants"


@pytest.fixture(scope="module")
def mutants():
    loader = importlib.machinery.SourceFileLoader("mutants", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutants", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("line, kind, to", [
    ("\tif (a < b)", "comparison", ["\tif (a <= b)"]),
    ("\treturn a == b;", "comparison", ["\treturn a != b;"]),
    ("\treturn p->next >> 3;", "comparison", []),
    ("\treturn n + 10;", "constant", ["\treturn n + 11;"]),
    ("\treturn 1;", "constant", ["\treturn 0;"]),
    ("\tmode = 0177;", "constant", ["\tmode = 0200;"]),
    ("\tx1 = y.z2;", "constant", []),
    ("\tstore_write(s, f(a));", "missing call", ["\t;"]),
    ("\tbuf_free(&b);", "missing call", []),
    ("\tlog_warn(\"x\");", "missing call", []),
    ("\tcopy(to, from, n);", "swapped arguments", ["\tcopy(from, to, n);"]),
    ("\tadd(a, a);", "swapped arguments", []),
    ("\tif (f(a) && (b)) {", "inverted condition", ["\tif (!(f(a) && (b))) {"]),
    ("\tif (c(')'))", "inverted condition", ["\tif (!(c(')')))"]),
    ("\treturn !done;", "dropped negation", ["\treturn done;"]),
    ("\treturn a != b;", "dropped negation", []),
    ("\treturn a && b;", "and, or", ["\treturn a || b;"]),
    ("\treturn \"a < 1 && !b\"; /* c == 2 */", None, []),
    ("#if X == 1 && !Y", None, []),
])
def test_a_line_gives_the_faults_of_its_kind(mutants, line, kind, to):
    found = mutants.faults_of("core/x.c", f"int\nf(void)\n{{\n{line}\n}}\n")
    assert [f.new for f in found if kind in (None, f.kind)] == to
    assert all(f.line == 4 for f in found)


def test_comments_over_several_lines_give_none(mutants):
    assert mutants.faults_of("core/x.c", "/* a\n\tif (a < 1)\n */\n\t/* b\n\t   x = 1; */\n") == []


def run(*arguments):
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_seed_draws_the_same_faults_again_of_every_kind(mutants):
    first, again, other = (run("--list", "--random", "21", "--seed", s).stdout for s in ("5", "5", "6"))
    assert first == again != other and first.startswith("seed 5, 21 of ")
    for kind, _, _ in mutants.KINDS:
        assert first.count(f": {kind}: ") == 3, kind


def test_files_are_found_by_their_names_wherever_they_are(mutants):
    name = next(p for p in mutants.sources() if [q.name for q in mutants.sources()].count(p.name) == 1)
    by_name, by_path = run("--list", name.name), run("--list", str(TREE / name))
    assert by_name.stdout == by_path.stdout != ""
    assert re.match(rf"{name}:\d+: ", by_name.stdout)
    assert "is no file" in run("--list", "nowhere.c").stderr
    assert run().returncode == 2


def test_a_fault_that_changes_nothing_can_be_left_out(mutants, monkeypatch, tmp_path):
    line = "url.c: if (n > 0) ==> if (n >= 0)"
    same = tmp_path / "same"
    same.write_text(f"# no list is empty here\n{line}\n\n")
    monkeypatch.setattr(mutants, "SAME", same)
    assert mutants.known_same() == {line}
    found = mutants.faults_of("core/deep/url.c", "\tif (n > 0)\n")
    assert line in [f.key() for f in found]
    for line in (TREE / "contrib" / "mutants.same").read_text().splitlines():
        if line and not line.startswith("#"):
            name = line.partition(":")[0]
            made = {f.key() for p in mutants.sources() if p.name == name
                    for f in mutants.faults_of(p, (TREE / p).read_text())}
            assert line in made, "its line is no more: take it out"
