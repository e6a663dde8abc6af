"""A plugin in C++: the contract compiles there, its options are checked, and the daemon runs it."""
import json
import shutil
import subprocess

import pytest

from courant import SLOW, TREE, folder, program

if not shutil.which("g++"):
    pytest.skip("g++ is not installed", allow_module_level=True)

PLUGIN = r"""
#include <courant/plugin.h>
#include <map>
#include <stdexcept>
#include <string>

namespace {
struct options { const char *mark; int64_t most; int loud; double part; const char *const *words; };

const struct cr_option table[] = {
	CR_OPTION(options, mark, STRING, "plain", NULL, "put before each title"),
	CR_OPTION(options, most, INT, "10", "1..100", "records at most"),
	CR_OPTION(options, loud, BOOL, "no", NULL, "with an exclamation mark"),
	CR_OPTION(options, part, NUMBER, "0.5", NULL, "unused"),
	CR_OPTION(options, words, LIST, "", NULL, "unused"),
	CR_END
};

int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	const options *o = static_cast<const options *>(opts);
	std::map<int, std::string> lines;
	std::string text(page->body, page->len);

	try {
		for (int i = 0; !text.empty() && i < o->most; i++) {
			lines[i] = text.substr(0, text.find('\n'));
			if (lines[i] == "throw")
				throw std::runtime_error("thrown");
			text.erase(0, lines[i].size() + 1);
		}
	} catch (const std::exception &e) {
		return cr->fail(cr, CR_BAD_DATA, "caught: %s", e.what());
	}
	for (const auto &line : lines) {
		struct cr_record *r = cr->record(cr, line.second.c_str());

		cr->set(r, CR_TITLE, (std::string(o->mark) + " " + line.second +
		    (o->loud ? "!" : "")).c_str());
		cr->emit(cr, r);
	}
	return lines.size() < 3 ? 0 : cr->fetch(cr, CR_GET("https://example.org/more"));
}
}

const struct cr_plugin cr_plugin_v1 = { CR_PLUGIN, .needs = 0, .name = "plus", .version = "1",
	.help = "lines, in C++", .options = table, .options_size = sizeof(options), .parse = parse };
"""


@pytest.fixture
def where():
    path = folder("cplusplus-")
    (path / "plus.cc").write_text(PLUGIN)
    yield path
    shutil.rmtree(path)


def build(where, *more, compiler="g++", std="gnu++17"):
    return subprocess.run(
        [compiler, f"-std={std}", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
         f"-I{TREE}/include", "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,-z,defs", *more,
         "-o", str(where / "source_plus.so"), str(where / "plus.cc")],
        capture_output=True, text=True, timeout=120 * SLOW)


@pytest.mark.parametrize("compiler, std", [("g++", "gnu++17"), ("g++", "c++17"), ("g++", "c++20"),
                                           ("clang++", "c++20"), ("clang++", "gnu++17")])
def test_the_contract_compiles_as_cplusplus(where, compiler, std):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    more = ["-Wno-c++20-designator"] if compiler == "clang++" else []
    done = build(where, *more, compiler=compiler, std=std)
    assert done.returncode == 0, done.stderr


def test_a_member_of_another_type_than_its_option_does_not_compile(where):
    text = PLUGIN.replace("int64_t most;", "int most;")
    (where / "plus.cc").write_text(text)
    assert build(where).returncode != 0


def test_a_plugin_in_cplusplus_runs_in_the_sandbox(where):
    assert build(where).returncode == 0
    (where / "page").write_text("one\ntwo\nthree\n")
    (where / "bad").write_text("one\nthrow\n")
    plugin = ["--plugin", str(where / "source_plus.so")]

    def parse(*arguments):
        done = subprocess.run([program("courant"), "parse", *plugin, *arguments], capture_output=True,
                              timeout=60 * SLOW)
        return json.loads(done.stdout)

    said = parse("-o", "mark=great", "-o", "loud=yes", str(where / "page"))
    assert [e["title"] for e in said["entries"]] == ["great one!", "great two!",
                                                      "great three!"], said
    assert said["requests"][0]["url"] == "https://example.org/more"
    assert "caught: thrown" in parse(str(where / "bad"))["error"]


def test_a_plugin_in_cplusplus_is_dropped_in(where, daemon, origin):
    assert build(where).returncode == 0
    (where / "plus.cc").unlink()
    d = daemon({"s": {"plugin": "plus", "url": origin.put("f", b"one\ntwo\n"), "every": "1 h"}},
               {"all": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.settings["plugins"] = [str(where)]
    d.write()
    d.start()
    assert {r["title"] for r in d.until_lines(2)} == {"plain one", "plain two"}
