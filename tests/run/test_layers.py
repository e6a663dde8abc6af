"""contrib/layers holds of the tree, and tells what breaks it."""
import shutil
import subprocess

import pytest

from courant import BUILD, TREE


@pytest.fixture
def house(tmp_path):
    for name in ("core", "plugins"):
        shutil.copytree(TREE / name, tmp_path / name)
    (tmp_path / "contrib").mkdir()
    shutil.copy(TREE / "contrib" / "layers", tmp_path / "contrib")
    return tmp_path


def layers(house, *arguments):
    done = subprocess.run([house / "contrib" / "layers", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def put(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_house_is_in_order(house):
    assert layers(house, BUILD) == (0, "")


BREACHES = [
    ("base/url.c", '#include "url.h"', '#include "url.h"\n#include "ipc/chan.h"', "base may not include ipc/chan.h"),
    ("store/story.c", '#include "story.h"', '#include "story.h"\n#include "serve/serve.h"', "store may not include serve/serve.h"),
    ("daemon/source/stream.c", '#include "stream.h"', '#include "stream.h"\n#include "daemon/route/deliver.h"',
     "daemon/source may not include daemon/route/deliver.h"),
    ("cli/cli.c", "#include <stdio.h>", "#include <stdio.h>\n#include <sqlite3.h>", "<sqlite3.h> belongs to db alone"),
    ("base/buf.c", "#include <stdio.h>", "#include <stdio.h>\n#include <dlfcn.h>", "<dlfcn.h> belongs to"),
    ("serve/reply.c", "/* ", "struct gate {\n\tint\tx;\n};\n/* ", "the name gate holds a word that names nothing"),
    ("store/walk.c", "\n", "\n" * 900, "lines, more than 900"),
]


@pytest.mark.parametrize("file, old, new, told", BREACHES, ids=[str(n) for n in range(len(BREACHES))])
def test_what_breaks_a_rule_is_told(house, file, old, new, told):
    put(house / "core" / file, old, new)
    status, said = layers(house)
    assert status == 1 and said.startswith(f"core/{file}:") and told in said, said


def test_a_plugin_includes_nothing_of_core(house):
    (house / "plugins" / "x.c").write_text('#include "../core/base/buf.h"\n')
    status, said = layers(house)
    assert status == 1 and "a plugin knows courant/plugin.h" in said


@pytest.mark.parametrize("old, new, told", [
    ('    "serve": ["base", "ipc", "record", "db"],', '    "serve": ["base", "ipc", "record"],', "serve may not use reader_"),
    ('    "fetch": ["base", "ipc"],', '    "fetch": ["ipc"],', "fetch may not use "),
])
def test_symbols_are_held_against_the_table(house, old, new, told):
    put(house / "contrib" / "layers", old, new)
    status, said = layers(house, BUILD)
    assert status == 1 and told in said, said


def test_a_circle_is_told_with_its_files(house, tmp_path):
    """Two objects that call each other, in the place of two files' own."""
    build = tmp_path / "build"
    for name, calls in (("date", "mem_far"), ("mem", "date_far")):
        (build / "core" / "base").mkdir(parents=True, exist_ok=True)
        source = tmp_path / f"{name}.c"
        source.write_text(f"void {calls}(void);\nvoid {name}_far(void);\nvoid {name}_far(void) {{ {calls}(); }}\n")
        subprocess.run(["cc", "-c", source, "-o", build / "core" / "base" / f"{name}.o"], check=True)
    status, said = layers(house, build)
    assert status == 1
    assert "2 files call each other in a circle: core/base/date.c, core/base/mem.c" in said


def test_a_header_declares_what_the_file_of_its_name_defines(house):
    put(house / "core" / "base" / "mem.h", "#endif", "const char\t*date_http(char *out, long ms);\n#endif")
    status, said = layers(house, BUILD)
    assert status == 1 and "core/base/mem.h" in said and "declares date_http(), which core/base/date.c defines" in said
