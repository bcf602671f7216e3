#!/usr/bin/python3
"""Layer check: who may include whom.

proto includes neither plane, the planes never include each other, and DPDK headers stay in the folders that own packet
I/O. Prints each breach as FILE:LINE with the rule; exit code 1 when there is one.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')
DPDK_FOLDERS = ("dataplane/eal/", "dataplane/worker/", "dataplane/exception/", "dataplane/app/", "dataplane/main.cc",
                "dataplane/volley/port_wire.")
GRPC_FOLDERS = ("dataplane/control/", "dataplane/app/", "dataplane/main.cc", "controlplane/", "proto/rpc/")


def breach(path, header):
    """The rule that this include breaks, or None."""
    if path.startswith("proto/") and header.startswith(("dataplane/", "controlplane/")):
        return "proto/ includes neither plane"
    if path.startswith("dataplane/") and header.startswith("controlplane/"):
        return "the data plane does not include the control plane"
    if path.startswith("controlplane/") and header.startswith("dataplane/"):
        return "the control plane does not include the data plane"
    if path.startswith("proto/dns/") and header.startswith(("swarmdns/v1/", "google/", "grpc")):
        return "proto/dns is free of Protobuf and gRPC"
    if re.match(r"rte_\w+\.h", header) and not path.startswith(DPDK_FOLDERS):
        return "DPDK types stay in eal/, worker/, exception/ and the wiring"
    if header.startswith("grpcpp/") and not path.startswith(GRPC_FOLDERS):
        return "gRPC stays in dataplane/control, proto/rpc and the control plane"
    return None


def main():
    files = subprocess.run(["git", "ls-files", "--", "proto", "dataplane", "controlplane"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split()
    breaches = 0
    for path in files:
        if not path.endswith((".h", ".cc")):
            continue
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            rule = match and breach(path, match.group(1))
            if rule:
                print(f"{path}:{number}: includes {match.group(1)}: {rule}")
                breaches += 1
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
