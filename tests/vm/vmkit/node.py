"""SwarmDNS in the machine, installed and run as docs/operations.md says: swarmctl, the configuration, the units."""

import dataclasses
import json
import time

from . import network
from .machine import MachineError

ZONE = "vm.test"
# What the node's own Unbound knows; nothing in the machine reaches a root server.
RECORDS = {
    ("www", "A"): "203.0.113.80",
    ("www", "AAAA"): "2001:db8:80::80",
    ("mail", "MX"): "10 www.vm.test.",
}
HUGEPAGES = 512  # of 2 MiB
PATIENCE = 600  # seconds for what a real machine does in two; emulation beside other work takes its time


def resolver_options():
    lines = [f'local-zone: "{ZONE}." static', f'local-data: "{ZONE}. 300 IN SOA {ZONE}. x.{ZONE}. 1 3600 600 86400 60"']
    lines += [f'local-data: "{name}.{ZONE}. 300 IN {kind} {data}"' for (name, kind), data in RECORDS.items()]
    lines += [f'local-data: "n{i}.{ZONE}. 300 IN A 203.0.113.{i % 250 + 1}"' for i in range(64)]
    return lines


def configuration(cards, workers=1, hugepages=True, devices=None):
    lines = ["node:", "  name: vm", "dataplane:", "  eal:"]
    lines += [f"    worker_cpus: [{', '.join(str(i + 1) for i in range(workers))}]"]
    lines += [f"    hugepages: {'true' if hugepages else 'false'}", "    memory_mib: 192", "  ports:"]
    for i, card in enumerate(cards):
        device = devices[i] if devices else card.pci
        lines += [f'    - device: "{device}"', f'      addresses: [{card.node4}/24, "{card.node6}/64"]']
    # An emulated processor takes its time over everything.
    lines += ["  cache:", "    memory_mib: 64", "  upstream:", "    timeout_ms: 3000", "    deadline_ms: 15000"]
    lines += ["resolver:", "  cache_mib: 16", '  trust_anchor_file: ""', "  extra_options:"]
    lines += [f"    - '{line}'" for line in resolver_options()]
    return "\n".join(lines) + "\n"


@dataclasses.dataclass
class Node:
    machine: object

    def install(self):
        """As an operator: the scripts and programs are brought on a disk, hugepages reserved, nothing started."""
        self.machine.check("mount -o ro /dev/vdb /mnt && cp -r /mnt /opt/swarmdns && umount /mnt", 300)
        self.machine.check("/opt/swarmdns/scripts/install --built", 300)
        self.reserve_hugepages()

    def reserve_hugepages(self):
        self.machine.check(
            f"echo 'vm.nr_hugepages = {HUGEPAGES}' >/etc/sysctl.d/90-swarmdns.conf && sysctl -q --system\n"
            f"grep -q 'HugePages_Total: *{HUGEPAGES}$' /proc/meminfo", 300)

    # swarmctl

    def ctl(self, words, seconds=PATIENCE):
        return self.machine.run(f"swarmctl {words}", seconds)

    def ctl_json(self, words, seconds=PATIENCE):
        result = self.ctl(f"-o json {words}", seconds)
        assert result.status == 0, f"swarmctl {words}: {result}"
        return json.loads(result.out)

    def port(self, device):
        return self.ctl_json(f"port status {device}")["ports"][0]

    def bind(self, *devices):
        for device in devices:
            result = self.ctl(f"port bind {device}")
            assert result.status == 0, result

    def unbind(self, *devices):
        for device in devices:
            result = self.ctl(f"port unbind {device}")
            assert result.status == 0, result

    def counters(self):
        return {counter["name"]: counter for counter in self.ctl_json("stats --all")["counters"]}

    # The processes

    def configure(self, text):
        self.machine.check(f"cat >/etc/swarmdns/node.yaml <<'YAML'\n{text}YAML\n")
        result = self.ctl("config check /etc/swarmdns/node.yaml")
        assert result.status == 0, result

    def start(self):
        self.machine.check("systemctl start swarmdns-controlplane", PATIENCE)
        self.wait_ready()

    def wait_ready(self):
        """Until the data plane answers its control plane and the resolver is healthy."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            result = self.ctl("-o json status")
            if result.status == 0:
                status = json.loads(result.out)
                # Exit status 0: the data plane answers. The resolver says its own health.
                if all(process.get("healthy") for process in status["processes"] if process["name"] == "resolver"):
                    return status
            time.sleep(2)
        raise MachineError(f"the node is not ready after {PATIENCE} s: {result}\n{self.logs()}")

    def pid(self, name):
        found = [process for process in self.ctl_json("status")["processes"] if process["name"] == name]
        return found[0]["pid"]

    def wait_new_pid(self, name, old):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = json.loads(self.ctl("-o json status").out or "{}")
            for process in status.get("processes", ()):
                if process["name"] == name and process["pid"] not in (0, old):
                    return process["pid"]
            time.sleep(1)
        raise MachineError(f"{name} is not started again after {PATIENCE} s\n{self.logs()}")

    def logs(self):
        return self.machine.run(
            "tail -n 40 /var/lib/swarmdns/log/*.log; journalctl -q -n 60 -u 'swarmdns-*'; dmesg | tail -20").out

    def forget_logs(self):
        self.machine.run("rm -f /var/lib/swarmdns/log/*")

    def wait_log(self, text):
        """Until the data plane's log says this."""
        deadline = time.monotonic() + PATIENCE
        log = ""
        while time.monotonic() < deadline:
            log = self.machine.run("cat /var/lib/swarmdns/log/dataplane.log").out
            if text in log:
                return
            time.sleep(2)
        raise AssertionError(f'the data plane does not say "{text}"; its log ends:\n{log[-3000:]}')

    def stop(self):
        self.machine.run("swarmctl node stop; systemctl stop swarmdns-controlplane", PATIENCE)

    def leave(self):
        """Stops what runs and gives back what is bound: the next file of tests finds the machine as it was installed."""
        self.stop()
        for port in self.ctl_json("port list")["ports"]:
            if port["driver"] == "vfio-pci":
                self.ctl(f"port unbind {port['pci_address']}")
            elif port["addresses"] and port["pci_address"] != network.MANAGEMENT.pci:
                self.machine.run(f"ip address flush dev {port['interface']}")
        self.machine.run("rm -f /var/lib/swarmdns/dataplane.json")


def dig(card, question, *options, family=4):
    """Asks the node over the card's cable; dig's output."""
    server = card.node4 if family == 4 else card.node6
    done = network.peer("dig", f"@{server}", "+time=15", "+tries=2", "+nocookie", *options, *question.split(),
                        check=False, timeout=90)
    if "DiG" not in done.stdout:
        raise network.PeerError(f"dig did not run: {done.stdout}{done.stderr}")
    return done.stdout


def ask_burst(card, count, family=4):
    """Asks `count` questions for 64 names from ports of their own, at most 32 at once; how many were answered rightly."""
    script = network.peer("/usr/bin/python3", network.HERE / "burst.py",
                          card.node4 if family == 4 else card.node6, count, timeout=300)
    return int(script.stdout)
