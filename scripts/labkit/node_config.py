"""A node's YAML configuration, sized so that all nodes of the lab fit on this machine together."""

import filecmp
import os
import pwd
import shutil

from . import servers
from .settings import CLIENTS_NET4, CLIENTS_NET6, PORT_INTERFACE, SWARM_PORT, TAP_INTERFACE, VAR, LabError
from .settings import region

FEW = 3  # a lab of more nodes gets smaller ones, spread over all CPUs


def unprivileged_user():
    """The user a node's data plane becomes: that of an installed package, else `nobody`."""
    for name in ("swarmdns", "nobody"):
        try:
            pwd.getpwnam(name)
            return name
        except KeyError:
            continue
    return "root"


def worker_cpus(options, node):
    """CPUs of the workers, as many as a node has workers. When the machine has too few, nodes share them.

    Of a few nodes they are the last ones of the machine, so that CPU 0 keeps the slow threads; more nodes
    take all CPUs in turn.
    """
    cpus = sorted(os.sched_getaffinity(0))
    usable = cpus[1:] if len(cpus) > options.workers and options.nodes <= FEW else cpus
    first = (node.i - 1) * options.workers
    chosen = sorted({usable[(first + k) % len(usable)] for k in range(options.workers)})
    if len(chosen) < options.workers:
        raise LabError(f"--workers {options.workers}: this machine has only {os.cpu_count()} CPUs; ask for fewer")
    return chosen


def main_cpu(workers):
    """The CPU of a node's slow threads: one that its own workers leave alone, if there is any."""
    cpus = sorted(os.sched_getaffinity(0))
    return next((cpu for cpu in cpus if cpu not in workers), cpus[0])


def unbound():
    """A copy of Unbound of our own, for the lab's resolvers.

    Debian's AppArmor profile goes by the path /usr/sbin/unbound and would keep it out of the lab's folders;
    changing the machine's profile is not the lab's to do.
    """
    source = shutil.which("unbound")
    copy = VAR / "bin" / "unbound"
    if not copy.exists() or not filecmp.cmp(source, copy, shallow=False):
        copy.parent.mkdir(parents=True, exist_ok=True)
        fresh = copy.with_suffix(".new")
        shutil.copy(source, fresh)
        fresh.replace(copy)
    return copy


def config_text(options, node):
    workers = worker_cpus(options, node)
    eal_mib, mbufs, cache_mib = (256, 16384, 128) if options.nodes <= FEW else (128, 8192, 64)
    device = f"net_{options.driver}0,iface={PORT_INTERFACE}"
    text = f"""\
# Node {node.i} of the lab; written by scripts/lab.
node:
  name: n{node.i}
  region: {region(options, node.i)}
  state_dir: {node.var}
  run_dir: {node.run}
  user: {unprivileged_user()}
dataplane:
  eal:
    main_cpu: {main_cpu(workers)}
    worker_cpus: [{', '.join(str(c) for c in workers)}]
    hugepages: false
    memory_mib: {eal_mib}
    file_prefix: swarmdns-lab-n{node.i}
  ports:
    - device: "{device}"
      mbufs: {mbufs}
      tap: {TAP_INTERFACE}
      addresses: ["{node.service4}/24", "{node.service6}/64"]
      routes: ["{CLIENTS_NET4} via {node.client4}", "{CLIENTS_NET6} via {node.client6}"]
  worker:
    idle: {options.idle}
  cache:
    memory_mib: {cache_mib}
  guard:
    acl:
      allow: ["127.0.0.0/8", "::1/128", "10.53.0.0/16", "fd53::/16"]
    rate_limit:
      responses_per_second: 1000000
resolver:
  binary: {unbound()}
  port: 553
  trust_anchor_file: {servers.INTERNET}/root.key
  trust_anchor_static: true
  root_hints_file: {servers.INTERNET}/root.hints
  outgoing_interfaces: ["{node.upstream4}", "{node.upstream6}"]
"""
    if options.val_date:
        text += f'  val_override_date: "{options.val_date}"\n'
    # The names that are fed in hold private reverse names.
    text += '  extra_options:\n    - "unblock-lan-zones: yes"\n    - "insecure-lan-zones: yes"\n'
    return text + f"swarm:\n  listen: {node.mgmt4}@{SWARM_PORT}\n"
