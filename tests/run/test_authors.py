"""What authors of plugins get: the installed headers and courant.pc, the plugins of contrib/hello."""
import os
import re
import shlex
import shutil
import subprocess

import pytest

from courant import BUILD, SANITIZED, TREE, folder, program

HELLO = TREE / "contrib" / "hello"
SHIPPED = ("source_changes", "filter_brief")
STRICT = ("-std=c17 -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes "
          "-Wpointer-arith -Wformat=2 -Werror").split()
SAMPLE = "# Log\n\n## Unreleased\n- soon\n\n## 1.1 - 2024-11-21\n- a\n\n## 1.0 - 2024-10-01\n- b\n"


def run(*command, where=None, **more):
    done = subprocess.run([str(c) for c in command], cwd=where, capture_output=True, timeout=120,
                          text=True, **more)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def make(where, *arguments, **more):
    """Without what the tests' own make left in the environment."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return run("make", "-C", where, *arguments, env={**env, **more})


@pytest.fixture(scope="module")
def installed():
    """The headers and courant.pc as `make install` puts them, in a folder of their own."""
    root = folder("authors-")
    make(BUILD, "-s", f"DESTDIR={root}", "install-courantincludeHEADERS", "install-pkgconfigDATA")
    pc = next(root.rglob("courant.pc"))
    yield {"PKG_CONFIG_PATH": str(pc.parent), "PKG_CONFIG": "pkg-config --define-prefix"}
    shutil.rmtree(root)


def asked(installed, *what):
    return run(*installed["PKG_CONFIG"].split(), *what, "courant",
               env={**os.environ, **installed}).strip()


@pytest.fixture
def work():
    where = folder("authors-")
    yield where
    shutil.rmtree(where)


def copied(name, work):
    """A plugin of contrib/hello, as an author copies it."""
    return shutil.copytree(HELLO / name, work / name)


def test_pkg_config_names_headers_plugin_folder_and_version(installed):
    include = asked(installed, "--variable=includedir")
    assert f"-I{include}" in asked(installed, "--cflags").split()
    assert os.path.isfile(f"{include}/courant/plugin.h")
    assert os.path.isfile(f"{include}/courant/fakehost.h")
    assert asked(installed, "--variable=plugindir").endswith("/courant/plugins")
    assert asked(installed, "--modversion") == run(program("courant"), "-V").split()[1]


@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize("name", SHIPPED)
def test_hello_builds_and_passes_its_test_against_the_installed_headers(installed, work, name, cc):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not installed")
    where = copied(name, work)
    make(where, "all", "check", f"CC={cc}", f"PKG_CONFIG={installed['PKG_CONFIG']}",
         PKG_CONFIG_PATH=installed["PKG_CONFIG_PATH"])
    assert (where / f"{name}.so").is_file()
    root = work / "root"
    make(where, "install", f"DESTDIR={root}", f"PKG_CONFIG={installed['PKG_CONFIG']}",
         PKG_CONFIG_PATH=installed["PKG_CONFIG_PATH"])
    there = next(root.rglob("*.so"))
    assert there.stat().st_mode & 0o777 == 0o644 and there.parent.name == "plugins"


def test_a_test_of_hello_fails_when_its_plugin_is_wrong(installed, work):
    where = copied("filter_brief", work)
    code = (where / "filter_brief.c").read_text()
    assert "CR_DROP : CR_KEEP" in code
    (where / "filter_brief.c").write_text(code.replace("CR_DROP : CR_KEEP", "CR_KEEP : CR_KEEP"))
    done = subprocess.run(["make", "-C", where, "check", f"PKG_CONFIG={installed['PKG_CONFIG']}"],
                          capture_output=True, env={**os.environ, **installed})
    assert done.returncode != 0 and b"Assert" in done.stdout + done.stderr


def test_hello_stays_small():
    lines = (HELLO / "source_changes" / "source_changes.c").read_text().splitlines()
    assert len(lines) <= 40 and max(len(line.expandtabs(8)) for line in lines) <= 100


def test_headers_need_no_other_and_no_extension(installed, work):
    """Each by itself, under -Wpedantic but for what plugin.h says by __typeof__ and attributes."""
    include = asked(installed, "--variable=includedir")
    for cc in filter(shutil.which, ("gcc", "clang")):
        for header in ("plugin.h", "fakehost.h"):
            run(cc, *STRICT, "-Wpedantic", f"-I{include}", "-fsyntax-only", "-x", "c", "-",
                input=f"#include <courant/{header}>\nint main(void) {{ return 0; }}\n")


def test_plugin_h_can_be_included_from_cplusplus(installed):
    cxx = shutil.which("g++") or shutil.which("clang++")
    if not cxx:
        pytest.skip("neither g++ nor clang++ is installed")
    run(cxx, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
        f"-I{asked(installed, '--variable=includedir')}", "-x", "c++", "-",
        input="#include <courant/plugin.h>\nint main() { return 0; }\n")


def test_hello_parses_in_its_sandbox(work):
    if SANITIZED:
        pytest.skip("a plugin without sanitizers")
    where = copied("source_changes", work)
    make(where, f"COURANT_INCLUDE={TREE / 'include'}")
    (work / "CHANGELOG.md").write_text(SAMPLE)
    said = run(program("courant"), "parse", "--plugin", where / "source_changes.so",
               work / "CHANGELOG.md")
    assert '"1.1 - 2024-11-21"' in said and "Unreleased" not in said
    readme = (TREE / "contrib" / "hello" / "README.md").read_text()
    shown = re.search(r"courant parse (.*?\\\n.*?)\n", readme).group(1).replace("\\\n", " ")
    said = run(program("courant"), "parse", *shlex.split(shown.replace("./", f"{where}/")), where=work)
    assert "Unreleased" in said and '"link": "https://example.org/CHANGELOG.md"' in said
    said = run(program("courant"), "plugins", where / "source_changes.so")
    assert "changes" in said and "unreleased" in said


def samples():
    """The programs of courant-plugin(7), as its reader sees them."""
    page = (TREE / "core" / "worker" / "courant-plugin.7").read_text()
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", page, re.M | re.S)
    return [b.replace("\\e", "\\") for b in blocks if b.startswith("#include")]


def test_every_sample_of_the_manual_compiles_and_its_first_passes_its_test(installed, work):
    include = f"-I{asked(installed, '--variable=includedir')}"
    found = samples()
    assert len(found) >= 5
    for n, code in enumerate(found):
        (work / f"{n}.c").write_text(code)
        if "int\nmain(void)" in code:
            run("cc", *STRICT, include, "-o", "test", f"{n}.c", "0.c", where=work)
            run(work / "test", where=work)
            continue
        kind = "filter" if ".filter =" in code else "sink" if ".deliver =" in code else "source"
        name = re.search(r'\.name = "(\w+)"', code)[1]
        plugin = f"{kind}_{name}.so"
        run("cc", *STRICT, include, "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,-z,defs",
            "-o", plugin, f"{n}.c", where=work)
        if not SANITIZED:
            assert "refused" not in run(program("courant"), "plugins", work / plugin)
    assert (work / "test").is_file()
