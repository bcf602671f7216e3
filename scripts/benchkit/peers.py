"""What the benches over a wire have in common: one zone of names, Knot DNS to serve it, and this node."""

import json
import os
import pathlib

from . import wire

NAMES = 10_000
UPSTREAM = "127.0.0.1@5300"
BUILD = pathlib.Path(os.environ.get("SWARMDNS_BUILD", "build"))


def write_zone(folder):
    zone = ["$ORIGIN bench.", "$TTL 86400", "@ SOA ns hostmaster 1 3600 600 86400 300", "@ NS ns", "ns A 192.0.2.1"]
    queries = []
    for number in range(NAMES):
        zone.append(f"n{number}.www A {address_of(number)}")
        queries.append(f"n{number}.www.bench. A")
    (folder / "bench.zone").write_text("\n".join(zone) + "\n")
    (folder / "queries.txt").write_text("\n".join(queries) + "\n")


def address_of(number):
    return f"192.0.2.{number % 250 + 1}"


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


class Responder:
    """What answers on the wire: its processes, the last of them the one that does."""

    def __init__(self):
        self.processes = []

    @property
    def process(self):
        return self.processes[-1]

    def spawn(self, command, cpus="1", namespace=wire.SERVER):
        self.processes.append(wire.Process([str(word) for word in command], cpus, namespace))

    def spawn_upstream(self, folder, namespace=wire.SERVER):
        """Knot DNS with the zone, on loopback and beside the load generator: asked once for each name."""
        conf = folder / "upstream.conf"
        if not conf.exists():
            knot_conf(folder, "upstream", f"    listen: {UPSTREAM}")
        self.spawn(["knotd", "-c", conf], "0", namespace)

    def stop(self):
        while self.processes:
            self.processes.pop().stop()


class SwarmDns(Responder):
    """This node's data plane, spinning on CPU 1; its upstream is Knot DNS on loopback. Filling its cache is the bench's."""

    idle = "SPIN"

    def start_node(self, folder, device, address, namespace=wire.SERVER, eal_arguments=()):
        self.spawn_upstream(folder, namespace)
        state = folder / "swarmdns"
        state.mkdir(exist_ok=True)
        config = {
            "eal": {"mainCpu": 0, "workerCpus": [1], "memoryMib": 256, "filePrefix": "swb",
                    "extraArgs": list(eal_arguments)},
            "ports": [{"device": device, "tap": "swbtap0", "addresses": [f"{address}/24"]}],
            "worker": {"idle": self.idle},
            "cache": {"memoryMib": "128"},
            "guard": {"rateLimit": {"responsesPerSecond": 10000000}},
            "upstream": {"servers": [UPSTREAM]},
            "nodeName": "bench", "stateDir": str(state), "runDir": str(state), "user": "root",
        }
        path = folder / "swarmdns.json"
        path.write_text(json.dumps(config))
        self.spawn([BUILD / "dataplane/swarmdns-dataplane", "--config", path], "0,1", namespace)
