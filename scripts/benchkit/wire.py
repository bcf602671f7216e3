"""Two network namespaces and a veth pair: the wire of the veth bench. Processes started here are ended by pid."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import time

SERVER, CLIENT = "swb-server", "swb-client"
SERVER_IF, CLIENT_IF = "swb-s0", "swb-c0"
SERVER_ADDRESS, CLIENT_ADDRESS = "10.54.0.1", "10.54.0.2"


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")


def set_up():
    tear_down()
    for namespace in (SERVER, CLIENT):
        ip("netns", "add", namespace)
        ip("-n", namespace, "link", "set", "lo", "up")
    ip("link", "add", SERVER_IF, "numrxqueues", "1", "numtxqueues", "1", "netns", SERVER, "type", "veth",
       "peer", "name", CLIENT_IF, "numrxqueues", "1", "numtxqueues", "1", "netns", CLIENT)
    for namespace, interface in ((SERVER, SERVER_IF), (CLIENT, CLIENT_IF)):
        ip("-n", namespace, "link", "set", interface, "up")
        # Kernel senders would leave only the pseudo-header sum in their checksums on a veth.
        in_namespace(namespace, ["ethtool", "-K", interface, "tx", "off"])
    ip("-n", CLIENT, "addr", "add", f"{CLIENT_ADDRESS}/24", "dev", CLIENT_IF)


def tear_down():
    for namespace in (SERVER, CLIENT):
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def in_namespace(namespace, command, **options):
    done = subprocess.run(["ip", "netns", "exec", namespace, *command], check=False, capture_output=True, text=True,
                          **options)
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")
    return done


def server_has_address(present):
    """Peers that use the kernel's neighbour table want the address on the wire; ours carries it on its TAP."""
    ip("-n", SERVER, "addr", "flush", "dev", SERVER_IF)
    if present:
        ip("-n", SERVER, "addr", "add", f"{SERVER_ADDRESS}/24", "dev", SERVER_IF)
    ip("-n", SERVER, "link", "set", SERVER_IF, "arp", "on" if present else "off")
    ip("-n", CLIENT, "neigh", "flush", "dev", CLIENT_IF)


def mac_of(namespace, interface):
    return in_namespace(namespace, ["cat", f"/sys/class/net/{interface}/address"]).stdout.strip()


def pin_neighbour():
    """Tells the client the server's MAC, for responders that answer nothing but what they are sent."""
    ip("-n", CLIENT, "neigh", "replace", SERVER_ADDRESS, "lladdr", mac_of(SERVER, SERVER_IF), "dev", CLIENT_IF, "nud",
       "permanent")


def pin_client():
    """Tells the server's kernel the client's MAC: under a flood it would ask in vain when its own entry has aged."""
    ip("-n", SERVER, "neigh", "replace", CLIENT_ADDRESS, "lladdr", mac_of(CLIENT, CLIENT_IF), "dev", SERVER_IF, "nud",
       "permanent")


def answers():
    """Whether the service answers one query of the list."""
    done = subprocess.run(["ip", "netns", "exec", CLIENT, "dig", f"@{SERVER_ADDRESS}", "+time=1", "+tries=1", "+short",
                           "n1.www.bench", "A"], capture_output=True, text=True, check=False)
    return done.stdout.strip() == "192.0.2.2"


def fill(folder):
    """Asks for every name of the list, slowly enough for a cache to fetch it, until none is lost on the way."""
    for _ in range(8):
        done = in_namespace(CLIENT, ["dnsperf", "-s", SERVER_ADDRESS, "-d", str(folder / "queries.txt"), "-n", "1", "-q",
                                     "50"])
        if re.search(r"Queries lost:\s+0 ", done.stdout) and re.search(r"Response codes:\s+NOERROR \d+ \(100", done.stdout):
            return
    raise RuntimeError(f"not every name is answered:\n{done.stdout[-2000:]}")


def detach_xdp():
    ip("-n", SERVER, "link", "set", "dev", SERVER_IF, "xdp", "off")


def frames_received():
    """Frames that arrived at the client's port: what counts, not what the load generator managed to look at."""
    path = f"/sys/class/net/{CLIENT_IF}/statistics/rx_packets"
    return int(in_namespace(CLIENT, ["cat", path]).stdout)


class Process:
    """A responder in the server's namespace, pinned to one core; its output is kept for the error message."""

    def __init__(self, command, cpus="1", namespace=SERVER):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="swb-", suffix=".log", delete=False)
        # A private mount namespace with bpffs, as AF_XDP wants it.
        script = 'mount -t bpf bpf /sys/fs/bpf 2>/dev/null; exec taskset -c "$0" "$@"'
        self.child = subprocess.Popen(["ip", "netns", "exec", namespace, "sh", "-c", script, cpus, *command],
                                      stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def output(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def check(self):
        if self.child.poll() is not None:
            command = " ".join(self.child.args[8:])
            raise RuntimeError(f"`{command}` ended with {self.child.returncode}:\n{self.output()[-3000:]}")

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.log.close()
        pathlib.Path(self.log.name).unlink(missing_ok=True)


def wait_for(condition, what, process, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        process.check()
        if condition():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{what} did not happen within {seconds} s:\n{process.output()[-3000:]}")


def scratch():
    path = pathlib.Path(tempfile.mkdtemp(prefix="swb-"))
    path.chmod(0o755)
    return path


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
