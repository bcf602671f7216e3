"""scripts/bench veth: replies a second over one veth pair, one worker core, kxdpgun on the other core.

Each responder gets the same queries (10,000 names of one zone) flat out for the same time, in turns, so that a drift
of the machine falls on all of them. Counted are the frames that arrive at the client's port.
"""

import re
import subprocess
import time

from . import contest, peers, peers_kernel, wire
from .peers import BUILD


class KnotXdp(peers.Responder):
    """Knot DNS answering from its zone over AF_XDP."""

    def start(self, folder):
        wire.server_has_address(True)
        conf = folder / "knot-xdp.conf"
        if not conf.exists():
            peers.knot_conf(folder, "knot-xdp", f"xdp:\n    listen: {wire.SERVER_IF}")
        self.spawn(["knotd", "-c", conf])
        wire.wait_for(wire.answers, "an answer from Knot DNS XDP", self.process)

    def stop(self):
        super().stop()
        wire.detach_xdp()  # knotd leaves its program there


class Empty(peers.Responder):
    """Our EAL and port code without DNS: every frame is turned around and sent back."""

    def start(self, folder):
        wire.server_has_address(False)
        wire.pin_neighbour()
        self.spawn([BUILD / "tests/bench/bench-empty-responder", f"--vdev=net_af_xdp0,iface={wire.SERVER_IF}",
                    "--cpu=1"], "0,1")
        time.sleep(2)
        self.process.check()


class SwarmDns(peers.SwarmDns):
    def start(self, folder):
        wire.server_has_address(False)
        self.start_node(folder, f"net_af_xdp0,iface={wire.SERVER_IF}", wire.SERVER_ADDRESS)
        wire.wait_for(wire.answers, "an answer from swarmdns-dataplane", self.process)
        wire.fill(folder)


PEERS = {"swarmdns": SwarmDns, "empty": Empty, "knot-xdp": KnotXdp, "nsd": peers_kernel.Nsd,
         "unbound": peers_kernel.Unbound, "dnsdist": peers_kernel.Dnsdist, "bind": peers_kernel.Bind}


def measure(folder, responder, seconds):
    """Replies a second at the client's port, under a flood of queries."""
    load = subprocess.Popen(["ip", "netns", "exec", wire.CLIENT, "taskset", "-c", "0", "kxdpgun", "-t", str(seconds + 2),
                             "-Q", "20000000", "-i", str(folder / "queries.txt"), "-I", wire.CLIENT_IF,
                             wire.SERVER_ADDRESS], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        time.sleep(1)
        before, start = wire.frames_received(), time.monotonic()
        time.sleep(seconds)
        after, end = wire.frames_received(), time.monotonic()
        output = load.communicate(timeout=30)[0]
    except subprocess.TimeoutExpired as error:
        raise RuntimeError("kxdpgun does not end") from error
    finally:
        load.kill()
        load.wait()
    if load.returncode:
        raise RuntimeError(f"kxdpgun failed:\n{output}")
    if not isinstance(responder, Empty):
        check_rcodes(output)
    return (after - before) / (end - start), ""


def check_rcodes(output):
    """Every reply that kxdpgun looked at must be an answer."""
    found = {name: int(count) for name, count in re.findall(r"responded (\w+):\s+(\d+)", output)}
    if set(found) != {"NOERROR"}:
        raise RuntimeError(f"other replies than NOERROR, or none at all:\n{output}")


def set_up(folder):
    wire.set_up()
    peers.write_zone(folder)


if __name__ == "__main__":
    contest.run("veth", __doc__, PEERS, set_up, measure,
                wire.tear_down)
