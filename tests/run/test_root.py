"""Nobody runs a plugin's code as root: commands that root starts. And what root gives to the daemon's user:
the state folder, over no link of others; a database that is that user's alone."""
import json
import os
import pwd
import re
import shutil
import subprocess

import pytest

from courant import SLOW, folder, numbered, program, rss, until
from test_plugin_faults import build

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: users are changed")
STRANGER = 54321

# Says who runs it: the constructor in its help, check() in its error, parse() in a record.
WHO = """
#include <sys/stat.h>
#include <unistd.h>
static char who[200];
static void say(void)
{
	snprintf(who, sizeof(who), "users %u %u groups %u %u", getuid(), geteuid(), getgid(), getegid());
}
__attribute__((constructor)) static void begin(void)
{
	chmod(MARKER, 04755);
	say();
}
static int parse(struct cr *cr, void *o, const struct cr_page *page)
{
	struct cr_record *r = cr->record(cr, "one");
	(void)o, (void)page;
	cr->set(r, CR_TITLE, who);
	cr->emit(cr, r);
	return 0;
}
static int check(struct cr *cr, const void *o)
{
	(void)o;
	return cr->fail(cr, "%s", who);
}
static int filter(struct cr *cr, void *o, struct cr_record *r)
{
	(void)o, (void)r;
	return cr->verdict(cr, CR_KEEP, "%s", who);
}
const struct cr_plugin cr_plugin_v1 = { CR_PLUGIN, .name = "who", .version = "1", .help = who, WHAT };
"""


def nobody():
    who = pwd.getpwnam("nobody")
    u, g = who.pw_uid, who.pw_gid
    return f"users {u} {u} groups {g} {g}"


@pytest.fixture
def where():
    path = folder("plugins-")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def marker(where):
    """A file of root's that a plugin of root's would make a program for all."""
    path = where / "marker"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o600)
    yield path
    assert path.stat().st_mode & 0o7777 == 0o600, "code of a plugin ran as root"


def who(where, marker, kind="source", check=False):
    what = ".parse = parse, .check = check" if check else ".parse = parse" if kind == "source" else \
        ".filter = filter"
    text = "".join(WHO).replace("MARKER", f'"{marker}"').replace("WHAT", what)
    if kind == "source":
        text = re.sub(r"static int %s[\s\S]*?\n}\n" % ("filter" if check else "(?:filter|check)"), "", text)
    else:
        text = re.sub(r"static int (?:parse|check)[\s\S]*?\n}\n", "", text)
    return build(where, f"{kind}_who", text)


def courant(*words, text=None, seconds=60, **more):
    return subprocess.run([program("courant"), *map(str, words)], input=text, capture_output=True, text=True,
                          timeout=seconds * SLOW, **more)


def config(where, **more):
    conf = where / "courant.yaml"
    more = {"state": str(where / "state"), **more}
    conf.write_text("".join(f"{k}: {v}\n" for k, v in more.items()))
    return conf


# ---- commands that root starts

@root
def test_courant_plugins_describes_a_file_as_nobody(where, marker):
    done = courant("-c", config(where, user="nobody"), "plugins", who(where, marker))
    assert nobody() in done.stdout, done


@root
def test_courant_plugins_describes_a_file_as_nobody_without_a_configuration(where, marker):
    done = courant("plugins", who(where, marker))
    assert nobody() in done.stdout, done


@root
def test_courant_parse_runs_as_nobody_on_a_file_that_root_alone_can_read(where, marker):
    closed = where / "closed"
    closed.mkdir(mode=0o700)
    (closed / "page").write_text("x")
    plugin = shutil.move(who(where, marker), closed)
    done = courant("parse", "--plugin", plugin, closed / "page")
    assert json.loads(done.stdout)["entries"][0]["title"] == nobody(), done


@root
def test_courant_parse_itself_is_no_longer_root_when_it_reads(where, marker):
    p = subprocess.Popen([program("courant"), "parse", "--plugin", str(who(where, marker)), "-"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def dropped():
        with open(f"/proc/{p.pid}/status") as status:
            told = dict(line.split(":", 1) for line in status.read().splitlines() if ":" in line)
        ids = told["Uid"].split() + told["Gid"].split() + told["Groups"].split()
        return "0" not in ids and int(told["CapPrm"], 16) == int(told["CapEff"], 16) == 0
    try:
        until(dropped, 20, "all ids are nobody's")
        out, _ = p.communicate("x", timeout=60 * SLOW)
    finally:
        p.kill()
    assert json.loads(out)["entries"][0]["title"] == nobody()


@root
def test_courant_filter_runs_as_nobody(where, marker):
    records = where / "records"
    records.write_text('{"title": "a"}\n')
    records.chmod(0o600)
    done = courant("filter", "--plugin", who(where, marker, "filter"), "--why", records)
    assert nobody() in done.stdout, done


@root
def test_courant_fetch_runs_as_the_configured_user(where, marker, origin):
    plugin = who(where, marker)
    conf = config(where, user="nobody", private="yes")
    done = courant("-c", conf, "fetch", "--plugin", plugin, "--url", origin.put("x", b"page"))
    assert nobody() in done.stdout, done


@root
def test_courantd_n_runs_check_as_nobody_even_without_a_user(where, marker):
    who(where, marker, check=True)
    text = f"{{ one: {{ plugin: who, url: 'http://127.0.0.1:9/', every: 1 h }} }}"
    for more in ({"user": "nobody"}, {}):
        conf = config(where, plugins=f"[{where}]", sources=text, **more)
        done = subprocess.run([program("courantd"), "-n", "-c", str(conf)], capture_output=True, text=True,
                              timeout=60 * SLOW)
        assert done.returncode != 0 and nobody() in done.stderr, done
        assert ("started as root: say whom" in done.stderr) == (not more), done.stderr


@root
@pytest.mark.parametrize("command", [["plugins"], ["parse", "--plugin"], ["filter", "--plugin"],
                                     ["fetch", "--plugin"]], ids=lambda c: c[0])
def test_without_a_user_to_become_nothing_is_loaded(where, marker, command):
    conf = config(where, user="root")
    done = courant("-c", conf, *command, who(where, marker), *(["/dev/null"] if command[0] == "parse" else []))
    assert done.returncode == 1 and "user: root is root itself" in done.stderr, done
    assert "users" not in done.stdout + done.stderr


@root
def test_root_that_may_not_change_its_user_loads_nothing(where, marker):
    plugin = who(where, marker)
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed")
    done = subprocess.run(["setpriv", "--bounding-set", "-setuid,-setgid", program("courant"), "plugins",
                           str(plugin)], capture_output=True, text=True, timeout=60 * SLOW)
    assert done.returncode == 1 and "cannot become user nobody" in done.stderr, done
    assert "users" not in done.stdout


@root
def test_an_option_that_names_a_file_of_roots_is_read(where):
    closed = where / "closed"
    closed.mkdir(mode=0o700)
    (closed / "words").write_text("apple\n")
    (closed / "words").chmod(0o600)
    done = courant("filter", "match", "-o", f"any_file={closed / 'words'}",
                   text='{"title": "an apple"}\n{"title": "a pear"}\n')
    assert [json.loads(r)["title"] for r in done.stdout.splitlines()] == ["an apple"], done


@root
def test_a_file_that_only_a_batch_names_is_told_with_the_user(where):
    (where / "page").write_bytes(rss(numbered(1, 1)))
    (where / "page").chmod(0o600)
    done = courant("parse", "--batch", text=f"{where / 'page'}\n")
    assert "Permission denied as user nobody" in done.stdout, done


# ---- the state folder

def started(d):
    d.start(wait=False)
    until(lambda: d.process.poll() is not None or d.ready(), 20, "it runs or has ended")
    return d.process.poll()


def linked(d):
    """A folder of root's with something in it, to which the state folder is a link."""
    private = d.folder / "private"
    private.mkdir(mode=0o700)
    (private / "secret").write_text("root's")
    shutil.rmtree(d.state)
    d.state.symlink_to(private)
    return private


@root
def test_a_link_at_the_state_folder_gives_nothing_away(daemon):
    d = daemon()
    private = linked(d)
    os.chown(d.state, STRANGER, STRANGER, follow_symlinks=False)
    assert started(d) not in (None, 0)
    assert private.stat().st_uid == 0
    code, said = d.run("-n")
    assert code == 1 and f"state: {d.state}: it is reached over the link" in said, said
    assert re.search(rf"error: {d.state}: is reached over the link {d.state}, which belongs to user {STRANGER}",
                     d.log())


@root
def test_a_folder_with_something_in_it_is_not_given_away_even_over_roots_link(daemon):
    d = daemon()
    private = linked(d)
    assert started(d) not in (None, 0)
    assert private.stat().st_uid == 0
    assert d.run("-n")[0] == 1
    assert re.search("belongs to user 0 and is not empty, so it is not given to nobody", d.log())


@root
def test_a_new_or_empty_folder_is_given_to_the_user_over_roots_link_too(daemon):
    d = daemon()
    shutil.rmtree(d.state)
    (d.folder / "disk").mkdir()
    d.state.symlink_to(d.folder / "disk")
    assert started(d) is None
    assert (d.folder / "disk").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    d.stop()
    d.state.unlink()
    assert started(d) is None
    assert d.state.stat().st_uid == pwd.getpwnam("nobody").pw_uid


def test_the_database_is_the_daemons_alone_and_an_open_one_is_closed(daemon, origin):
    d = daemon({"one": {"plugin": "feed", "url": origin.put("f.xml", rss(numbered(1, 1))), "every": "1 h"}},
               {"r": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.start()
    d.until_lines(1)
    files = list(d.state.glob("courant.db*"))
    assert len(files) == 3
    assert {p.name: p.stat().st_mode & 0o777 for p in files} == {p.name: 0o600 for p in files}
    d.stop()
    (d.state / "courant.db").chmod(0o644)
    d.start()
    d.wait_log("courant.db: others could read it")
    assert {p.stat().st_mode & 0o777 for p in d.state.glob("courant.db*")} == {0o600}
