"""scripts/bench swarm: what a change costs in a swarm of three members on this machine, beside three members of etcd.

Both on loopback, with logs on the same disk, each with its default of durability. Ours: mTLS between the members, a signature
a bundle, a ledger of all; etcd: plain HTTP, as its clients and peers are here. `commit` is one change at a time asked of the
leader, `at-follower` of another member (etcd's through its JSON gateway, of a client that keeps its connection); `changes`
is as many as are taken, etcd's by `etcdctl check perf --load xl` (15,000 a second are offered). Then a node joins ours that is
a gibibyte behind.
"""

import argparse
import base64
import http.client
import json
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from . import report
from .peers import BUILD

CLIENT_PORT, PEER_PORT, MEMBERS = 19379, 19479, 3


class Etcd:
    """Three members of etcd."""

    def __init__(self, folder):
        names = [f"e{number}" for number in range(MEMBERS)]
        cluster = ",".join(f"{name}=http://127.0.0.1:{PEER_PORT + number}" for number, name in enumerate(names))
        self.processes = []
        for number, name in enumerate(names):
            client, peer = (f"http://127.0.0.1:{port + number}" for port in (CLIENT_PORT, PEER_PORT))
            with open(folder / f"{name}.log", "wb") as log:
                self.processes.append(subprocess.Popen(
                    ["etcd", "--name", name, "--data-dir", folder / name, "--listen-client-urls", client,
                     "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                     "--initial-cluster", cluster], stdout=log, stderr=log))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(20)

    def leader(self):
        """Number of the member that leads, as soon as all are there."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                told = [Client(number).post("/v3/maintenance/status", {}) for number in range(MEMBERS)]
            except OSError:
                time.sleep(0.2)
                continue
            ids = [each["header"]["member_id"] for each in told]
            if told[0].get("leader") in ids:
                return ids.index(told[0]["leader"])
            time.sleep(0.2)
        raise RuntimeError("etcd's members find no leader")


class Client:
    """One connection to one member."""

    def __init__(self, number):
        self.wire = http.client.HTTPConnection("127.0.0.1", CLIENT_PORT + number, timeout=10)

    def post(self, path, message):
        self.wire.request("POST", path, json.dumps(message))
        return json.loads(self.wire.getresponse().read())

    def put_times(self, seconds):
        """Milliseconds of each of as many changes as there is time for, one after the other."""
        taken, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            text = base64.b64encode(f"change {len(taken)}".encode()).decode()
            begun = time.monotonic()
            self.post("/v3/kv/put", {"key": text, "value": text})
            taken.append((time.monotonic() - begun) * 1000)
        return taken


def etcd_rate():
    """Changes a second; the check lasts a minute."""
    done = subprocess.run(["etcdctl", "--endpoints", ",".join(f"127.0.0.1:{CLIENT_PORT + n}" for n in range(MEMBERS)),
                           "check", "perf", "--load", "xl"], capture_output=True, text=True, check=False, timeout=200,
                          env={"ETCDCTL_API": "3", "PATH": "/usr/bin"})
    found = re.search(r"[Tt]hroughput (?:is|too low:) (\d+)", done.stdout + done.stderr)
    if not found:
        raise RuntimeError(f"etcdctl check perf: {done.stdout}{done.stderr}")
    return float(found[1])


def measure_etcd(folder, options):
    with Etcd(folder) as etcd:
        leader = etcd.leader()
        at_leader, at_follower = Client(leader), Client((leader + 1) % MEMBERS)
        at_leader.put_times(0.5)
        rounds = range(options.repeat)
        figures = {"commit": statistics.median(statistics.median(at_leader.put_times(options.seconds)) for _ in rounds),
                   "at-follower": statistics.median(statistics.median(at_follower.put_times(options.seconds)) for _ in rounds)}
        figures["changes"] = etcd_rate()
    return figures


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench swarm", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--behind-mib", type=float, default=1024, help="0: no node joins")
    parser.add_argument("--directory", default="/var/tmp", help="where logs and ledgers are put")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swarmdns-bench-", dir=options.directory) as name:
        folder = pathlib.Path(name)
        theirs = measure_etcd(folder, options)
        found = folder / "swarm.json"
        subprocess.run([BUILD / "tests/bench/bench-swarm", "--json", found, "--repeat", str(options.repeat), "--seconds",
                        str(options.seconds), "--behind-mib", str(options.behind_mib), "--directory", folder],
                       check=True, stdout=subprocess.DEVNULL)
        rows = json.loads(found.read_text())
    print(report.machine())
    for row in rows:
        if row["case"] in theirs:
            row["ratio_to"]["etcd"] = report.ratio(row["unit"], row["value"], theirs[row["case"]])
        print(report.line(row))
    for case, value in theirs.items():
        unit = "changes/s" if case == "changes" else "ms"
        rows.append({"bench": "swarm", "case": f"etcd-{case}", "value": round(value, 3), "unit": unit, "ratio_to": {}})
        print(report.line(rows[-1]))
    if options.json:
        report.write_json(rows, options.json)


if __name__ == "__main__":
    sys.exit(main())
