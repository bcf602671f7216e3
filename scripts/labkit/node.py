"""One node: its configuration file and its processes.

The control plane is started by us; it starts the resolver and the data plane. Pid files tell which is which:
ours for the control plane (or for a data plane started without one), the node's own in its run_dir for its children.
"""

import filecmp
import os
import pathlib
import pwd
import resource
import shutil
import signal

from . import health, netns, procs, servers
from .settings import CLIENTS_NET4, CLIENTS_NET6, PORT_INTERFACE, TAP_INTERFACE, VAR, LabError, build_dir

PARTS = ("controlplane", "resolver", "dataplane")
BINARIES = {
    "controlplane": "controlplane/swarmdns-controlplane",
    "dataplane": "dataplane/swarmdns-dataplane",
}
CHILD_PID_FILES = {"dataplane": "dataplane.pid", "resolver": "resolver.pid"}
CHILD_PROGRAMS = {"dataplane": "swarmdns-dataplane", "resolver": "unbound"}


def binary(options, part):
    path = build_dir(options) / BINARIES[part]
    if not os.access(path, os.X_OK):
        raise LabError(
            f"{path} is not there: build it with `meson setup build && ninja -C build`, "
            "or name the build directory with --build DIR (or SWARMDNS_BUILD)"
        )
    return path


def unprivileged_user():
    """The user a node's data plane becomes: that of an installed package, else `nobody`."""
    for name in ("swarmdns", "nobody"):
        try:
            pwd.getpwnam(name)
            return name
        except KeyError:
            continue
    return "root"


def worker_cpus(options, node):
    """CPUs of the workers: the last ones of the machine, so that CPU 0 keeps the slow threads.

    A node has as many CPUs as workers. When the machine has too few, nodes share them.
    """
    cpus = sorted(os.sched_getaffinity(0))
    usable = cpus[1:] if len(cpus) > options.workers else cpus
    first = (node.i - 1) * options.workers
    return sorted({usable[(first + k) % len(usable)] for k in range(options.workers)})


def yaml_list(items, indent):
    return "".join(f"\n{' ' * indent}- {item}" for item in items)


def config_text(options, node):
    """The node's YAML configuration."""
    cpus = worker_cpus(options, node)
    if len(cpus) < options.workers:
        raise LabError(f"--workers {options.workers}: this machine has only {os.cpu_count()} CPUs; ask for fewer")
    device = f"net_{options.driver}0,iface={PORT_INTERFACE}"
    lines = f"""\
# Node {node.i} of the lab; written by scripts/lab.
node:
  name: n{node.i}
  region: lab
  state_dir: {node.var}
  run_dir: {node.run}
  user: {unprivileged_user()}
dataplane:
  eal:
    main_cpu: {min(os.sched_getaffinity(0))}
    worker_cpus: [{', '.join(str(c) for c in cpus)}]
    hugepages: false
    memory_mib: 256
    file_prefix: swarmdns-lab-n{node.i}
  ports:
    - device: "{device}"
      mbufs: 16384
      tap: {TAP_INTERFACE}
      addresses: ["{node.service4}/24", "{node.service6}/64"]
      routes: ["{CLIENTS_NET4} via {node.client4}", "{CLIENTS_NET6} via {node.client6}"]
  worker:
    idle: {options.idle}
  cache:
    memory_mib: 128
  guard:
    acl:
      allow: ["127.0.0.0/8", "::1/128", "10.53.0.0/16", "fd53::/16"]
    rate_limit:
      responses_per_second: 1000000
resolver:
  binary: {unbound()}
  port: 553
  trust_anchor_file: {servers.INTERNET}/root.key
  trust_anchor_static: true
  root_hints_file: {servers.INTERNET}/root.hints
  outgoing_interfaces: ["{node.upstream4}", "{node.upstream6}"]
"""
    if options.val_date:
        lines += f'  val_override_date: "{options.val_date}"\n'
    lines += "  extra_options:" + yaml_list(
        (
            '"unblock-lan-zones: yes"',  # the names that are fed in hold private reverse names
            '"insecure-lan-zones: yes"',
        ),
        4,
    )
    return lines + "\n"


def unbound():
    """A copy of Unbound of our own, for the lab's resolvers.

    Debian's AppArmor profile goes by the path /usr/sbin/unbound and would keep it out of the lab's folders;
    changing the machine's profile is not the lab's to do.
    """
    source = shutil.which("unbound")
    copy = VAR / "bin" / "unbound"
    if not copy.exists() or not filecmp.cmp(source, copy, shallow=False):
        copy.parent.mkdir(parents=True, exist_ok=True)
        fresh = copy.with_suffix(".new")
        shutil.copy(source, fresh)
        fresh.replace(copy)
    return copy


def prepare(options, node):
    """Folders and configuration of a node, from scratch: a lab starts with empty caches."""
    node.run.mkdir(parents=True, exist_ok=True)
    node.var.mkdir(parents=True, exist_ok=True)
    text = config_text(options, node)
    if not node.config.exists() or node.config.read_text() != text:
        node.config.write_text(text)


def raise_limits():
    """Locked memory and open files as in the systemd units, as far as this machine lets us."""
    for what, wanted in ((resource.RLIMIT_MEMLOCK, resource.RLIM_INFINITY), (resource.RLIMIT_NOFILE, 262144)):
        try:
            resource.setrlimit(what, (wanted, wanted))
        except (ValueError, OSError):
            hard = resource.getrlimit(what)[1]
            resource.setrlimit(what, (hard, hard))


def environment(options, node):
    """Environment of what runs inside a node's namespace: swarmctl on the PATH, aimed at this node."""
    env = dict(os.environ)
    env["PATH"] = f"{build_dir(options) / 'controlplane'}:{build_dir(options) / 'dataplane'}:{env['PATH']}"
    env["SWARMDNS_SOCKET"] = str(node.admin_socket)
    env["SWARMDNS_CONFIG"] = str(node.config)
    return env


def child_pid(node, part):
    """Pid of a process that the node's control plane started, or None when it does not run.

    The pid file outlives a process that was killed; the program behind the number tells a stranger.
    """
    try:
        found = int((node.run / CHILD_PID_FILES[part]).read_text().split()[0])
        program = os.path.basename(os.readlink(f"/proc/{found}/exe")).removesuffix(" (deleted)")
    except (OSError, ValueError, IndexError):
        return None
    return found if program == CHILD_PROGRAMS[part] and procs.start_time(found) is not None else None


def pid(node, part):
    own = procs.alive_pid(f"n{node.i}-{part}") if part != "resolver" else None
    return own or (child_pid(node, part) if part != "controlplane" else None)


def parts(node):
    """Pid, or None, of each part of a node."""
    return {part: pid(node, part) for part in PARTS}


def end_lost(node):
    """Ends parts that run in a namespace which is no longer the node's (it was removed under them)."""
    home = netns.pids(node.ns)
    for part in PARTS:
        target = pid(node, part)
        if target and target not in home:
            procs.end_pid(target)


def is_outdated(options, node):
    """Whether a daemon runs another program than the one that is built now."""
    for part in BINARIES:
        target = pid(node, part)
        try:
            if target and os.readlink(f"/proc/{target}/exe") != str(binary(options, part)):
                return True  # also "... (deleted)": the file was replaced by a build
        except FileNotFoundError:
            continue
    return False


def start(options, node, part="controlplane"):
    """Starts the control plane (which starts the rest), or the data plane alone from its last configuration."""
    if part == "resolver":
        raise LabError("the control plane starts the resolver: `lab node N start controlplane`")
    if pid(node, part):
        return
    argv = [*netns.enter(node.ns), binary(options, part)]
    argv += ["--config", node.config] if part == "controlplane" else ["--state-dir", node.var]
    procs.start(f"n{node.i}-{part}", argv, env=environment(options, node), before=raise_limits)


def wait_ready(options, node, seconds=90):
    """Waits until the node answers a question over its service address, and swarmctl."""
    def check():
        if not procs.alive_pid(f"n{node.i}-controlplane"):
            raise LabError(
                f"the control plane of node {node.i} ended; its last words:\n" + procs.tail(f"n{node.i}-controlplane")
            )
        return health.is_up(node)

    try:
        procs.wait_until(check, seconds, f"an answer of node {node.i} at {node.service4}")
    except LabError as error:
        raise LabError(f"{error}\n--- log of its control plane:\n{procs.tail(f'n{node.i}-controlplane')}") from error


def signal_part(node, part, sig):
    """Sends `sig` to one part. Returns its pid, or None when it was not running."""
    target = pid(node, part)
    if target:
        os.kill(target, sig)
    return target


def stop(node, part="", sig=signal.SIGTERM):
    """Ends one part, or all of them: first the control plane, which would start the others again."""
    ended = []
    for name in (part,) if part else PARTS:
        target = pid(node, name)
        if target:
            procs.end_pid(target, sig)
            ended.append(name)
        procs.pid_file(f"n{node.i}-{name}").unlink(missing_ok=True)
    return ended


def remove_files(node):
    """Forgets what a node has written, except logs."""
    for folder in (node.run, node.var):
        for path in sorted(pathlib.Path(folder).rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
