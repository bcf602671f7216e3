"""One node: its configuration file and its processes.

The control plane is started by us; it starts the resolver and the data plane. Pid files tell which is which:
ours for the control plane (or for a data plane started without one), the node's own in its run_dir for its children.
"""

import os
import pathlib
import resource
import signal

from . import clock, health, netns, node_config, priority, procs
from .settings import DAEMONS, LabError, binary, build_dir

PARTS = ("controlplane", "resolver", "dataplane")
CHILD_PID_FILES = {"dataplane": "dataplane.pid", "resolver": "resolver.pid"}
CHILD_PROGRAMS = {"dataplane": "swarmdns-dataplane", "resolver": "unbound"}


def prepare(options, node):
    """Folders and configuration of a node, from scratch: a lab starts with empty caches."""
    node.run.mkdir(parents=True, exist_ok=True)
    node.var.mkdir(parents=True, exist_ok=True)
    text = node_config.config_text(options, node)
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


def before_start(options):
    """What a node's process does before it becomes its program."""
    raise_limits()
    if options.nodes > 1:
        priority.join()


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
    for part in DAEMONS:
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
    shifted = clock.words(node) if options.faults and part == "controlplane" else []
    argv = [*netns.enter(node.ns), *shifted, binary(options, part)]
    argv += ["--config", node.config] if part == "controlplane" else ["--state-dir", node.var]
    procs.start(f"n{node.i}-{part}", argv, env=environment(options, node), before=lambda: before_start(options))


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


def signal_parts(node, part, sig):
    """Sends `sig` to one part, or to all of them. Returns the parts that were running."""
    running = {name: pid(node, name) for name in ((part,) if part else PARTS)}
    running = {name: target for name, target in running.items() if target}
    for target in running.values():
        os.kill(target, sig)
    return list(running)


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
