"""What users can use is in the manuals: options, keys, commands, parameters, deadlines."""
import json
import re
import subprocess

import pytest

from courant import SLOW, TREE, program

CORE = TREE / "core"
CONF, COURANT, COURANTD = (
    re.sub(r"\\&", "", (CORE / name).read_text())
    for name in ("conf/courant.conf.5", "cli/courant.1", "daemon/courantd.8"))


def plugins():
    done = subprocess.run([program("courant"), "plugins", "--json"], capture_output=True,
                          timeout=60 * SLOW, check=True)
    return json.loads(done.stdout)


ALL = plugins()


def section(manual, title):
    """What stands below a .Ss or .Sh of that title, up to the next."""
    found = re.search(rf"^\.S[hs] {re.escape(title)}$(.*?)(?=^\.S[hs] |\Z)", manual, re.M | re.S)
    assert found, f"the manual has no section {title}"
    return found[1]


def terms(text):
    """Words that are listed: of lines such as `.It Cm one , two : Ar list`."""
    found = set()
    for line in re.findall(r"^\.It (.*)$", text, re.M):
        found |= {w for w in re.findall(r"[\w-]+", line.split(" : ")[0])}
    return found


def is_listed(name, text):
    """By itself, as NAME_file, or as a map (auth: its members key_file, header, for auth_key...)."""
    listed = terms(text)
    if name in listed or f"{name}_file" in listed:
        return True
    group, _, member = name.partition("_")
    return bool(member) and group in listed and re.search(rf"^\.Cm {member}(_file)?\b", text, re.M)


@pytest.mark.parametrize("kind, name", [(p["kind"], p["name"]) for p in ALL])
def test_every_option_of_a_plugin_is_in_the_manual(kind, name):
    plugin = next(p for p in ALL if (p["kind"], p["name"]) == (kind, name))
    title = {"source": f"Source {name}", "sink": f"The sink {name}", "filter": name}[kind]
    text = section(CONF, title)
    if kind == "source":		# auth and headers are options of each that is polled
        text += section(CONF, "SOURCES")
    missing = [o["name"] for o in plugin["options"] if not is_listed(o["name"], text)]
    assert not missing, f"courant.conf(5), {title}: {missing}"
    for option in plugin["options"]:
        for choice in option["range"].split("|") if option["type"] == "choice" else []:
            assert re.search(rf"\b{re.escape(choice)}\b", text), f"{option['name']}: {choice}"


def test_every_key_of_the_configuration_is_in_the_manual():
    keys = set()
    for path in CORE.glob("conf/*.c"):
        keys |= set(re.findall(r"CR_OPTION\(struct \w+, (\w+),", path.read_text()))
    missing = sorted(k for k in keys if k not in terms(CONF) and not re.search(rf"^\.Cm {k}\b", CONF, re.M))
    assert not missing, missing


def test_every_command_and_its_options_are_in_the_manual():
    listed = subprocess.run([program("courant"), "help"], capture_output=True, check=True).stdout.decode()
    commands = re.findall(r"^  (\w+) +\w", listed, re.M)
    assert len(commands) > 5
    for command in commands:
        assert re.search(rf"^\.It Cm {command}\b", COURANT, re.M), command
        said = subprocess.run([program("courant"), "help", command], capture_output=True,
                              check=True).stdout.decode()
        for option in set(re.findall(r"--(\w+)", said)):
            assert re.search(rf"Fl -{option}\b", COURANT), f"{command} --{option}"
    said = subprocess.run([program("courantd"), "--help"], capture_output=True).stdout.decode()
    for letter in re.findall(r"^  -(\w) ", said, re.M):
        assert re.search(rf"^\.It Fl {letter}\b", COURANTD, re.M), f"courantd -{letter}"


def test_every_parameter_of_the_api_is_in_the_manual(daemon):
    d = daemon({}, {}).start()
    text = section(COURANTD, "The API")
    for path in ("/api/v1/records", "/api/v1/sources"):
        answer = d.http(f"{path}?nosuch=1")
        assert answer.status == 400
        names = json.loads(answer.body)["error"].partition("there are ")[2].split(", ")
        part = re.search(rf"^\.It Pa {path}$(.*?)^\.It Pa ", text, re.M | re.S)[1]
        assert len(names) > 1 and all(re.search(rf"^\.It Cm {n} ", part, re.M) for n in names), names
    for path in ("/api/v1/status", "/healthz"):
        assert d.http(path).status == 200 and f".It Pa {path}" in text


DEADLINES = [
    ("PROBE_MS", 5000, "5 s"), ("GRACE_MS", 3000, "3 s"),
    ("WORKER_IDLE", 10000, "10 s"), ("SERVE_TIMEOUT", 30, "30 s"),
    ("SERVE_SEND_TIMEOUT", 600, "600 s"), ("READER_MS", 250, "250 ms"),
    ("ASK_MS", 5000, "5 s"), ("ANSWER_MS", 30000, "30 s"),
    ("CLI_DEADLINE", 30000, "30 s"), ("DRAIN_MS", 5000, "5 s"),
    ("STOP_MS", 5000, "5 s"),
]


@pytest.mark.parametrize("name, value, told", DEADLINES, ids=[d[0] for d in DEADLINES])
def test_deadlines_are_in_the_manual_as_they_are(name, value, told):
    found = [at for path in sorted(CORE.rglob("*.[ch]"))
             for at in re.findall(rf"^#define {name}\s+\(?(\d+)", path.read_text(), re.M)]
    assert str(value) in found, f"{name} was changed: say so in courantd(8), Deadlines, and here"
    assert re.search(rf"^\.It {told}$", section(COURANTD, "Deadlines"), re.M)


def test_limits_in_the_manual_are_the_defaults():
    setup = "".join(path.read_text() for path in sorted(CORE.glob("conf/*.c")))
    limits = re.findall(r'CR_OPTION\(struct limits, (\w+), \w+, "([^"]*)"', setup)
    assert limits
    for name, value in limits:
        part = re.search(rf"^\.It Cm {name}\n(.*?)^\.(It|El)", section(CONF, "SETTINGS"), re.M | re.S)
        assert part and re.search(rf"\({re.escape(value)}\b", part[1]), (name, value)
