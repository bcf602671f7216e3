"""scripts/lab as a person uses it: twice, after a crash, and with mistakes."""

import os
import pathlib
import signal
import subprocess

import pytest
from labkit import netns, procs, servers, topology
from labkit.settings import CLIENT_NS, INTERNET_NS, MGMT_NS, STATE_FILE, Node
from support import wire

LAB = str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lab")
UP = ("up", "--no-start", "--seed", "20")


def lab(*argv, **how):
    return subprocess.run([LAB, *argv], capture_output=True, text=True, timeout=120, check=False, **how)


def root_answers():
    done = lab("exec", "internet", "--", "dig", "+short", "+time=1", "+tries=2", "@198.18.0.1", ".", "SOA")
    return "rootservers" in done.stdout


@pytest.fixture
def up():
    done = lab(*UP)
    assert done.returncode == 0, done.stderr
    return done


def test_up_twice_keeps_what_runs(up):
    before = {name: procs.alive_pid(name) for name in servers.NAMES}
    again = lab(*UP)
    assert again.returncode == 0 and "nsd-root" in again.stdout
    assert {name: procs.alive_pid(name) for name in servers.NAMES} == before
    assert None not in before.values()


def test_down_twice(up):
    first, second = lab("down"), lab("down")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "nothing to do" in second.stdout
    assert not any(netns.exists(ns) for ns in topology.all_namespaces())
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        assert "swarmdns-lab" not in mounts.read()
    assert lab("status").returncode == 2


def kill_servers():
    for name in servers.NAMES:
        os.kill(procs.alive_pid(name), signal.SIGKILL)


def half_a_veth():
    subprocess.run(["ip", "-n", CLIENT_NS, "link", "del", "sw-c1"], check=True)


def namespace_under_its_processes():
    subprocess.run(["ip", "netns", "del", INTERNET_NS], check=True)


def lost_state():
    STATE_FILE.unlink()


def cut_state():
    STATE_FILE.write_text('{"nodes": 1, "se')


def stranger_in_pid_file():
    procs.pid_file("nsd-root").write_text(f"{os.getpid()} 12345\n")


CRASHES = (kill_servers, half_a_veth, namespace_under_its_processes, lost_state, cut_state)


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: crash.__name__)
def test_up_after(up, crash):
    crash()
    done = lab(*UP)
    assert done.returncode == 0, done.stderr
    assert root_answers()
    assert netns.link_exists(CLIENT_NS, "sw-c1") and netns.link_exists(Node(1).ns, "vb")


def test_a_reused_pid_is_never_killed(up):
    stopped = procs.alive_pid("nsd-root")
    stranger_in_pid_file()
    assert procs.alive_pid("nsd-root") is None
    assert lab("down").returncode == 0  # would have killed the tests themselves
    assert procs.start_time(stopped) is None


def test_nothing_leads_out(up):
    for ns in (CLIENT_NS, INTERNET_NS, MGMT_NS):
        routes = subprocess.run(["ip", "-n", ns, "route"], capture_output=True, text=True, check=True).stdout
        assert "default" not in routes, ns
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert "sw-c1" not in links and "link-netns sw-" not in links
    assert wire.echo(Node(1).ns, Node(1).gateway4)  # as far as sw-internet ...
    host = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    assert not any(wire.echo(Node(1).ns, address, 0.5) for address in host[:2])  # ... but not to this machine


def test_carrier_of_the_port_is_silent(up):
    shown = lab("exec", "n1", "--", "ip", "addr", "show", "vb").stdout
    assert "NOARP" in shown and "inet" not in shown
    shown = lab("exec", "client", "--", "ethtool", "-k", "sw-c1").stdout
    assert "tx-checksumming: off" in shown and "generic-receive-offload: off" in shown
    assert "bpf on /sys/fs/bpf" in lab("exec", "n1", "--", "mount").stdout


def test_exec_aims_swarmctl_at_the_node(up):
    done = lab("exec", "n1", "--", "sh", "-c", "echo $SWARMDNS_SOCKET $SWARMDNS_CONFIG $PATH; exit 7")
    assert done.returncode == 7
    assert "/n1/admin.sock" in done.stdout and "/n1/swarmdns.yaml" in done.stdout and "controlplane" in done.stdout


def test_names_by_case(up):
    done = lab("names", "--case", "dname-too-long")
    lines = done.stdout.splitlines()
    assert lines and all(line.split()[2] == "dname-too-long" for line in lines)
    refused = lab("names", "--case", "dnme")
    assert refused.returncode == 2 and "dname-cross" in refused.stderr


@pytest.mark.parametrize("argv, says", [
    (("exec", "n7", "--", "true"), "it has client"),
    (("exec", "client"), "name a command"),
    (("node", "4", "stop"), "it has client"),
    (("up", "--nodes", "99", "--no-start"), "room for"),
    (("up", "--names", "/no/such/file", "--no-start"), "cannot read"),
    (("up", "--names", "/etc/hosts", "--root-zone", "/etc/hosts", "--no-start"), "exclude each other"),
    (("up", "--root-zone", "/etc/hosts", "--no-start"), "no root zone"),
    (("up", "--build", "/no/such/build"), "--build DIR"),
    (("diff", "--flags", "odd"), "known are"),
    (("disk-full", "1"), "--faults"),
    (("clock", "1", "+5m"), "--faults"),
])
def test_mistakes_name_the_mend(up, argv, says):
    done = lab(*argv)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_without_root_it_says_so():
    # In a user namespace of its own root is nobody, and can still read a checkout that only root may.
    done = subprocess.run(["unshare", "--user", LAB, "down"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and "sudo" in done.stderr
