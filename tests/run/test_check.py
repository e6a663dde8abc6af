"""What plugins do not take of their options is told with its line, before anything starts of it."""
import re
import time

import pytest

from courant import SLOW, numbered, rss
from test_dropin import build, drop, start, titles
from test_path import EVERYTHING

REFUSED = """\
state: {state}
user: {user}
private: yes
plugins: [ {plugins} ]
defaults:
  sink_webhook:
    retry: [ soon ]
sources:
  good: {{ plugin: drop, url: http://127.0.0.1:1/f, word: fine }}
  one:
    plugin: drop
    url: http://127.0.0.1:1/f
    key: v3ry-s3cret
    word: bad
  each:
    plugin: drop
    url: "http://127.0.0.1:1/{{each}}"
    word: "{{each}}"
    each:
      - fine
      - bad
routes:
  r:
    from: [ "*" ]
    filters:
      - match:
          any: [ x ]
          where: [ "votes ~ 1" ]
    to: {{ webhook: {{ url: http://127.0.0.1:1/ }} }}
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    where = tmp_path_factory.mktemp("check")
    return {"1": build(where / "1.so"),
            "2": build(where / "2.so", 'DROP_VERSION="2"', 'DROP_REFUSES="fine"')}


@pytest.fixture
def checked(daemon, plugin):
    """A daemon, not started, with the plugin in a folder of its own."""
    d = daemon()
    d.plugins = d.folder / "plugins"
    d.plugins.mkdir()
    drop(d, plugin["1"])
    d.settings = {"plugins": [str(d.plugins)]}
    d.routes = EVERYTHING
    return d


def sources(origin, words, **more):
    url = origin.put("drop", b"x")
    return {w: {"plugin": "drop", "url": url, "word": w, "every": "1 h", **more} for w in words}


@pytest.mark.parametrize("how", [["-n"], []], ids=["-n", "start"])
def test_all_that_plugins_refuse_is_told_at_once_with_the_options_lines(checked, how):
    d = checked
    d.conf.write_text(REFUSED.format(state=d.state, user=d.user() or "nobody", plugins=d.plugins))
    d.conf.chmod(0o640)             # no word of its secret
    code, said = d.run(*how)
    assert code == 1, said
    lines = dict(re.findall(r"courant\.yaml:(\d+): (.*)", said))
    assert len(lines) == 4, said
    assert 'route r: webhook: retry: "soon"' in lines["7"], said
    assert 'source one: word: "bad" is not taken' in lines["14"], said
    assert 'source each/bad: word: "bad" is not taken' in lines["21"], said
    assert "route r: match: where: " in lines["28"], said
    assert "v3ry" not in said and "{secret:key" in lines["14"], said


def test_a_reload_with_refused_options_leaves_the_running_configuration(checked, origin):
    d = checked
    d.sources = sources(origin, ["fine"])
    d.write()
    d.start()
    d.until_lines(1)
    d.sources = sources(origin, ["fine", "bad"])
    d.write()
    done = d.courant("reload", check=False)
    said = done.stderr.decode()
    assert done.returncode == 1 and 'source bad: word: "bad" is not taken' in said, said
    assert re.search(r"courant\.yaml:\d+: ", said) and "the running configuration stays" in said
    assert [s["name"] for s in d.status()["sources"]] == ["fine"]
    d.sources = sources(origin, ["fine", "better"])
    d.write()
    d.courant("reload")
    d.until(lambda: len(d.status()["sources"]) == 2, 10, "the better one is taken")


def test_a_version_dropped_in_that_refuses_options_leaves_those_sources_waiting(
        checked, origin, plugin):
    d = checked
    d.sources = sources(origin, ["fine", "other"])
    d.sources["each"] = {"plugin": "drop", "url": origin.url("/{each}"), "word": "{each}",
                         "each": ["fine", "more"], "every": "1 h"}
    for each in ("fine", "more"):
        origin.put(each, b"x")
    d.write()
    d.start()
    d.until_lines(1)
    drop(d, plugin["2"])
    d.until(lambda: "dropped 2" in titles(d), 10, "the other sources have the new version")
    d.until(lambda: all(d.source(s)["state"] == "ok" for s in ("other", "each/more")), 10, "ok")
    for name in ("fine", "each/fine"):
        now = d.source(name)
        assert now["state"] == "waiting" and 'word: "fine" is not taken' in now["error"], now
        assert "courant.yaml:" in now["error"]
    drop(d, plugin["1"])
    d.until(lambda: all(d.source(s)["state"] == "ok" for s in ("fine", "each/fine")), 10,
            "the version that takes them is back")


def test_a_check_that_hangs_or_dies_holds_up_nobody_but_its_source(checked, origin):
    d = checked
    feed = {"plugin": "feed", "url": origin.put("f", rss(numbered(1, 2))), "every": "100 ms"}
    d.sources = {"feed": feed, **sources(origin, ["fine"])}
    d.write()
    d.start()
    d.until_lines(3)
    d.sources = {"feed": feed, **sources(origin, ["fine", "abort", "hang"])}
    d.write()
    begun, before = time.monotonic(), origin.hits("/f")
    d.courant("reload")
    took = time.monotonic() - begun
    assert took >= 5 and origin.hits("/f") - before >= 10 * took / 4 / SLOW, "polls went on"
    d.until(lambda: len(d.status()["sources"]) == 4, 10, "the configuration is taken")
    assert "did not answer within 5 s" in d.source("hang")["error"]
    assert "killed by signal 6" in d.source("abort")["error"]
    assert d.source("feed")["state"] == "ok" and d.source("fine")["state"] != "waiting"


def test_thousands_of_sources_are_asked_about_by_one_worker(checked, origin):
    d = checked
    d.sources = sources(origin, [f"w{i}" for i in range(5000)])
    d.write()
    begun = time.monotonic()
    code, said = d.run("-n")
    assert code == 0 and "5000 sources" in said
    assert time.monotonic() - begun < 3 * SLOW
    d.sources = sources(origin, [*(f"w{i}" for i in range(200)), "bad", "worse"])
    d.write()
    code, said = d.run("-n")
    assert code == 1 and len(said.splitlines()) == 1, said


def test_while_a_check_hangs_a_plugin_that_is_dropped_in_is_asked_for_again(
        daemon, origin, plugin):
    d = start(daemon(), origin)
    d.sources["hang"] = {**d.sources["one"], "word": "hang"}
    d.write()
    d.courant("reload")
    drop(d, plugin["1"])
    d.until(lambda: "dropped 1" in titles(d), 10, "the other source runs once that is given up")
    assert "did not answer" in d.source("hang")["error"]
