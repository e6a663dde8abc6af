"""An HTTP API of the tests' own: answers by path, and what was asked for, on record."""
import http.server
import json
import threading
import time


class Api(http.server.ThreadingHTTPServer):
    """Answers by path; what is told of it with `times` goes before that, so often."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked, self.lock = {}, [], threading.Lock()
        self.port = self.server_port
        self.base = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def set(self, path, body, status=200, times=None, delay=0, **headers):
        """body: text, or what becomes JSON. Headers: `Retry_After="1"`. Returns the URL."""
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        text = text.encode() if isinstance(text, str) else text
        one = (status, {k.replace("_", "-"): v for k, v in headers.items()}, text, delay)
        with self.lock:
            if times is None:
                self.answers[path] = [one]
            else:
                self.answers[path] = [one] * times + self.answers.get(path, [])
        return self.base + path

    def answer(self, path):
        with self.lock:
            rules = self.answers.get(path, [(404, {}, b"{}", 0)])
            return rules.pop(0) if len(rules) > 1 else rules[0]

    def paths(self):
        return [path for path, _, _ in self.asked]

    def headers(self, path):
        """Those of the requests for it, names in lower case."""
        return [headers for asked, headers, _ in self.asked if asked == path]

    def times(self, path):
        return [when for asked, _, when in self.asked if asked == path]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/robots.txt":
            return self.send_error(404)
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()},
                                  time.time()))
        status, headers, body, delay = self.server.answer(self.path)
        time.sleep(delay)
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *_):
        pass


def items(first, last):
    return [{"key": n, "name": f"item {n}", "stars": 10 * n, "score": n / 2, "at": 1700000000 + n,
             "where": {"web": f"/items/{n}"}} for n in range(first, last + 1)]


def pages(api, kind, count=3, size=2, **rule):
    """Pages of so many items each, linked as the kind has it: (url, options, path of each page)."""
    paths = {"link": "/p?page={n}", "url": "/p?page={n}", "page": "/p?page={n}",
             "cursor": "/p?page[after]=c{n}%2Fx", "offset": "/p?offset={at}"}[kind]
    first = "/p?page%5Bafter%5D=c1%2Fx" if kind == "cursor" else "/p"
    at = [first] + [paths.format(n=n, at=size * (n - 1)) for n in range(2, count + 2)]
    for n in range(1, count + 1):
        body, headers = {"list": items(size * (n - 1) + 1, size * n)}, {}
        more = n < count
        if more and kind == "link":
            headers["Link"] = f'<{at[0]}>; rel="first", <{at[n]}>; rel="next"'
        elif more and kind == "url":
            body["next"] = at[n]
        elif more and kind == "cursor":
            body["meta"] = {"next": f"c{n + 1}/x"}
        api.set(at[n - 1], body, **headers, **rule)
    if kind in ("page", "offset"):
        api.set(at[count], {"list": []})
    more = {"link": {"next": "link"}, "url": {"next": "next"}, "page": {"next": "page"},
            "offset": {"next": "offset"},
            "cursor": {"next": "meta.next", "next_param": "page[after]"}}[kind]
    return api.base + first, {"items": "list", "pages": count + 5, "fields": {"guid": "key"},
                             **more}, at[:count]
