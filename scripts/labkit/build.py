"""Writing the Internet that a lab was asked for into its folder, once per wish."""

import hashlib
import json
import pathlib
import shutil
import time

from . import fed, internet, rootzone, servers
from .settings import LabError

FRESH_SECONDS = 5 * 86400  # signatures live longer than this
INTERNET = servers.INTERNET
MARK = INTERNET / "fingerprint"


def fingerprint(options):
    """Changes with everything the generated files depend on: the wish, its input files, our own code."""
    parts = {"seed": options.seed, "names": options.names, "root": options.root_zone, "key": options.root_key}
    inputs = [p for p in (options.names, options.root_zone, options.root_zone and options.root_key) if p]
    for path in inputs + sorted(str(p) for p in pathlib.Path(__file__).parent.glob("*.py")):
        try:
            parts[path] = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
        except OSError as error:
            raise LabError(f"cannot read {path}: {error}") from error
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_current(options):
    """Whether the folder holds exactly the Internet that was asked for, its signatures fresh."""
    try:
        found, made = MARK.read_text().split()
        return found == fingerprint(options) and 0 <= time.time() - int(made) < FRESH_SECONDS
    except (FileNotFoundError, ValueError):
        return False


def make(options):
    """Generates the Internet unless it is there. True when it was made anew."""
    if is_current(options):
        return False
    if INTERNET.exists():
        shutil.rmtree(INTERNET)
    (INTERNET / "zones").mkdir(parents=True)
    INTERNET.parent.chmod(0o755)
    if options.root_zone:
        foreign_root(options)
    else:
        names = fed.read(options.names) if options.names else None
        servers.write_zones(internet.build(options.seed, names), INTERNET, time.time())
    MARK.write_text(f"{fingerprint(options)} {int(time.time())}\n")
    return True


def foreign_root(options):
    root = rootzone.RootZone(options.root_zone)
    target = INTERNET / "zones" / "root"
    target.write_text("\n".join(root.lines) + "\n")
    (INTERNET / "nsd-root.conf").write_text(servers.nsd_conf("root", root.listen(), [(".", target)]))
    (INTERNET / "root.hints").write_text(root.hints())
    (INTERNET / "root.listen").write_text("\n".join(root.listen()) + "\n")
    (INTERNET / "names.txt").write_text("".join(a.line() + "\n" for a in root.asked()))
    try:
        shutil.copyfile(options.root_key, INTERNET / "root.key")
    except OSError as error:
        raise LabError(
            f"cannot read the root key {options.root_key}: {error}; install dns-root-data or name one with --root-key"
        ) from error


def default_date(options):
    """val-override-date of a lab with a root zone from outside: when its signatures were valid."""
    return rootzone.RootZone(options.root_zone).date_within() if options.root_zone else ""
