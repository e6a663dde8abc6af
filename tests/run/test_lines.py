"""A mistake in a value names the line on which that value stands, and its file."""
import re

from courant import folder

CONF = """\
state: {state}
user: nobody
private: yes
contact: a@example.org
allow:
  - source_exec
  - bad_allow
plugins:
  - {folder}/nowhere
files: [{folder},
  {folder}/missing]
serve:
  listen: "127.0.0.1:0"
  base: "ftp://bad-base/"
  proxies:
    - 127.0.0.1
    - bad-proxy
hosts:
  example.org:
    at_once: 2
    spacing: 3 bad-hours
sources:
  one:
    plugin: feed
    every: 5 bad-mni
    url: "https://x.example/f"
  two:
    plugin: feed
    every: 1 h
    url: "gopher://bad-url/"
  each:
    plugin: feed
    each:
      - x.example
      - "bad each"
    url: https://{{each}}/f
  file:
    plugin: feed
    each_file:
      - list
      - bad-list
    url: "{{each}}"
  same:
    plugin: feed
    url: https://x.example/f
    each: [a, b]
  json:
    plugin: json
    url: https://x.example/
    items: "."
    fields:
      title: name
      bad-field: nothing
    auth:
      bearer: x
      basic: bad-basic
  exec:
    plugin: json
    url: https://x.example/
    items: "."
    pages: 0
routes:
  all:
    backlog: bad-backlog
    from:
      - one
      - bad-from
    patience: 3 bad-days
    filters:
      - match:
          any:
            - good
            - "re:bad-(match"
    to:
      - feed:
          path: all
          keep: 5
          formats:
            - rss
            - bad-format
      - jsonl:
          path: ../bad-path
      - jsonl:
          backlog: bad-own
          path: all.jsonl
  other:
    from: [one]
    to:
      jsonl:
        kept: 1
        path: all.jsonl
"""


def check(daemon, text, files=None):
    d = daemon(text="")
    where = folder()
    for name, content in (files or {}).items():
        (d.folder / name).write_text(content)
    conf = text.format(state=d.state, folder=where)
    if not d.user():
        conf = conf.replace("user: nobody\n", "")
    d.conf.write_text(conf)
    where.joinpath("x").touch()
    return conf.splitlines(), d.run("-n")[1]


def test_each_mistake_stands_on_its_own_line(daemon):
    lines, said = check(daemon, CONF, {"list": "https://x.example/a\n# no\n\nbad://in-the-list/\n"})
    found = {int(n): what for n, what in re.findall(r"(?m)^\S*courant.yaml:(\d+): (.*)$", said)}
    wanted = {i for i, line in enumerate(lines, 1) if "bad" in line or "missing]" in line or "/nowhere" in line
              or "each: [a, b]" in line or "pages: 0" in line}
    wanted |= {i for i, line in enumerate(lines, 1) if line == "        path: all.jsonl"}    # written twice
    checked = {i for i, line in enumerate(lines, 1) if "bad-(match" in line or "bad-field" in line or "bad-basic" in line}
    assert set(found) >= wanted - checked, (sorted(wanted - checked - set(found)), said)
    assert set(found) <= wanted, ({n: found[n] for n in set(found) - wanted}, said)
    assert re.search(r"(?m)^\S*/list:4: source file: \"file/bad://in-the-list", said), said


ASKED = """\
state: {state}
user: nobody
private: yes
files: [{folder}]
sources:
  one:
    plugin: json
    url: https://x.example/
    items: "."
    fields:
      title: name
      bad-field: nothing
  two:
    plugin: feed
    url: https://x.example/
routes:
  all:
    from: ["*"]
    filters:
      - match:
          any:
            - good
            - "re:bad-(match"
    to:
      webhook:
        url: https://x.example/
        body: json
        secret_file: bad-secret
"""


def test_what_a_plugin_refuses_stands_on_the_line_of_the_value(daemon):
    lines, said = check(daemon, ASKED)
    found = {int(n): what for n, what in re.findall(r"(?m)^\S*courant.yaml:(\d+): (.*)$", said)}
    assert all("bad" in lines[n - 1] for n in found), said
    assert len(found) == sum("bad" in line for line in lines), said


def test_the_values_of_a_list_in_a_file_have_the_lines_of_that_file(daemon):
    d = daemon({"one": {"plugin": "feed", "url": "https://x.example/"}},
               {"all": {"from": ["*"], "to": {"feed": {"path": "all", "formats_file": "list"}}}})
    (d.folder / "list").write_text("rss\njson\nbad-word\n")
    code, said = d.run("-n")
    assert code == 1 and re.search(r"(?m)^\S*/list:3: route all: feed: formats_file: .* is not ", said), said


def test_a_plugin_that_is_missing_is_named_on_its_line(daemon):
    d = daemon({"one": {"url": "https://x.example/", "plugin": "nosuch"}})
    code, said = d.run("-n")
    at = next(i for i, line in enumerate(d.conf.read_text().splitlines(), 1) if "nosuch" in line)
    assert code == 1 and f"courant.yaml:{at}: waiting for plugin source_nosuch" in said, said
