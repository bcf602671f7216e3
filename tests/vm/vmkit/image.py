"""The disks of the machine: a Debian system with what scripts/packages.txt says a node needs, and this tree's build.

The system is made once by mmdebstrap and kept; the folder's name is a digest of all that goes into it, so a change of the
package list makes another. A machine never writes to it. The build is on a small disk of its own, made for each run.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("SWARMDNS_BUILD", ROOT / "build"))
CACHE = BUILD / "vm"
BINARIES = ("dataplane/swarmdns-dataplane", "dataplane/volley/dnsvolley", "controlplane/swarmdns-controlplane",
            "controlplane/swarmctl")
# What makes a system boot, beside section [run]. AppArmor as on an installed server: it confines Unbound.
BASE = ("linux-image-amd64", "initramfs-tools", "systemd-sysv", "udev", "dbus", "apparmor", "iputils-ping")
MODULES = ("virtio_pci", "virtio_blk", "ext4")  # of the initial RAM disk: the root disk and no more
MIB = 1 << 20

AGENT_UNIT = """\
[Unit]
Description=Runs what the test on the other side of the virtual serial port asks for

[Service]
ExecStart=/usr/local/sbin/vm-agent
Restart=always
KillMode=process

[Install]
WantedBy=multi-user.target
"""

# Before any package is configured: the initial RAM disk holds what the root disk needs and no more, or the emulated
# processor unpacks all drivers of Debian at each boot.
EARLY_HOOKS = (
    'mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"',
    'echo MODULES=list >"$1/etc/initramfs-tools/conf.d/vm"',
    f"printf '%s\\n' {' '.join(MODULES)} >\"$1/usr/share/initramfs-tools/modules.d/vm\"",
)
# Nothing runs but what a test starts; Debian's own Unbound would take port 53.
LATE_HOOKS = (
    'chmod 755 "$1/usr/local/sbin/vm-agent"',
    'chroot "$1" systemctl mask unbound.service unbound-resolvconf.service apt-daily.timer apt-daily-upgrade.timer '
    "dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@tty1.service",
    'chroot "$1" systemctl enable vm-agent.service',
    'echo node >"$1/etc/hostname"',
    "echo '/dev/vda / ext4 rw,noatime 0 0' >\"$1/etc/fstab\"",
)


class ImageError(RuntimeError):
    """A disk could not be made."""


def run(*argv, **options):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise ImageError(f"`{' '.join(str(a) for a in argv)}` failed ({done.returncode}): {done.stderr[-2000:].strip()}")
    return done.stdout


def section(name):
    """The packages of one section of scripts/packages.txt."""
    packages, wanted = [], False
    for line in (ROOT / "scripts/packages.txt").read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            wanted = line == f"[{name}]"
        elif line and wanted:
            packages.append(line.partition("/")[0])
    return packages


def library_packages():
    """The packages that hold the libraries our programs are linked with."""
    files = set()
    for binary in BINARIES:
        for line in run("ldd", BUILD / binary).splitlines():
            _, arrow, target = line.partition("=>")
            if arrow and "not found" in target:
                raise ImageError(f"{binary}: {line.strip()}; install section [build] of scripts/packages.txt")
            if arrow and target.split()[0].startswith("/"):
                files.add(os.path.realpath(target.split()[0]))
    packages = set()
    for path in files:
        # dpkg knows files by the name they were packed under: /lib or /usr/lib.
        names = (path, path.removeprefix("/usr")) if path.startswith("/usr/lib") else (path, "/usr" + path)
        for name in names:
            found = subprocess.run(("dpkg", "-S", name), capture_output=True, text=True, check=False)
            if found.returncode == 0:
                packages.add(found.stdout.split(":")[0])
                break
        else:
            raise ImageError(f"no package holds {path}; the node in the machine could not be given it")
    return sorted(packages)


def make_disk(folder, disk, mib):
    """An ext4 file system with the contents of a folder."""
    disk.unlink(missing_ok=True)
    run("mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1", "-m", "0", "-d", folder, disk, f"{mib}M")


class System:
    """The Debian system: a root disk, its kernel and its initial RAM disk."""

    def __init__(self, folder):
        self.disk, self.kernel, self.initrd = folder / "root.ext4", folder / "vmlinuz", folder / "initrd.img"


def prepare_system(say):
    packages = sorted({*BASE, *section("run"), *library_packages()})
    agent = pathlib.Path(__file__).with_name("agent").read_text()
    recipe = "\n".join((*packages, *EARLY_HOOKS, *LATE_HOOKS, AGENT_UNIT, agent))
    folder = CACHE / ("system-" + hashlib.sha256(recipe.encode()).hexdigest()[:16])
    system = System(folder)
    if (folder / "done").exists():
        return system
    say(f"making the system of the machine with {len(packages)} packages (kept in {folder})")
    for old in CACHE.glob("system-*"):
        shutil.rmtree(old)
    tree, files = folder / "tree", folder / "files"
    for path, text in (("usr/local/sbin/vm-agent", agent), ("etc/systemd/system/vm-agent.service", AGENT_UNIT)):
        (files / path).parent.mkdir(parents=True, exist_ok=True)
        (files / path).write_text(text)
    options = [f"--essential-hook={hook}" for hook in EARLY_HOOKS]
    options += [f"--customize-hook=sync-in {files} /", *(f"--customize-hook={hook}" for hook in LATE_HOOKS)]
    run("mmdebstrap", "--variant=minbase", "--mode=root", "--include=" + ",".join(packages), *options, "bookworm", tree)
    for kind, target in (("vmlinuz", system.kernel), ("initrd.img", system.initrd)):
        found = sorted((tree / "boot").glob(f"{kind}-*"))
        if not found:
            raise ImageError(f"the system has no {kind}")
        shutil.copy(found[-1], target)
    used = int(run("du", "-sm", tree).split()[0])
    make_disk(tree, system.disk, used * 5 // 4 + 512)
    shutil.rmtree(tree)
    (folder / "done").touch()
    return system


def prepare_build(disk):
    """A disk with this tree's scripts and programs, as an operator carries them to a machine without a compiler."""
    tree = disk.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    for binary in BINARIES:
        target = tree / "build" / binary
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(BUILD / binary, target)
    shutil.copytree(ROOT / "scripts", tree / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("docs/examples", "docs/man"):
        shutil.copytree(ROOT / folder, tree / folder)
    make_disk(tree, disk, 64)
    shutil.rmtree(tree)
