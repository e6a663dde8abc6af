"""Chromium for the tests of what pages make of our outputs, or a plain word why there is none."""
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).parent
TRIES = 5


def missing():
    """What the tests need and this machine has not; None: nothing. Installs what package-lock.json names."""
    for name in ("node", "npm", os.environ.get("CHROMIUM", "chromium")):
        if not shutil.which(name):
            return f"{name} is missing: contrib/packages test"
    with open(HERE / "package-lock.json", encoding="utf-8") as lock:       # one of several processes installs
        fcntl.flock(lock, fcntl.LOCK_EX)
        return None if installed() else install()


def installed():
    done = HERE / "node_modules" / ".package-lock.json"
    return done.exists() and done.stat().st_mtime >= (HERE / "package-lock.json").stat().st_mtime


def install():
    for n in range(TRIES):
        if n > 0:
            time.sleep(60)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"})
        if done.returncode == 0:
            return None
    return f"the npm registry is out of reach: npm ci failed {TRIES} times: {done.stderr.strip()[-300:]}"


class Chromium:
    """One browser: orders of browser.mjs as methods."""

    def __init__(self):
        self.process = subprocess.Popen(["node", "browser.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, encoding="utf-8")

    def order(self, what, **more):
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the browser is gone"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
