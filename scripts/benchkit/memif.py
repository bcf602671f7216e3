"""scripts/bench memif: replies a second over shared memory, one worker core, dnsvolley on the other core.

Each responder gets the same queries (10,000 names of one zone) as fast as it answers, in turns, so that a drift of the
machine falls on all of them. Counted are the replies that dnsvolley found right; for those that send frames back as
they are (the empty responder, testpmd) its own queries.
"""

import argparse
import json
import shutil
import subprocess
import sys

from . import report, wire
from .veth import BUILD, NAMES, knot_conf, write_zone

NAMESPACE = "swb-memif"
SERVER_ADDRESS, CLIENTS = "10.54.1.1", "10.54.1.64/26"
DNSVOLLEY = BUILD / "dataplane/volley/dnsvolley"


def memif(role, folder):
    # The server stays and the client comes and goes; only the client may share its memory as it is.
    own = ",zero-copy=yes" if role == "client" else ""
    return f"net_memif0,role={role},socket={folder}/memif.sock,socket-abstract=no{own}"


def set_up():
    tear_down()
    wire.ip("netns", "add", NAMESPACE)
    wire.ip("-n", NAMESPACE, "link", "set", "lo", "up")


def tear_down():
    subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)


def dnsvolley(folder, *options):
    """Its report; the caller looks at `passed`."""
    command = [str(DNSVOLLEY), "--device", memif("client", folder), "--eal=--single-file-segments", "--cpu=0",
               "--main-cpu=0", "--target", SERVER_ADDRESS, "--source", CLIENTS, "--queries", f"{folder}/queries.txt",
               "--resolve-timeout=20", "--json=-", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"dnsvolley ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


class FrameMirror:
    """A responder that sends frames back as they are, addresses turned around."""

    options = ("--echo", "--mac=02:00:00:00:00:53")

    def start(self, folder):
        (folder / "memif.sock").unlink(missing_ok=True)
        self.process = wire.Process(self.command(folder), cpus="0,1", namespace=NAMESPACE)
        wire.wait_for((folder / "memif.sock").exists, "a memif socket", self.process)

    def stop(self):
        self.process.stop()


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


class SwarmDns:
    """This node's data plane, its cache filled through the miss path from Knot DNS on loopback."""

    options = ()

    def start(self, folder):
        (folder / "memif.sock").unlink(missing_ok=True)
        conf = folder / "upstream.conf"
        if not conf.exists():
            knot_conf(folder, "upstream", "    listen: 127.0.0.1@5300")
        self.upstream = wire.Process(["knotd", "-c", str(conf)], cpus="0", namespace=NAMESPACE)
        state = folder / "swarmdns"
        state.mkdir(exist_ok=True)
        config = {
            "eal": {"mainCpu": 0, "workerCpus": [1], "memoryMib": 256, "filePrefix": "swbm",
                    "extraArgs": ["--single-file-segments"]},
            "ports": [{"device": memif("server", folder), "tap": "swbtap0", "addresses": [f"{SERVER_ADDRESS}/24"]}],
            "worker": {"idle": "SPIN"},
            "cache": {"memoryMib": "128"},
            "guard": {"rateLimit": {"responsesPerSecond": 10000000}},
            "upstream": {"servers": ["127.0.0.1@5300"]},
            "nodeName": "bench", "stateDir": str(state), "runDir": str(state), "user": "root",
        }
        path = folder / "swarmdns.json"
        path.write_text(json.dumps(config))
        self.process = wire.Process([str(BUILD / "dataplane/swarmdns-dataplane"), "--config", str(path)], cpus="0,1",
                                    namespace=NAMESPACE)
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

    def stop(self):
        self.process.stop()
        self.upstream.stop()


def measure(folder, responder, seconds):
    found = dnsvolley(folder, *responder.options, "--warmup=1", f"--duration={seconds}")
    if not found["passed"]:
        raise RuntimeError(f"dnsvolley says: {'; '.join(found['failures'])}")
    return found["received_per_second"], found["idle_percent"]


def write_answers(folder):
    (folder / "answers.txt").write_text("".join(f"n{number}.www.bench. A NOERROR 192.0.2.{number % 250 + 1}\n"
                                                for number in range(NAMES)))


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench memif", description=__doc__)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each responder")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement")
    options = parser.parse_args()
    responders = {"swarmdns": SwarmDns, "empty": Empty}
    if shutil.which("dpdk-testpmd"):
        responders["testpmd"] = Testpmd
    samples = {case: [] for case in responders}
    folder = wire.scratch()
    try:
        set_up()
        write_zone(folder)
        write_answers(folder)
        for _ in range(options.repeat):
            for case, responder in responders.items():
                running = responder()
                try:
                    running.start(folder)
                    rate, idle = measure(folder, running, options.seconds)
                finally:
                    running.stop()
                samples[case].append(rate)
                print(f"{case}: {rate:,.0f} replies/s, dnsvolley idle for {idle:.0f} % of the time", file=sys.stderr)
    finally:
        tear_down()
        wire.remove(folder)
    rows = report.rows_of("memif", "swarmdns", "replies/s", samples)
    report.print_table(rows, samples)
    if options.json:
        report.write_json(rows, options.json)


if __name__ == "__main__":
    main()
