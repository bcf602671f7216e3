"""Where the lab keeps its things, and how it numbers its links.

Every address of the lab is derived here, so that a reader finds the whole plan on one page:

    10.53.i.0/24   fd53:i::/64     service link of node i (client .254, node .1 on its TAP)
    10.54.0.0/24   fd54::/64       management bridge (node i is .i)
    10.55.i.0/30   fd55:i::/64     upstream link of node i (node .1, Internet .2)
    10.53.128.0/17 fd53:8000::/17  further clients: sw-client answers to each of these addresses (AnyIP)
    198.18.0.0/15  fd18::/16       name servers of the lab's Internet (AnyIP in sw-internet)
"""

import dataclasses
import json
import os
import pathlib
import re

REPO = pathlib.Path(__file__).resolve().parents[2]
RUN = pathlib.Path("/run/swarmdns-lab")
VAR = pathlib.Path("/var/tmp/swarmdns-lab")
STATE_FILE = RUN / "state.json"
LOCK_FILE = pathlib.Path("/run/swarmdns-lab.lock")

CLIENT_NS = "sw-client"
INTERNET_NS = "sw-internet"
MGMT_NS = "sw-mgmt"
MAX_NODES = 9

CLIENTS_NET4 = "10.53.128.0/17"
CLIENTS_NET6 = "fd53:8000::/17"
SERVER_NET4 = "198.18.0.0/15"
SERVER_NET6 = "fd18::/16"
PORT_INTERFACE = "vb"  # carrier of the AF_XDP port, inside the node's namespace
SWARM_PORT = 8453  # where nodes talk to each other, on their management addresses
TAP_INTERFACE = "swtap0"  # made by the data plane, carries the service addresses


class LabError(Exception):
    """Something the operator can mend; the text says how."""


@dataclasses.dataclass
class Options:
    """What `lab up` was asked for. Stored, so that later commands and a second `up` know."""

    nodes: int = 1
    seed: int = 1
    names: str = ""
    root_zone: str = ""
    root_key: str = "/usr/share/dns/root.key"
    val_date: str = ""
    workers: int = 1
    driver: str = "af_xdp"
    build: str = ""
    start: bool = True
    idle: str = "adaptive"
    regions: str = ""
    faults: bool = False


@dataclasses.dataclass
class Node:
    """Names and addresses of node `i` (1 … MAX_NODES)."""

    i: int

    @property
    def ns(self):
        return f"sw-n{self.i}"

    @property
    def client_if(self):
        return f"sw-c{self.i}"

    @property
    def port_mac(self):
        return f"02:53:00:00:00:{self.i:02x}"

    @property
    def client_mac(self):
        return f"02:53:00:00:01:{self.i:02x}"

    @property
    def service4(self):
        return f"10.53.{self.i}.1"

    @property
    def service6(self):
        return f"fd53:{self.i}::1"

    @property
    def client4(self):
        return f"10.53.{self.i}.254"

    @property
    def client6(self):
        return f"fd53:{self.i}::254"

    @property
    def mgmt4(self):
        return f"10.54.0.{self.i}"

    @property
    def mgmt6(self):
        return f"fd54::{self.i}"

    @property
    def upstream4(self):
        return f"10.55.{self.i}.1"

    @property
    def upstream6(self):
        return f"fd55:{self.i}::1"

    @property
    def gateway4(self):
        return f"10.55.{self.i}.2"

    @property
    def gateway6(self):
        return f"fd55:{self.i}::2"

    @property
    def run(self):
        return RUN / f"n{self.i}"

    @property
    def var(self):
        return VAR / f"n{self.i}"

    @property
    def config(self):
        return self.run / "swarmdns.yaml"

    @property
    def admin_socket(self):
        return self.run / "admin.sock"


def server4(a, b):
    """Name-server address number (a, b) of the lab's Internet; the IPv6 twin is server6(a, b)."""
    return f"198.18.{a}.{b}"


def server6(a, b):
    return f"fd18::{a}:{b}"


def build_dir(options):
    """The Meson build directory whose binaries the nodes run."""
    chosen = options.build or os.environ.get("SWARMDNS_BUILD") or str(REPO / "build")
    return pathlib.Path(chosen).resolve()


PROGRAMS = {
    "controlplane": "controlplane/swarmdns-controlplane",
    "dataplane": "dataplane/swarmdns-dataplane",
    "swarmctl": "controlplane/swarmctl",
}
DAEMONS = ("controlplane", "dataplane")


def binary(options, program):
    path = build_dir(options) / PROGRAMS[program]
    if not os.access(path, os.X_OK):
        raise LabError(
            f"{path} is not there: build it with `meson setup build && ninja -C build`, "
            "or name the build directory with --build DIR (or SWARMDNS_BUILD)"
        )
    return path


def regions(options):
    """The region of each node, in the nodes' order."""
    if not options.regions:
        east = options.nodes - options.nodes // 2
        return ["lab"] * options.nodes if options.nodes <= 3 else ["east"] * east + ["west"] * (options.nodes - east)
    chosen = options.regions.split(",")
    if len(chosen) != options.nodes:
        raise LabError(f"--regions {options.regions}: name one region for each of the {options.nodes} nodes")
    for name in chosen:
        if not re.fullmatch(r"[a-z0-9-]+", name):
            raise LabError(f"--regions: `{name}` is no region; a name is of a-z, 0-9 and -")
    return chosen


def region(options, number):
    return regions(options)[number - 1]


def save_state(options):
    RUN.mkdir(parents=True, exist_ok=True)
    tmp = STATE_FILE.with_suffix(".tmp")
    tmp.write_text(json.dumps(dataclasses.asdict(options), indent=1) + "\n")
    tmp.replace(STATE_FILE)


def load_state():
    """Options of the lab that is up, or None."""
    try:
        data = json.loads(STATE_FILE.read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        return None  # a half-written state of a crashed lab counts as no state
    known = {f.name for f in dataclasses.fields(Options)}
    return Options(**{k: v for k, v in data.items() if k in known})
