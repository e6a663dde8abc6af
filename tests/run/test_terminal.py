"""What others wrote never steers the terminal of who reads it, and forges no line: descriptors, records,
errors, file names, what plugins write; through every command, the log, and JSON."""
import json
import os
import shutil
import subprocess
import unicodedata

import pytest

from courant import SLOW, folder, program, rss
from test_plugin_faults import build, run_with

# Each in a C string, and as it must never come out.
SIGNS = {
    "csi": "\x1b[31mred", "osc": "\x1b]0;title\x07", "c1": "\x9b31m", "c1 string": "\x90q\x9c", "del": "a\x7fb",
    "return": "a\rFORGED", "back": "ab\b\bFORGED", "line": "a\nFORGED: line", "separator": "a\u2028FORGED",
    "paragraph": "a\u2029FORGED", "override": "a\u202egnp.exe", "isolate": "a\u2066b\u2069", "mark": "a\u061cb",
    "vertical": "a\x0b\x0cFORGED", "hidden": "a\u200b\u2060\ufeffb",
}
ALL = "".join(SIGNS.values())
STEERING = {"\u061c", "\u180e", "\u200b", "\u200e", "\u200f", "\u2028", "\u2029", *map(chr, range(0x202a, 0x202f)),
            *map(chr, range(0x2060, 0x2070)), "\ufeff", "\ufff9", "\ufffa", "\ufffb"}


def c(text):
    """A C string of the text, and a stray byte that is no UTF-8."""
    return '"' + "".join(f"\\{b:03o}" for b in text.encode()) + '"'


def harmless(out):
    """The output as text; nothing in it steers, and no line is another's."""
    text = out.decode("utf-8", "surrogateescape")
    found = [ch for ch in text if (unicodedata.category(ch) in ("Cc", "Cs") and ch != "\n") or ch in STEERING]
    assert not found, (found, text)
    assert not [line for line in text.split("\n") if line.startswith("FORGED")], text
    return text


def courant(*words, text=None, conf=None):
    done = subprocess.run([program("courant"), *(["-c", str(conf)] if conf else []), *map(os.fsencode, words)],
                          input=text, capture_output=True, timeout=60 * SLOW)
    return done, harmless(done.stdout), harmless(done.stderr)


@pytest.fixture
def where():
    path = folder("plugins-")
    yield path
    shutil.rmtree(path)


SOURCE = """
#include <unistd.h>
static const char signs[] = %s "\\x9b" "31m";
static int parse(struct cr *cr, void *o, const struct cr_page *page)
{
	static const struct cr_request ask = { .url = "https://example.org/", .tag = signs };
	struct cr_record *r = cr->record(cr, signs);
	(void)o, (void)page, (void)ask;
	cr->set(r, CR_TITLE, signs);
	cr->set(r, CR_SUMMARY, signs);
	cr->set(r, CR_LINK, "https://example.org/");
	cr->emit(cr, r);
	%s
}
"""
WRITES = """
__attribute__((constructor)) static void begin(void)
{
	write(1, signs, sizeof(signs) - 1);
	write(2, signs, sizeof(signs) - 1);
}
"""
SHORT = 'const struct cr_plugin cr_plugin_v1 = { CR_PLUGIN, .name = "signs", .version = %s, .help = %s, %s };\n'


def source(where, does, more="", help_=None):
    return build(where, "source_signs", SOURCE % (c(ALL), does) + more +
                 SHORT % ('"1"', c(help_ or "a case"), ".parse = parse"))


@pytest.mark.parametrize("sign", SIGNS)
def test_a_descriptor_with_such_a_text_is_refused(where, sign):
    plugin = source(where, "return 0;", help_=SIGNS[sign])
    for words in (["plugins", plugin], ["plugins", "--json", plugin], ["parse", "--plugin", plugin, "/dev/null"]):
        done, out, err = courant(*words)
        assert done.returncode == 1 and "controls" in out + err, (out, err)


def test_a_plugins_own_output_and_error_are_made_harmless(where):
    (where / "page").write_text("x")
    plugin = source(where, "write(1, signs, sizeof(signs) - 1);\n\twrite(2, signs, sizeof(signs) - 1);\n"
                    "\treturn cr->fail(cr, \"%s\", signs);", WRITES)
    done, out, err = courant("parse", "--plugin", plugin, where / "page")
    assert err.count("\\x1b[31m") >= 2, err
    assert "\\x1b" in json.loads(out)["error"] or "\x1b" in json.loads(out)["error"] or "[31m" in out
    for words in (["plugins", plugin], ["plugins", "--json", plugin]):
        courant(*words)


def test_parse_prints_the_same_text_escaped(where):
    text = "a\u202eb\u2067c\u061cd\u200be"
    (where / "f.xml").write_text(f'<rss><channel><title>T</title><item><title>{text}</title></item></channel></rss>')
    _, out, _ = courant("parse", where / "f.xml")
    title = json.loads(out)["entries"][0]["title"]
    assert title.startswith("a\u202eb\u2067c\u061cd\u200be"), title
    assert "\\u202e" in out and "\\u061c" in out


def test_filter_and_its_reasons_are_escaped(where):
    record = json.dumps({"title": ALL, "id": ALL, "source": ALL})
    _, out, err = courant("filter", "match", "-o", "any=red", text=record.encode() + b"\n" + ALL.encode() + b"\n")
    assert "red" in json.loads(out.splitlines()[0])["title"] if out else err
    courant("filter", "match", "--why", "-o", f"any={ALL}", text=record.encode())


@pytest.mark.parametrize("words", [
    [ALL], [f"--{ALL}"], ["help", ALL], ["plugins", ALL], ["plugins", f"./{ALL}.so"], ["parse", ALL],
    ["parse", "--plugin", f"{ALL}.so", "x"], ["fetch", ALL], ["filter", ALL], ["filter", "match", ALL],
    ["filter", "match", "-o", f"{ALL}=x"], ["filter", "match", "-o", ALL], ["explain", ALL], ["status", f"--{ALL}"],
    ["refresh", ALL], ["resume", ALL], ["drop", "--output", ALL], ["fetch", "feed", "--url", ALL],
    ["parse", "--batch", "-o", ALL]], ids=lambda w: w[0] if w[0].isalpha() else "command")
def test_a_word_that_somebody_else_chose_is_shown_harmless(daemon, where, words):
    d = daemon().start()
    done, *_ = courant(*[w.replace("\0", "") for w in words], conf=d.conf, text=b"")
    assert done.returncode != 0


def test_records_and_errors_reach_explain_status_and_log_harmless(daemon, origin, where):
    source(where, "return 0;")
    d = run_with(daemon, origin, where, "signs")
    d.until_lines(1)
    guid = d.lines()[0]["guid"]
    for words in (["explain", guid], ["explain", "--json", guid], ["status"], ["status", "--json"], ["plugins"],
                  ["plugins", "signs"], ["plugins", "--json"]):
        done, out, err = courant(*words, conf=d.conf)
        assert done.returncode == 0, (out, err)
    d.stop()


def test_a_failure_reaches_status_and_log_harmless(daemon, origin, where):
    source(where, "return cr->fail(cr, \"%s\", signs);", WRITES)
    d = run_with(daemon, origin, where, "signs")
    d.until(lambda: d.source("signs")["error"], 20, "it failed")
    _, out, _ = courant("status", conf=d.conf)
    assert "[31mred" in out, out
    harmless(d.log().encode("utf-8", "surrogateescape"))


def test_the_check_of_a_configuration_is_harmless(daemon, where):
    text = SOURCE % (c(ALL), "return 0;") + """
static int check(struct cr *cr, const void *o) { (void)o; return cr->fail(cr, "%s", signs); }
""" + SHORT % ('"1"', '"1"', ".parse = parse, .check = check")
    build(where, "source_signs", text)
    d = daemon({"one": {"plugin": "signs", "url": "http://127.0.0.1:9/", "every": "1 h"},
                "two": {"plugin": "a\u202eb"}}, {}, {"plugins": [str(where)]})
    done = subprocess.run([program("courantd"), "-n", "-c", str(d.conf)], capture_output=True, timeout=60 * SLOW)
    assert done.returncode != 0 and "red" in harmless(done.stderr)
    harmless(done.stdout)
