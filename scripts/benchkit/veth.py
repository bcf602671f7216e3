"""scripts/bench veth: replies a second over one veth pair, one worker core, kxdpgun on the other core.

Each responder gets the same queries (10,000 names of one zone) flat out for the same time, in turns, so that a drift
of the machine falls on all of them. Counted are the frames that arrive at the client's port.
"""

import subprocess
import time

from . import contest, peers, wire
from .peers import BUILD, knot_conf


def answers():
    """Whether the service answers one query of the list."""
    done = subprocess.run(["ip", "netns", "exec", wire.CLIENT, "dig", f"@{wire.SERVER_ADDRESS}", "+time=1", "+tries=1",
                           "+short", "n1.www.bench", "A"], capture_output=True, text=True, check=False)
    return done.stdout.strip() == "192.0.2.2"


class KnotXdp:
    """Knot DNS answering from its zone over AF_XDP."""

    def start(self, folder):
        wire.server_has_address(True)
        conf = folder / "knot-xdp.conf"
        if not conf.exists():
            knot_conf(folder, "knot-xdp", f"xdp:\n    listen: {wire.SERVER_IF}")
        self.process = wire.Process(["knotd", "-c", str(conf)])
        wire.wait_for(answers, "an answer from Knot DNS XDP", self.process)

    def stop(self):
        self.process.stop()
        wire.detach_xdp()  # knotd leaves its program there


class Empty:
    """Our EAL and port code without DNS: every frame is turned around and sent back."""

    def start(self, folder):
        wire.server_has_address(False)
        wire.pin_neighbour()
        self.process = wire.Process([str(BUILD / "tests/bench/bench-empty-responder"),
                                     f"--vdev=net_af_xdp0,iface={wire.SERVER_IF}", "--cpu=1"], cpus="0,1")
        time.sleep(2)
        self.process.check()

    def stop(self):
        self.process.stop()


class SwarmDns(peers.SwarmDns):
    def start(self, folder):
        wire.server_has_address(False)
        self.start_node(folder, f"net_af_xdp0,iface={wire.SERVER_IF}", wire.SERVER_ADDRESS)
        wire.wait_for(answers, "an answer from swarmdns-dataplane", self.process)
        for _ in range(2):
            subprocess.run(["ip", "netns", "exec", wire.CLIENT, "dnsperf", "-s", wire.SERVER_ADDRESS, "-d",
                            str(folder / "queries.txt"), "-n", "1", "-q", "200"], capture_output=True, check=True)


def measure(folder, responder, seconds):
    """Replies a second at the client's port, under a flood of queries."""
    load = subprocess.Popen(["ip", "netns", "exec", wire.CLIENT, "taskset", "-c", "0", "kxdpgun", "-t", str(seconds + 2),
                             "-Q", "20000000", "-i", str(folder / "queries.txt"), "-I", wire.CLIENT_IF,
                             wire.SERVER_ADDRESS], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(1)
    before, start = wire.frames_received(), time.monotonic()
    time.sleep(seconds)
    after, end = wire.frames_received(), time.monotonic()
    output = load.communicate()[0]
    if load.returncode:
        raise RuntimeError(f"kxdpgun failed:\n{output}")
    if not isinstance(responder, Empty) and "responded NOERROR" not in output:
        raise RuntimeError(f"{type(responder).__name__} did not answer NOERROR:\n{output}")
    return (after - before) / (end - start), ""


def set_up(folder):
    wire.set_up()
    peers.write_zone(folder)


if __name__ == "__main__":
    contest.run("veth", __doc__, {"swarmdns": SwarmDns, "empty": Empty, "knot-xdp": KnotXdp}, set_up, measure,
                wire.tear_down)
