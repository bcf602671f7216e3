"""Running commands, and the checks that come before anything is changed."""

import importlib.util
import os
import shutil
import subprocess

from .settings import LabError

# Command -> Debian package that brings it (all of them are listed in scripts/packages.txt).
NEEDED = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "ethtool": "ethtool",
    "nsd": "nsd",
    "ldns-signzone": "ldnsutils",
    "unbound": "unbound",
    "nft": "nftables",
    "losetup": "mount",
    "mkfs.ext4": "e2fsprogs",
}

MODULES = {"cryptography": "python3-cryptography", "dns": "python3-dnspython"}


def run(*argv, check=True, stdin=None, quiet=False):
    """Runs a command to its end. Returns the completed process; raises LabError with its stderr."""
    words = [str(a) for a in argv]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        why = (done.stderr or done.stdout).strip()
        raise LabError(f"`{' '.join(words)}` failed ({done.returncode}): {why}")
    if not quiet and done.returncode == 0 and done.stderr.strip() and os.environ.get("LAB_DEBUG"):
        print(done.stderr.strip())
    return done


def try_run(*argv):
    """Like run(), for commands that may fail because there is nothing to undo. True on success."""
    return run(*argv, check=False, quiet=True).returncode == 0


def require_root():
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and needs root: run it again with sudo")


def require_tools():
    missing = {pkg for cmd, pkg in NEEDED.items() if not shutil.which(cmd, path=search_path())}
    for module, package in MODULES.items():
        if importlib.util.find_spec(module) is None:
            missing.add(package)
    if missing:
        raise LabError("missing packages: run `apt install " + " ".join(sorted(missing)) + "`")


def search_path():
    """PATH with the sbin folders, which a plain `su` or `sudo` may leave out."""
    path = os.environ.get("PATH", "").split(":")
    for extra in ("/usr/local/sbin", "/usr/sbin", "/sbin"):
        if extra not in path:
            path.append(extra)
    return ":".join(path)


os.environ["PATH"] = search_path()
