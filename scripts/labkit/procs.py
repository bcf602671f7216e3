"""Long-running processes of the lab: started into a namespace, ended by pid file.

A pid file holds `pid starttime`. The start time (field 22 of /proc/PID/stat) tells our process from a
stranger that was given the same pid after a crash or a reboot; a process is never looked up by name.
"""

import os
import pathlib
import signal
import subprocess
import time

from .settings import RUN, VAR, LabError

PIDS = RUN / "pids"
LOGS = VAR / "logs"


def start_time(pid):
    """Kernel start time of `pid` in clock ticks since boot, or None when there is no such process. One whose first thread has
    ended and others have not is there still: it has its files, and the locks on them."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rsplit(")", 1)[1].split()
    if fields[0] == "Z" and int(fields[17]) <= 1:
        return None
    return int(fields[19])


def is_paused(pid):
    """Whether SIGSTOP holds the process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pid_file(name):
    return PIDS / f"{name}.pid"


def record(name, pid):
    PIDS.mkdir(parents=True, exist_ok=True)
    pid_file(name).write_text(f"{pid} {start_time(pid) or 0}\n")


def alive_pid(name):
    """Pid of the running process recorded as `name`, or None."""
    try:
        words = pid_file(name).read_text().split()
        pid, born = int(words[0]), int(words[1])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return pid if start_time(pid) == born else None


def log_file(name):
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / f"{name}.log"


def start(name, argv, env=None, before=None):
    """Starts `argv` in a session of its own, its output in the log of `name`. Returns the pid.

    `before` is called in the new process before it becomes `argv`.
    """
    running = alive_pid(name)
    if running:
        return running
    with open(log_file(name), "ab") as log:
        child = subprocess.Popen(
            [str(a) for a in argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            start_new_session=True,
            cwd="/",
            preexec_fn=before,
        )
    record(name, child.pid)
    return child.pid


def wait_gone(pid, born, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if start_time(pid) != born:
            return True
        try:
            os.waitpid(pid, os.WNOHANG)  # reap it if it is our own child
        except ChildProcessError:
            pass
        time.sleep(0.02)
    return start_time(pid) != born


def end_pid(pid, sig=signal.SIGTERM, patience=8.0):
    """Ends one process: `sig`, then SIGKILL when it has not gone after `patience` seconds."""
    born = start_time(pid)
    if born is None:
        return
    for signum, seconds in ((sig, patience), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, signum)
            os.kill(pid, signal.SIGCONT)  # a paused process would not take notice
        except ProcessLookupError:
            return
        if wait_gone(pid, born, seconds):
            return
    raise LabError(f"process {pid} does not end, not even by SIGKILL; see /proc/{pid}/stack")


def stop(name, sig=signal.SIGTERM, patience=8.0):
    """Ends the process recorded as `name`. Returns whether there was one."""
    pid = alive_pid(name)
    if pid:
        end_pid(pid, sig, patience)
    pid_file(name).unlink(missing_ok=True)
    return pid is not None


def tail(name, lines=12):
    try:
        text = log_file(name).read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def wait_until(check, seconds, what, step=0.05):
    """Polls `check()` until it is true; LabError naming `what` when it is not in time."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"{what} did not happen within {seconds:g} s")
        time.sleep(step)
