"""What an author or operator is told of a plugin: its lines in the log, its crashes, its libraries, the
machine that it was made for; and what is configured that only comes later."""
import json
import re
import shutil
import struct
import subprocess

import pytest

from smtpd import Smtpd
from courant import BUILD, SANITIZED, SLOW, TREE, folder, numbered, program, rss
from test_path import EVERYTHING

HEAD = "#include <courant/plugin.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"


def descriptor(name, what):
    return (f'const struct cr_plugin cr_plugin_v1 = {{ CR_PLUGIN, .name = "{name}", .version = "1", '
            f'.help = "a case", {what} }};\n')


def build(where, name, text, *more):
    """Compiles where/NAME.so."""
    path = where / f"{name}.c"
    path.write_text(HEAD + text)
    done = subprocess.run(["gcc", "-std=gnu17", "-g", "-O1", f"-I{TREE}/include", "-fPIC", "-shared",
                           "-fno-optimize-sibling-calls", "-o", str(where / f"{name}.so"), str(path),
                           *more], capture_output=True, text=True, timeout=120 * SLOW)
    assert done.returncode == 0, done.stderr
    path.unlink()
    (where / f"{name}.so").chmod(0o644)
    return where / f"{name}.so"


@pytest.fixture
def where():
    path = folder("plugins-")
    yield path
    shutil.rmtree(path)


def with_plugins(d, where, **more):
    d.settings.update(plugins=[str(where)], **more)
    d.write()
    return d


# ---- the log

def test_lines_of_a_worker_name_plugin_and_source(daemon, origin, where):
    build(where, "source_talks", """
static int parse(struct cr *cr, void *o, const struct cr_page *p)
{
	struct cr_record *r = cr->record(cr, "a");
	(void)o, (void)p;
	cr->log(cr, "reads");
	puts("prints");
	cr->set(r, CR_TITLE, "A");
	return cr->emit(cr, r);
}
""" + descriptor("talks", ".parse = parse"))
    build(where, "filter_talks", """
static int filter(struct cr *cr, void *o, struct cr_record *r)
{
	(void)o, (void)r;
	cr->log(cr, "judges");
	return CR_KEEP;
}
""" + descriptor("talks", ".filter = filter"))
    d = daemon({"birds/one": {"plugin": "talks", "url": origin.put("f", b"x"), "every": "1 h"}},
               {"r": {"from": ["*"], "filters": [{"talks": {}}, {"talks": {}}],
                      "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.sources = {"birds": {"plugin": "talks", "each": ["one"], "url": origin.url("/f?{each}"), "every": "1 h"}}
    origin.set("/f?one", body="x")
    with_plugins(d, where).start()
    d.until_lines(1)
    d.wait_log(r"worker\[\d+\]: talks for birds/one says: reads$")
    d.wait_log(r"worker\[\d+\]: talks for birds/one says: prints$")
    d.wait_log(r"worker\[\d+\]: r/filters says: talks#1: judges$")
    d.wait_log(r"worker\[\d+\]: r/filters says: talks#2: judges$")


# ---- what is coming

def test_what_is_coming_is_warned_about_when_it_is_configured(daemon, origin):
    d = daemon({"one": {"plugin": "feed", "url": origin.put("f.xml", rss(numbered(1, 1))), "every": "1 h"}},
               {"r": {"from": ["*"], "filters": [{"match": {"where": ["votes > 3"], "missing": "keep"}}],
                      "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.settings["serve"] = {"listen": "127.0.0.1:0", "metrics": True}
    d.write()
    code, said = d.run("-n")
    assert code == 0 and "good" in said, said
    assert re.search(r"courant.yaml:\d+: warning: serve: metrics: /metrics is coming", said), said
    d.start()
    d.until_lines(1)
    assert d.http("/metrics").status == 404
    d.routes["r"]["filters"] = [{"match": {"where": ["heater > 3"], "missing": "keep"}}]
    d.settings["serve"] = {"listen": "127.0.0.1:0"}
    d.write()
    assert "coming" not in d.run("-n")[1]


def test_mail_is_for_sinks_that_asked_for_it(daemon, origin, where):
    build(where, "sink_letter", """
static size_t deliver(struct cr *cr, void *o, const struct cr_batch *b)
{
	(void)o, (void)b;
	return cr->mail(cr, "a@example.org", "b@example.org", "Subject: x\\r\\n\\r\\n", 16) == 0;
}
""" + descriptor("letter", ".wants = CR_HTTP, .deliver = deliver"))
    d = daemon({"one": {"plugin": "feed", "url": origin.put("f.xml", rss(numbered(1, 1))), "every": "1 h"}},
               {"r": {"from": ["*"], "backlog": "all", "to": {"letter": {}}}})
    with_plugins(d, where).start()
    d.until(lambda: "mails() is not granted: it has to be in `wants`" in d.log(), 20, "it says so")
    assert d.route("r")["sinks"][0]["delivered"] == 0


def test_mail_reaches_the_readers_of_the_batch_once(daemon, origin, where):
    """A sink that would write to others, twice to one, or what is no message."""
    build(where, "sink_letter", """
static size_t deliver(struct cr *cr, void *o, const struct cr_batch *b)
{
	const char *good = "Subject: x\\r\\n\\r\\nbody\\r\\n", *bad = "Subject: x\\n\\nbody\\n";
	struct cr_mail m[3] = { { sizeof(m[0]), 0, good, 20 }, { sizeof(m[0]), 0, good, 20 }, { sizeof(m[0]), 7, good, 20 } };
	struct cr_mail line = { sizeof(line), 0, bad, 17 };

	(void)o;
	cr->log(cr, "other %d", cr->mail(cr, NULL, "eve@example.org", good, 20));
	cr->log(cr, "place %d", cr->mails(cr, &m[2], 1));
	cr->log(cr, "line %d", cr->mails(cr, &line, 1));
	cr->log(cr, "two %d", cr->mails(cr, m, 2));
	cr->log(cr, "one %d", cr->mails(cr, m, 1));
	cr->log(cr, "again %d", cr->mails(cr, m, 1));
	return b->n;
}
""" + descriptor("letter", ".wants = CR_MAIL, .deliver = deliver"))
    with Smtpd() as server:
        d = daemon({"one": {"plugin": "feed", "url": origin.put("f.xml", rss(numbered(1, 1))), "every": "1 h"}},
                   {"r": {"from": ["*"], "to": {"letter": {"to": ["ada@example.org"], "backlog": "all"}}}},
                   {"mail": {"server": server.url, "from": "p@example.org"}, "allow": ["sink_letter"]})
        with_plugins(d, where).start()
        d.until(lambda: "again -1" in d.log(), 20, "all was tried")
        d.settled()
        said = d.log()
        assert all(f"{word} -1" in said for word in ("other", "place", "line", "two", "again")) and "one 1" in said
        (mail,) = server.messages
        assert mail.recipient == "ada@example.org"


# ---- crashes

CRASH = """
static int deep(volatile char *p, int n)
{
	char more[512];
	memset(more, n, sizeof(more));
	return n < 0 ? more[5] : deep(p, n + 1) + more[n & 255];
}

static int __attribute__((noinline)) read_header(const char *how)
{
	volatile char *volatile p = (char *)0x40;
	int (*volatile nowhere)(void) = NULL;
	volatile int zero = 0;

	if (strcmp(how, "write") == 0)
		*p = 1;
	else if (strcmp(how, "library") == 0)
		return (int)strlen((const char *)p);
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "divide") == 0)
		return how[0] / zero;
	else if (strcmp(how, "call") == 0)
		return nowhere() + 1;
	else if (strcmp(how, "deep") == 0)
		return deep(p, 1) + 1;
	return 0;
}

static int parse(struct cr *cr, void *o, const struct cr_page *p)
{
	(void)cr, (void)o;
	return read_header(p->body) + 1;
}
"""
DIED = {
    "write": r"signal 11 \(.*\) at address 0x40 in read_header \(brittle\+0x[0-9a-f]+\), called by parse "
             r"\(brittle\+0x[0-9a-f]+\)",
    "library": r"signal 11 \(.*\) at address 0x40 in \S.* \(libc\.so\.6\+0x[0-9a-f]+\), called by "
               r"read_header \(brittle\+",
    "abort": r"signal 6 \(.*\) in .*called by abort \(libc\.so\.6\+0x[0-9a-f]+\), called by read_header "
             r"\(brittle\+0x[0-9a-f]+\), called by parse ",
    "divide": r"signal 8 \(.*\) in read_header \(brittle\+",
    "call": r"signal 11 \(.*\) at address 0x0 in 0x0, where no code is, called by read_header \(brittle\+",
    "deep": r"signal 11 \(.*\) at address 0x[0-9a-f]+ in .*, called by deep \(brittle\+",
}


@pytest.mark.skipif(SANITIZED, reason="a sanitizer tells of a crash itself")
@pytest.mark.parametrize("how", DIED)
def test_a_crash_shows_its_address_and_functions(daemon, origin, where, how):
    build(where, "source_brittle", CRASH + descriptor("brittle", ".parse = parse"),
          "-fvisibility=hidden")
    d = daemon({"s": {"plugin": "brittle", "url": origin.put("f", how.encode()), "every": "1 h"}}, EVERYTHING)
    with_plugins(d, where).start()
    d.until(lambda: d.source("s")["state"] == "parked", 30, "two workers died of it")
    assert re.search(DIED[how], d.source("s")["error"]), d.source("s")["error"]
    told = d.status()["obituaries"]
    assert told and all(re.search(DIED[how], o["text"]) for o in told), told
    assert re.search(DIED[how], d.log())
    assert "says: crashed" not in d.log()


@pytest.mark.skipif(SANITIZED, reason="a sanitizer tells of a crash itself")
def test_a_crash_of_a_constructor_or_a_stripped_plugin_shows_where(daemon, origin, where):
    build(where, "source_early", """
static void __attribute__((constructor, used)) begin(void) { *(volatile int *)0x44 = 1; }
static int parse(struct cr *cr, void *o, const struct cr_page *p) { (void)cr, (void)o, (void)p; return 0; }
""" + descriptor("early", ".parse = parse"))
    build(where, "source_bare", CRASH + descriptor("bare", ".parse = parse"), "-s", "-fvisibility=hidden")
    d = daemon({"early": {"plugin": "early", "url": origin.put("f", b"write"), "every": "1 h"},
                "bare": {"plugin": "bare", "url": origin.url("/f"), "every": "1 h"}}, EVERYTHING)
    with_plugins(d, where).start()
    d.until(lambda: re.search(r"signal 11 .* at address 0x44 in begin \(", d.source("early")["error"] or ""),
            20, "the constructor is named")
    d.until(lambda: d.source("bare")["state"] == "parked", 30, "two workers died of it")
    assert re.search(r"at address 0x40 in a function \(bare\+0x[0-9a-f]+\), called by a function "
                     r"\(bare\+0x", d.source("bare")["error"]), d.source("bare")["error"]


# ---- libraries that come with a plugin

HELPED = """
const char *help(void);
static int parse(struct cr *cr, void *o, const struct cr_page *p)
{
	struct cr_record *r = cr->record(cr, help());
	(void)o, (void)p;
	cr->set(r, CR_TITLE, help());
	return cr->emit(cr, r);
}
"""


def library(where, says, name="libhelper.so", text="", *more):
    """where/NAME, whose help() says that."""
    source = where / "help.c"
    source.write_text(text or f'const char *help(void); const char *help(void) {{ return "{says}"; }}\n')
    fresh = where / f"{name}.fresh"
    subprocess.run(["gcc", "-fPIC", "-shared", "-o", str(fresh), str(source), *more], check=True,
                   timeout=120 * SLOW)
    source.unlink()
    fresh.chmod(0o755)
    fresh.rename(where / name)
    return where / name


def helped(where, name, folder_, *link):
    build(where, f"source_{name}", HELPED + descriptor(name, ".parse = parse"), "-Wl,-z,defs",
          f"-L{folder_}", *(link or ("-lhelper",)))


def run_with(daemon, origin, where, *names):
    """A daemon with a source of each of these plugins."""
    d = daemon({n: {"plugin": n, "url": origin.put(n, b"x"), "every": "1 h"} for n in names},
               {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}})
    return with_plugins(d, where).start()


def titles(d):
    return {r["source"]: r["title"] for r in d.lines()} if d.out("all.jsonl").exists() else {}


WAYS = {"beside": (".", ["-Wl,-rpath,$ORIGIN"]), "below": ("lib", ["-Wl,-rpath,${ORIGIN}/lib"]),
        "old": (".", ["-Wl,-rpath,$ORIGIN", "-Wl,--disable-new-dtags"]),
        "second": ("lib", ["-Wl,-rpath,/nowhere:$ORIGIN/none:$ORIGIN/lib"]), "absolute": ("/", [])}


@pytest.mark.parametrize("way", WAYS)
def test_a_library_that_comes_with_a_plugin_is_loaded_with_it(daemon, origin, where, way):
    place, link = WAYS[way]
    other = folder("libraries-") if way == "absolute" else where / place
    other.mkdir(exist_ok=True)
    try:
        library(other, f"helped {way}")
        helped(where, "helped", other, "-lhelper", *(link or [f"-Wl,-rpath,{other}"]))
        d = run_with(daemon, origin, where, "helped")
        d.until_lines(1)
        assert titles(d) == {"helped": f"helped {way}"}
        assert not [p for p in d.status()["plugins"] if p["error"]], "the library is no bad plugin"
        (other / "libhelper.so").unlink()       # its copy is what is loaded
        d.refresh("helped")
        assert d.source("helped")["state"] == "ok"
        (page := where / "page").write_text("x")
        library(other, "by hand")
        done = subprocess.run([program("courant"), "parse", "--plugin", str(where / "source_helped.so"),
                               str(page)], capture_output=True, timeout=60 * SLOW)
        assert json.loads(done.stdout)["entries"][0]["title"] == "by hand", done
    finally:
        if way == "absolute":
            shutil.rmtree(other)


def test_libraries_of_libraries_come_too_and_versions_in_names(daemon, origin, where):
    library(where, "deep down", "libdeep.so.2", 'const char *deep(void); const char *deep(void) { return "deep"; }\n',
            "-Wl,-soname,libdeep.so.2")
    (where / "libdeep.so").symlink_to("libdeep.so.2")
    library(where, "", "libhelper.so", "const char *deep(void); const char *help(void);\n"
            "const char *help(void) { return deep(); }\n", f"-L{where}", "-ldeep", "-Wl,-rpath,$ORIGIN")
    helped(where, "helped", where, "-lhelper", "-Wl,-rpath,$ORIGIN")
    d = run_with(daemon, origin, where, "helped")
    d.until_lines(1)
    assert titles(d) == {"helped": "deep"}


def test_two_plugins_have_libraries_of_one_name_and_a_new_one_is_taken(daemon, origin, where):
    for name in ("one", "two"):
        (where / name).mkdir()
        library(where / name, f"help of {name}")
        helped(where, name, where / name, "-lhelper", f"-Wl,-rpath,$ORIGIN/{name}")
    d = run_with(daemon, origin, where, "one", "two")
    d.until_lines(2)
    assert titles(d) == {"one": "help of one", "two": "help of two"}
    library(where / "one", "new help")
    d.courant("reload")
    d.until(lambda: titles(d).get("one") == "new help", 20, "the plugin is taken with its new library")
    assert titles(d)["two"] == "help of two"


def test_a_library_beside_its_plugin_is_watched(daemon, origin, where):
    library(where, "old help")
    helped(where, "helped", where, "-lhelper", "-Wl,-rpath,$ORIGIN")
    d = run_with(daemon, origin, where, "helped")
    d.until_lines(1)
    library(where, "new help")
    d.until(lambda: titles(d).get("helped") == "new help", 20, "without a reload")
    d.courant("reload")
    d.until(lambda: len(list((d.state / "plugins").glob("*.lib"))) == 1, 20, "the old copy is removed")


def test_sinks_and_filters_have_libraries_too(daemon, origin, where):
    library(where, "kept by help")
    build(where, "filter_helped", """
const char *help(void);
static int filter(struct cr *cr, void *o, struct cr_record *r)
{
	(void)o, (void)r;
	return cr->verdict(cr, CR_KEEP, "%s", help());
}
""" + descriptor("helped", ".filter = filter"), f"-L{where}", "-lhelper", "-Wl,-rpath,$ORIGIN")
    d = daemon({"one": {"plugin": "feed", "url": origin.put("f.xml", rss(numbered(1, 1))), "every": "1 h"}},
               {"r": {"from": ["*"], "filters": [{"helped": {}}, {"match": {"any": ["number"]}}],
                      "to": {"jsonl": {"path": "all.jsonl"}}}})
    with_plugins(d, where).start()
    d.until_lines(1)
    assert b"kept by help" in d.courant("explain", "n-1").stdout


def test_a_library_that_cannot_be_loaded_is_told_with_the_rule(daemon, origin, where):
    library(where, "never")
    helped(where, "lost", where)                # no RUNPATH
    library(where, "never", "libopen.so").chmod(0o775)
    helped(where, "open", where, "-lopen", "-Wl,-rpath,$ORIGIN")
    d = run_with(daemon, origin, where, "lost", "open")
    for name, said in (("lost", r"libhelper\.so: cannot open shared object file.*/usr/local/lib.*RUNPATH.*\$ORIGIN"),
                       ("open", r"its library \S*/libopen\.so can be written by others .*chmod go-w")):
        d.until(lambda: re.search(said, d.source(name)["error"] or ""), 20, f"{name}: {said}")


# ---- the machine that it was made for

def test_a_plugin_for_another_machine_is_refused_by_name(daemon, origin, where):
    good = (BUILD / "plugins" / "source_feed.so").read_bytes()
    machine = struct.unpack_from("<H", good, 18)[0]
    assert machine in (62, 183)
    other = {62: 183, 183: 62}[machine]
    names = {62: "x86_64", 183: "aarch64"}
    made = {"other": good[:18] + struct.pack("<H", other) + good[20:],
            "small": good[:4] + b"\x01" + good[5:18] + struct.pack("<H", 3) + good[20:],
            "big": good[:5] + b"\x02" + good[6:18] + struct.pack(">H", 22) + good[20:],
            "odd": good[:18] + struct.pack("<H", 4242) + good[20:]}
    for name, data in made.items():
        (where / f"source_{name}.so").write_bytes(data)
    d = run_with(daemon, origin, where, *made)
    own = f"this machine has {names[machine]}"
    for name, said in (("other", f"processor {names[other]} .*{own}"), ("small", f"i386 \\(32 bits.*{own}"),
                       ("big", f"s390 .*big-endian.*{own}"), ("odd", f"number 4242.*{own}")):
        d.until(lambda: re.search(said, d.source(name)["error"] or ""), 20, f"{name}: {said}")
    done = subprocess.run([program("courant"), "plugins", str(where / "source_other.so")],
                          capture_output=True, timeout=60 * SLOW)
    assert done.returncode == 1 and names[other].encode() in done.stdout, done
