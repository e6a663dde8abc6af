"""The guard of the plugin contract: growth passes, everything else is found."""
import re
import shutil
import subprocess

import pytest

from courant import TREE, folder

HEADER = (TREE / "include" / "courant" / "plugin.h").read_text()

if not shutil.which("abidiff"):
    pytest.skip("abidiff (abigail-tools) is not installed", allow_module_level=True)

# What is done to the header: (a line of it, what stands there instead).
GROWTH = {
    "member": (r"(\tint\t\t nth;.*\n)", r"\1\tint64_t\t\t more;\n"),
    "function": (r"(?s)(\nstruct cr \{.*?)(\n\};)", r"\1\n\tint\t(*more)(struct cr *);\2"),
    "callback": (r"(\tint\t\(\*request\).*\n)", r"\1\tint\t(*more)(struct cr *, void *);\n"),
    "enumerator": (r"(\tCR_GONE\t.*\n)", r"\tCR_NEWER\t= 6,\n\1"),
}
BREACH = {
    "reordered": (r"(\tconst char\t\*type;.*\n)(\tconst char\t\*charset;.*\n)", r"\2\1"),
    "functions reordered": (r"(\tint\t\(\*set_number\).*\n)(\tint\t\(\*set_counter\).*\n)",
                            r"\2\1"),
    "value": (r"CR_RIGHTS\t= 20", "CR_RIGHTS = 30"),
    "enumerator removed": (r"\tCR_EXEC\t.*\n", ""),
    "member removed": (r"\tint64_t\t\t when;.*\n", ""),
    "renamed": (r"\*charset;", "*encoding;"),
    "other type": (r"int64_t\t\t when;", "double\t\t when;"),
    "in the middle": (r"(\tconst char\t\*charset;.*\n)", r"\1\tint64_t\t\t more;\n"),
    "into padding": (r"(\tint\t\t nth;.*\n)", r"\1\tint\t\t more;\n"),
    "other parameter": (r"int\t\(\*next\)\(struct cr \*, const char \*url\)",
                        "int\t(*next)(struct cr *, long url)"),
}


def guard(change=None):
    where = folder("abi-")
    try:
        text, times = re.subn(change[0], change[1], HEADER, count=1) if change else (HEADER, 1)
        assert times == 1, f"no such line in the header: {change[0]}"
        (where / "plugin.h").write_text(text)
        return subprocess.run([TREE / "contrib" / "abi", where / "plugin.h"], capture_output=True,
                              text=True, timeout=60)
    finally:
        shutil.rmtree(where)


def test_the_contract_is_that_of_the_last_release_or_has_grown():
    done = subprocess.run([TREE / "contrib" / "abi"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_header_by_its_name_is_compared_as_well():
    assert guard().returncode == 0


@pytest.mark.parametrize("what", GROWTH)
def test_growth_passes(what):
    done = guard(GROWTH[what])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("what", BREACH)
def test_a_breach_is_found(what):
    done = guard(BREACH[what])
    assert done.returncode == 1 and "broken" in done.stdout, done.stdout + done.stderr
