"""An independent receiver of webhooks: keeps what it was sent, verifies it with Python's hmac."""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import socket
import struct
import threading
import time


def key_bytes(secret):
    if secret.startswith("raw:"):
        return secret[4:].encode()
    return base64.b64decode(secret.removeprefix("whsec_"))


class Hook:
    """One request that came."""

    def __init__(self, handler, body):
        self.path, self.method = handler.path, handler.command
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.body = body
        self.when = time.monotonic()
        self.connection = handler.client_address
        self.status = None
        self.answered = False           # the answer is written

    @property
    def id(self):
        return self.headers.get("webhook-id")

    @property
    def json(self):
        return json.loads(self.body)

    def signatures(self):
        """Base64 of each v1 signature."""
        return [s[3:] for s in self.headers.get("webhook-signature", "").split(" ")
                if s.startswith("v1,")]

    def verified(self, *secrets):
        """Whether each key signed it, in this order, and its time is now."""
        stamp = self.headers["webhook-timestamp"]
        assert abs(int(stamp) - time.time()) < 300, stamp
        text = f"{self.id}.{stamp}.".encode() + self.body
        want = [base64.b64encode(hmac.new(key_bytes(s), text, hashlib.sha256).digest()).decode()
                for s in secrets]
        return self.signatures() == want


class Receiver:
    """Answers each request by answer(hook, nth): a status, (status, headers, body), or what is done
    with the connection: "reset", "hang", "drip", "flood"; `latency` s after it came."""

    def __init__(self, answer=200, latency=0):
        self.answer = answer if callable(answer) else lambda *_: answer
        self.latency = latency
        self.hooks, self.lock, self.over = [], threading.Lock(), threading.Event()
        self.connections = set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def setup(self):
                super().setup()
                outer.connections.add(self.connection)

            def finish(self):
                outer.connections.discard(self.connection)
                super().finish()

            def do_POST(self):
                outer.take(self)

            do_GET = do_PUT = do_PATCH = do_POST

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.make, self.port = (lambda: Server(("127.0.0.1", self.port), Handler)), 0
        self.open()

    def open(self):
        """Listens, after close() at the same port as before."""
        self.server = self.make()
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Listens no more, and answers nothing more on the connections that there are."""
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def url(self, path="/hook"):
        return f"http://127.0.0.1:{self.port}{path}"

    def take(self, handler):
        length = int(handler.headers.get("content-length", 0))
        body = handler.rfile.read(length)
        if len(body) < length:          # its sender died
            handler.close_connection = True
            return
        hook = Hook(handler, body)
        with self.lock:
            nth = len(self.hooks)
            what = self.answer(hook, nth)
            hook.status = what if isinstance(what, int) else what[0]
            self.hooks.append(hook)
        if self.latency:
            time.sleep(self.latency)
        if isinstance(what, str):
            getattr(self, what)(handler)
            return
        status, headers, body = what if isinstance(what, tuple) else (what, {}, b"ok")
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        hook.answered = True

    def release(self):
        """Ends the connections that hang."""
        self.over.set()
        self.over = threading.Event()

    def reset(self, handler):
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True

    def hang(self, handler):
        self.over.wait(90)
        handler.close_connection = True

    def drip(self, handler):
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
            handler.wfile.write(bytes([byte]))
            time.sleep(0.01)

    def flood(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(10 << 20))
        handler.end_headers()
        handler.wfile.write(b"x" * (10 << 20))
        handler.close_connection = True

    def taken(self):
        """Those that were answered by a 2xx."""
        with self.lock:
            return [h for h in self.hooks if isinstance(h.status, int) and 200 <= h.status < 300]
