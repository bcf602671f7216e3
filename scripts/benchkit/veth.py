"""scripts/bench veth: replies a second over one veth pair, one worker core, kxdpgun on the other core.

Each responder gets the same queries (10,000 names of one zone) flat out for the same time, in turns, so that a drift
of the machine falls on all of them. Counted are the frames that arrive at the client's port.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

from . import report, wire

NAMES = 10_000
BUILD = pathlib.Path(os.environ.get("SWARMDNS_BUILD", "build"))


def write_zone(folder):
    zone = ["$ORIGIN bench.", "$TTL 86400", "@ SOA ns hostmaster 1 3600 600 86400 300", "@ NS ns", "ns A 192.0.2.1"]
    queries = []
    for number in range(NAMES):
        zone.append(f"n{number}.www A 192.0.2.{number % 250 + 1}")
        queries.append(f"n{number}.www.bench. A")
    (folder / "bench.zone").write_text("\n".join(zone) + "\n")
    (folder / "queries.txt").write_text("\n".join(queries) + "\n")


def knot_conf(folder, name, listen):
    state = folder / name
    state.mkdir()
    path = folder / f"{name}.conf"
    path.write_text(f"""server:
    rundir: {state}
    user: root:root
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
{listen}
database:
    storage: {state}
zone:
  - domain: bench.
    file: {folder}/bench.zone
""")
    return path


def answers(folder):
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
        wire.wait_for(lambda: answers(folder), "an answer from Knot DNS XDP", self.process)

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


class SwarmDns:
    """This node's data plane, its cache filled through the miss path from Knot DNS on loopback."""

    def start(self, folder):
        wire.server_has_address(False)
        conf = folder / "upstream.conf"
        if not conf.exists():
            knot_conf(folder, "upstream", "    listen: 127.0.0.1@5300")
        self.upstream = wire.Process(["knotd", "-c", str(conf)], cpus="0")
        state = folder / "swarmdns"
        state.mkdir(exist_ok=True)
        config = {
            "eal": {"mainCpu": 0, "workerCpus": [1], "memoryMib": 256, "filePrefix": "swb"},
            "ports": [{"device": f"net_af_xdp0,iface={wire.SERVER_IF}", "tap": "swbtap0",
                       "addresses": [f"{wire.SERVER_ADDRESS}/24"]}],
            "worker": {"idle": "SPIN"},
            "cache": {"memoryMib": "128"},
            "guard": {"rateLimit": {"responsesPerSecond": 10000000}},
            "upstream": {"servers": ["127.0.0.1@5300"]},
            "nodeName": "bench", "stateDir": str(state), "runDir": str(state), "user": "root",
        }
        path = folder / "swarmdns.json"
        path.write_text(json.dumps(config))
        self.process = wire.Process([str(BUILD / "dataplane/swarmdns-dataplane"), "--config", str(path)], cpus="0,1")
        wire.wait_for(lambda: answers(folder), "an answer from swarmdns-dataplane", self.process)
        for _ in range(2):
            subprocess.run(["ip", "netns", "exec", wire.CLIENT, "dnsperf", "-s", wire.SERVER_ADDRESS, "-d",
                            str(folder / "queries.txt"), "-n", "1", "-q", "200"], capture_output=True, check=True)

    def stop(self):
        self.process.stop()
        self.upstream.stop()


def measure(folder, seconds):
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
    return (after - before) / (end - start), output


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench veth", description=__doc__)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each responder")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement")
    options = parser.parse_args()
    responders = {"swarmdns": SwarmDns, "empty": Empty, "knot-xdp": KnotXdp}
    samples = {case: [] for case in responders}
    folder = wire.scratch()
    try:
        wire.set_up()
        write_zone(folder)
        for _ in range(options.repeat):
            for case, responder in responders.items():
                running = responder()
                try:
                    running.start(folder)
                    rate, output = measure(folder, options.seconds)
                finally:
                    running.stop()
                samples[case].append(rate)
                print(f"{case}: {rate:,.0f} replies/s", file=sys.stderr)
                if case != "empty" and "responded NOERROR" not in output:
                    raise RuntimeError(f"{case} did not answer NOERROR:\n{output}")
    finally:
        wire.tear_down()
        wire.remove(folder)
    rows = report.rows_of("veth", "swarmdns", "replies/s", samples)
    report.print_table(rows, samples)
    if options.json:
        report.write_json(rows, options.json)


if __name__ == "__main__":
    main()
