"""The recording origin (tests/origin.c) as the run tests use it."""
import json
import subprocess
import urllib.request

import courant


class Origin:
    """An HTTP server on loopback: rules made here, files of a folder, and all requests on record."""

    def __init__(self, root=None):
        self.folder = courant.folder("origin-")
        self.root = root or self.folder / "root"
        if root is None:
            self.root.mkdir()
        self.record = self.folder / "record"
        self.record.touch()
        self.process = None
        self.port = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [courant.program("origin"), "--root", str(self.root), "--record", str(self.record)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        word, _, port = self.process.stdout.readline().decode().partition(" ")
        assert word == "port", word
        self.port = int(port)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        courant.shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, path="/", host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def order(self, path, body=None):
        request = urllib.request.Request(self.url(path), data=body,
                                         method="POST" if body is not None else "GET")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def set(self, path, *rules, **rule):
        """set("/feed", status=503), or several rules as dicts, to be taken one after the other."""
        rules = [dict(r) for r in rules] or [rule]
        for each in rules:
            if isinstance(each.get("body"), bytes):
                each["body"] = each["body"].decode()
        self.order("/_/set", json.dumps({path: rules if len(rules) > 1 else rules[0]}).encode())

    def put(self, name, data):
        """A file below the root, served with validators."""
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        temporary.write_bytes(data)
        temporary.rename(path)
        return self.url("/" + name.lstrip("/"))

    def requests(self, path=None):
        """What was asked for, oldest first; headers as a dict with names in lower case."""
        found = []
        for line in self.record.read_bytes().split(b"\n")[:-1]:
            each = json.loads(line)
            each["headers"] = {k.lower(): v for k, v in each["headers"]}
            if path is None or each["path"] == path:
                found.append(each)
        return found

    def hits(self, path=None):
        return len(self.requests(path))

    def until_hits(self, path, count, seconds=20):
        courant.until(lambda: self.hits(path) >= count, seconds,
                      f"{count} requests for {path} (so far {self.hits(path)})")
        return self.requests(path)
