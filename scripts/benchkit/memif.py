"""scripts/bench memif: replies a second over shared memory, one worker core, dnsvolley on the other core.

Each responder gets the same queries (10,000 names of one zone) as fast as it answers, in turns, so that a drift of the
machine falls on all of them. Counted are the replies that dnsvolley found right; for those that send frames back as
they are (the empty responder, testpmd) its own queries.
"""

import json
import subprocess

from . import contest, peers, wire
from .peers import BUILD, NAMES

NAMESPACE = "swb-memif"
SERVER_ADDRESS, CLIENTS = "10.54.1.1", "10.54.1.64/26"
DNSVOLLEY = BUILD / "dataplane/volley/dnsvolley"


def memif(role, folder):
    # The server stays and the client comes and goes; only the client may share its memory as it is.
    own = ",zero-copy=yes" if role == "client" else ""
    return f"net_memif0,role={role},socket={folder}/memif.sock,socket-abstract=no{own}"


def dnsvolley(folder, *options):
    """Its report; the caller looks at `passed`."""
    command = [str(DNSVOLLEY), "--device", memif("client", folder), "--eal=--single-file-segments", "--cpu=0",
               "--main-cpu=0", "--target", SERVER_ADDRESS, "--source", CLIENTS, "--queries", f"{folder}/queries.txt",
               "--resolve-timeout=20", "--json=-", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"dnsvolley ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


class FrameMirror(peers.Responder):
    """A responder that sends frames back as they are, addresses turned around."""

    options = ("--echo", "--mac=02:00:00:00:00:53")

    def start(self, folder):
        (folder / "memif.sock").unlink(missing_ok=True)
        self.spawn(self.command(folder), "0,1", NAMESPACE)
        wire.wait_for((folder / "memif.sock").exists, "a memif socket", self.process)


class Empty(FrameMirror):
    """Our EAL and port code without DNS."""

    def command(self, folder):
        return [str(BUILD / "tests/bench/bench-empty-responder"), f"--vdev={memif('server', folder)}", "--cpu=1",
                "--main-cpu=0", "--eal=--single-file-segments"]


class Testpmd(FrameMirror):
    """DPDK's own tool with the same rings and burst: what an empty responder ought to reach."""

    def command(self, folder):
        return ["dpdk-testpmd", "--lcores=0@0,1@1", "--no-pci", "--no-huge", "-m", "256", "--single-file-segments",
                "--no-shconf", "--no-telemetry", "--file-prefix=swbpmd", f"--vdev={memif('server', folder)}", "--",
                "--forward-mode=5tswap", "--auto-start", "--burst=32", "--rxd=1024", "--txd=1024", "--nb-cores=1",
                "--total-num-mbufs=16384", "--stats-period=3600"]  # without a terminal it ends at once otherwise


class SwarmDns(peers.SwarmDns):
    options = ()

    def start(self, folder):
        (folder / "memif.sock").unlink(missing_ok=True)
        self.start_node(folder, memif("server", folder), SERVER_ADDRESS, NAMESPACE, ["--single-file-segments"])
        wire.wait_for(lambda: " info ready " in self.process.output(), "a ready node", self.process)
        self.fill(folder)

    def fill(self, folder):
        """Every name once, slowly enough for the miss path; then every answer must be right."""
        dnsvolley(folder, "--rate=10k", f"--count={NAMES}", "--timeout=5")
        found = dnsvolley(folder, "--rate=20k", f"--count={NAMES}", "--timeout=5", "--strict", "--random-case",
                          "--max-shortfall=100", "--expect", f"{folder}/answers.txt")
        if not found["passed"] or found["received"] < NAMES * 0.99:
            raise RuntimeError(f"swarmdns-dataplane does not answer as it should:\n{json.dumps(found, indent=1)}\n"
                               f"{self.process.output()[-2000:]}")


def measure(folder, responder, seconds):
    found = dnsvolley(folder, *responder.options, "--warmup=1", f"--duration={seconds}")
    if not found["passed"]:
        raise RuntimeError(f"dnsvolley says: {'; '.join(found['failures'])}")
    return found["received_per_second"], f", dnsvolley idle for {found['idle_percent']:.0f} % of the time"


def set_up(folder):
    tear_down()
    wire.ip("netns", "add", NAMESPACE)
    wire.ip("-n", NAMESPACE, "link", "set", "lo", "up")
    peers.write_zone(folder)
    (folder / "answers.txt").write_text("".join(f"n{number}.www.bench. A NOERROR {peers.address_of(number)}\n"
                                                for number in range(NAMES)))


def tear_down():
    subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)


if __name__ == "__main__":
    contest.run("memif", __doc__, {"swarmdns": SwarmDns, "empty": Empty, "testpmd": Testpmd}, set_up, measure, tear_down)
