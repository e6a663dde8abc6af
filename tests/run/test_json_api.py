"""Plugin json through the daemon: an API of the test's own, its items, errors and secrets."""
import json
import shutil

import pytest

import courant
from api import items, pages

KEY = "s3cret-key-that-nobody-sees"


def source(url, **options):
    return {"plugin": "json", "url": url, "every": "1 h", **options}


def route():
    return {"lines": {"from": ["*"], "backlog": "all", "to": {"jsonl": {"path": "all.jsonl"}}}}


PATHS = {"items": "data.list",
         "fields": {"guid": "key", "title": "No. {key}",
                    "link": "where.web", "published": "at"},
         "numbers": {"rating": "score"}, "counters": {"votes": "stars"},
         "extras": {"code": "x.{key}"}}


def test_items_become_records_and_counters_grow(daemon, api):
    url = api.set("/v1", {"data": {"list": items(1, 3)}})
    d = daemon(sources={"api": source(url, **PATHS)}, routes=route()).start()
    d.settled()
    lines = {line["title"]: line for line in d.until_lines(3)}
    two = lines["No. 2"]
    assert two["link"] == api.base + "/items/2", two
    assert two["published"] == "2023-11-14T22:13:22Z", two
    text = json.dumps(two)
    assert '"rating": 1' in text and '"votes": 20' in text and '"x.2"' in text, text
    more = items(1, 4)
    more[1]["stars"] = 77
    api.set("/v1", {"data": {"list": more}})
    d.refresh("api")
    d.settled()
    assert [line["title"] for line in d.until_lines(4)][3] == "No. 4"
    assert d.records() == 4


def test_a_key_goes_into_headers_and_nowhere_else(daemon, api):
    url = api.set("/v1", items(1, 1))
    d = daemon(routes=route())
    key = d.folder / "key"
    key.write_text(KEY + "\n")
    key.chmod(0o600)
    if d.user():
        shutil.chown(key, d.user())
    plain = {"fields": {"guid": "key"}}
    d.sources = {
        "bearer": source(url, auth={"bearer_file": str(key)}, **plain),
        "header": source(url, auth={"header": "X-Key", "key_file": str(key)}, **plain),
        "open": source(url, headers={"X-Plain": "yes", "X-More": "a: b"}, **plain)}
    d.write()
    d.start()
    d.settled()
    seen = [h for h in api.headers("/v1")]
    assert len(seen) == 3
    assert sorted(h.get("authorization", "-") for h in seen) == ["-", "-", "Bearer " + KEY]
    assert sorted(h.get("x-key", "-") for h in seen) == ["-", "-", KEY]
    assert [(h["x-plain"], h["x-more"]) for h in seen if "x-plain" in h] == [("yes", "a: b")]
    assert KEY not in d.log() and KEY not in d.courant("status", "--json").stdout.decode()
    assert KEY not in json.dumps(d.lines())


@pytest.mark.parametrize("body,why", [
    ({"error": {"message": "quota is used up"}}, "the API answers with an error: quota is used up"),
    ({"message": "no such project"}, "the API answers with an error: no such project"),
    ('[\n{"key": 1},\n<html>', "no JSON: line 3: "),
    ({"results": []}, "items: nothing at \"data.list\" of the document: there are results"),
    ({"data": {"list": [{"name": "x"}]}}, "none of 1 items has a guid or link"),
], ids=["error", "message", "text", "path", "guid"])
def test_what_is_no_list_of_items_says_so(daemon, api, body, why):
    url = api.set("/v1", body)
    d = daemon(sources={"api": source(url, **PATHS)}).start()
    if "guid" in why:
        d.stop()
        d.sources["api"]["fields"] = {"guid": "nowhere"}
        d.write()
        d.start()
    d.until(lambda: why in (d.source("api")["error"] or ""), what=why)
    assert d.records() == 0
    api.set("/v1", {"data": {"list": items(1, 2)}})
    d.sources["api"]["fields"] = PATHS["fields"]
    d.refresh("api")
    if "guid" not in why:
        assert not d.source("api")["error"] and d.records() == 2


def test_a_preset_brings_its_url_and_names(daemon, api):
    url = api.set("/daily", [{"paper": {"id": "1", "upvotes": 4, "summary": "s"}, "title": "T",
                              "numComments": 2}])
    d = daemon(sources={"hf": source(url, preset="huggingface-daily-papers")},
               routes=route()).start()
    d.settled()
    line = d.until_lines(1)[0]
    assert line["link"] == "https://huggingface.co/papers/1" and line["title"] == "T"
    assert '"votes": 4' in json.dumps(line)


def test_presets_need_no_url(daemon):
    d = daemon(sources={
        "hf": {"plugin": "json", "preset": "huggingface-daily-papers"},
        "hn": {"plugin": "json", "preset": "hacker-news"},
        "releases": {"plugin": "json", "preset": "github-releases", "each": ["curl/curl"]}})
    code, said = d.run("-n")
    assert code == 0, said
    d.sources["none"] = {"plugin": "json"}
    d.write()
    code, said = d.run("-n")
    assert code != 0 and "url: has to be given" in said, said


@pytest.mark.parametrize("kind", ["link", "url", "cursor", "page", "offset"])
def test_following_pages_are_read(daemon, api, kind):
    url, options, _ = pages(api, kind)
    d = daemon(sources={"api": source(url, **options)}, routes=route()).start()
    d.settled()
    d.until_lines(6)
    asked = api.paths()
    assert len(asked) == len(set(asked)) == (4 if kind in ("page", "offset") else 3), asked
    assert not d.source("api")["error"]
