"""contrib/fresh, what CI does where it cannot be made, and contrib/packages when the mirror fails."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from courant import SLOW, TREE, folder, until

# In place of debootstrap: a root of this machine's own programs, seen in the namespace alone.
ROOT = """#!/bin/sh
echo "$*" >>"$TOLD"
while [ "${1#-}" != "$1" ]; do shift; done
mkdir -p "$2/usr/share" "$2/root" "$2/proc" "$2/sys" "$2/dev/pts" "$2/dev/shm" "$2/etc/apt/apt.conf.d"
for name in bin lib lib64 sbin; do [ ! -e "/$name" ] || cp -a "/$name" "$2/"; done
mknod -m 666 "$2/dev/null" c 1 3
for name in bin sbin lib lib64; do
	[ ! -d "/usr/$name" ] || { mkdir -p "$2/usr/$name" && mount --bind "/usr/$name" "$2/usr/$name"; }
done
"""
FAILS = '#!/bin/sh\necho "$*" >>"$TOLD"\nexit 1\n'
NOTHING = "#!/bin/sh\n"


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)


class Tree:
    """A repository of the scripts alone, with something beside it, and programs that come first."""

    def __init__(self):
        self.folder = folder("fresh-")
        self.top = self.folder / "courant"
        self.bin = self.folder / "bin"
        self.told = self.folder / "told"
        self.temporary = self.folder / "tmp"
        for where in (self.top, self.bin, self.temporary):
            where.mkdir()
        for name in (".ci", "contrib"):
            shutil.copytree(TREE / name, self.top / name)
        (self.folder / "shared").mkdir()
        (self.folder / "shared" / "word").write_text("beside\n")
        script(self.top / "contrib" / "packages", NOTHING)
        script(self.top / "contrib" / "mailroots", '#!/bin/sh\n[ -d "$1/etc" ] && mkdir -p "$2/postfix"\n')
        script(self.top / "contrib" / "check", '#!/bin/sh\necho "check $(cat /srv/shared/word)"\n'
                'echo "3 passed, 1 failed"\nexit 1\n')
        script(self.bin / "sleep", NOTHING)
        self.env = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "TOLD": str(self.told),
                    "TMPDIR": str(self.temporary), "HOME": str(self.folder), "SECRET": "of this machine",
                    "http_proxy": "http://127.0.0.1:9"}

    def commit(self):
        def git(*words):
            subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words],
                           cwd=self.top, check=True, capture_output=True, env=self.env)
        git("init", "-q")
        git("add", "-A")
        git("commit", "-qm", "all")

    def start(self, *command):
        # A shell in the background has SIGINT ignored, nohup SIGHUP, and so would all that they start.
        return subprocess.Popen(["env", "--default-signal=HUP,INT,QUIT", *command], cwd=self.top, env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *command):
        process = self.start(*command)
        said, _ = process.communicate(timeout=180 * SLOW)
        return process.returncode, said

    def times(self):
        return self.told.read_text().count("\n") if self.told.exists() else 0


@pytest.fixture
def tree():
    t = Tree()
    yield t
    shutil.rmtree(t.folder)


@pytest.fixture
def fresh(tree):
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"],
                                           capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root and namespaces")
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    script(tree.bin / "debootstrap", ROOT)
    tree.commit()
    return tree


def mounted(tree):
    return str(tree.folder) in pathlib.Path("/proc/mounts").read_text()


def test_a_command_runs_in_a_clean_clone_with_shared_beside_it(fresh):
    (fresh.top / "untracked").touch()
    (fresh.folder / ".npmrc").write_text("cafile=/nowhere\n")
    code, said = fresh.run("contrib/fresh", "sh", "-c", """
        pwd; cat ../shared/word; ls; ls "$COURANT_MAIL_ROOTS"; id -u; cat /root/.npmrc; env | sort
        [ -e /proc/self ] && [ -e /sys/kernel ] && [ -c /dev/ptmx ] && touch /dev/shm/x && echo mounted
        exit 7""")
    assert code == 7, said
    lines = said.splitlines()
    for line in ("/srv/courant", "beside", "contrib", "postfix", "0", "cafile=/nowhere", "mounted",
                 "http_proxy=http://127.0.0.1:9", "HOME=/root"):
        assert line in lines, (line, said)
    assert "untracked" not in lines and "SECRET" not in said
    assert "what is not committed stays out" in said
    assert not mounted(fresh) and not list(fresh.temporary.iterdir())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_nothing_that_runs_or_is_mounted(fresh, how):
    mark = fresh.folder.name
    run = fresh.start("contrib/fresh", "sh", "-c", f"sleep() {{ tail -f /dev/null {mark}; }}\n"
                      "sleep & echo begun; sleep")
    assert any(line == "begun\n" for line in run.stdout)
    run.send_signal(how)
    run.communicate(timeout=180 * SLOW)
    assert run.returncode == (-9 if how == signal.SIGKILL else 128 + (15 if how == 1 else how))

    def ended():
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (entry / "cmdline").read_bytes().endswith(f"{mark}\0".encode()):
                    return False
        return True
    until(ended, 20, "the end of what it ran")
    assert not mounted(fresh)
    if how == signal.SIGKILL:       # its folder goes with the next run
        assert fresh.run("contrib/fresh", "true")[0] == 0
    assert not list(fresh.temporary.iterdir())


def test_ci_ends_as_the_check_in_the_fresh_root_does(fresh):
    code, said = fresh.run("bash", ".ci/run")
    assert code == 1 and said.endswith("check beside\n3 passed, 1 failed\n"), said
    assert fresh.times() == 1


def test_ci_checks_here_when_the_mirror_has_failed_three_times(fresh):
    script(fresh.bin / "debootstrap", FAILS)
    code, said = fresh.run("bash", ".ci/run")
    assert fresh.times() == 3
    assert "debootstrap failed three times" in said and "contrib/check runs here" in said
    assert code == 1 and said.endswith("3 passed, 1 failed\n"), said
    assert not list(fresh.temporary.iterdir())


def test_ci_checks_here_when_a_mail_server_cannot_be_had(fresh):
    script(fresh.top / "contrib" / "mailroots", "#!/bin/sh\nexit 75\n")
    fresh.commit()
    code, said = fresh.run("bash", ".ci/run")
    assert code == 1 and "contrib/check runs here" in said, said
    assert not list(fresh.temporary.iterdir())


def test_ci_checks_here_when_the_packages_cannot_be_had_inside(fresh):
    script(fresh.top / "contrib" / "check", '#!/bin/sh\n[ "$(pwd -P)" != /srv/courant ] || exit 75\n'
            'echo "2 passed, 0 failed"\n')
    fresh.commit()
    code, said = fresh.run("bash", ".ci/run")
    assert code == 0 and said.endswith("2 passed, 0 failed\n"), said
    assert "contrib/check runs here" in said


def test_without_a_command_it_says_how_it_is_used(tree):
    code, said = tree.run("contrib/fresh")
    assert code == 2 and "Usage: contrib/fresh COMMAND" in said


# ---- contrib/packages ----

def packages(tree, apt):
    shutil.copy(TREE / "contrib" / "packages", tree.top / "contrib" / "packages")
    script(tree.bin / "dpkg-query", "#!/bin/sh\nexit 1\n")
    script(tree.bin / "sudo", '#!/bin/sh\n[ "$1" != -n ] || shift\nexec "$@"\n')
    script(tree.bin / "apt-get", f'#!/bin/sh\necho "$*" >>"$TOLD"\n{apt}\n')
    return tree.run("contrib/packages", "build")


def test_packages_are_installed(tree):
    assert packages(tree, "exit 0")[0] == 0
    assert tree.told.read_text().splitlines()[-1].endswith("ca-certificates")


def test_a_mirror_that_fails_three_times_is_told_from_a_name_that_is_not_there(tree):
    code, said = packages(tree, "case $* in *download-only*) exit 100;; esac")
    assert code == 75 and "the mirror failed three times" in said
    assert tree.told.read_text().count("update") == 3
    code, said = packages(tree, "case $* in *update*) exit 0;; esac\n"
                          "echo 'E: Unable to locate package' >&2; exit 100")
    assert code == 1 and "Unable to locate package" in said


def test_lists_that_are_old_are_fetched_again(tree):
    code, _ = packages(tree, 'case $* in *update*) touch "$TOLD.new";; '
                       '*download-only*) [ -e "$TOLD.new" ] || exit 100;; esac')
    assert code == 0 and tree.told.read_text().count("update") == 1


# ---- contrib/mailroots ----

def mailroots(tree, apt):
    """With this in place of apt-get: (status, what it said, the folder of the roots)."""
    root = tree.folder / "root"
    (root / "usr" / "sbin").mkdir(parents=True)
    shutil.copy(TREE / "contrib" / "mailroots", tree.top / "contrib" / "mailroots")
    script(tree.bin / "chroot", f'#!/bin/sh\necho "${{1##*/}} $*" >>"$TOLD"\n{apt}\n')
    return *tree.run("contrib/mailroots", str(root), str(tree.temporary / "mail")), tree.temporary / "mail"


def test_each_mail_server_has_a_root_of_its_own_in_which_packages_start_nothing(tree):
    code, said, made = mailroots(tree, "exit 0")
    assert code == 0, said
    for name in ("postfix", "opensmtpd"):
        rule = made / name / "usr" / "sbin" / "policy-rc.d"
        assert subprocess.run([rule], check=False).returncode == 101
        other = {"postfix": "opensmtpd", "opensmtpd": "postfix"}[name]
        words = [line.split() for line in tree.told.read_text().splitlines() if line.startswith(f"{name} ")]
        assert any({"install", name} <= set(w[2:]) for w in words) and not any(other in w[2:] for w in words), words


def test_a_mail_server_that_the_mirror_does_not_give_three_times_is_told(tree):
    code, said, _ = mailroots(tree, 'case $* in *install*opensmtpd*) echo "no such thing"; exit 100;; esac')
    assert code == 75 and "opensmtpd: apt failed three times" in said and "no such thing" in said
    assert len([line for line in tree.told.read_text().splitlines() if line.endswith("install opensmtpd")]) == 3
