"""Each fault of the lab is really there while it is in force, touches nothing else, and really goes away again."""

import datetime
import errno
import mmap
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import dns.exception
import dns.rcode
import pytest
from labkit import clock, disk, health, inside, lab as labkit_lab, netns, node as nodes, procs, slow, slow_disk
from labkit import topology
from support.bench import eventually
from support.open_load import OpenLoad

LAB = str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lab")
PORT = 9100


def lab(*argv):
    return subprocess.run([LAB, *map(str, argv)], capture_output=True, text=True, timeout=120, check=False)


def status():
    return lab("status").stdout


class Wire:
    """A TCP connection between two nodes over the management network."""

    def __init__(self, source, target, v6=False):
        self.address = (target.at.mgmt6 if v6 else target.at.mgmt4, PORT)
        family = socket.AF_INET6 if v6 else socket.AF_INET
        with inside.namespace(target.at.ns), socket.socket(family) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(self.address)
            server.listen()
            with inside.namespace(source.at.ns):
                self.near = socket.socket(family)
            self.near.settimeout(10)
            self.near.connect(self.address)
            self.far, _ = server.accept()
        self.far.settimeout(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.near.close()
        self.far.close()

    def passes(self, forth=True, seconds=10.0):
        """Whether a fresh octet gets from one end to the other."""
        source, target = (self.near, self.far) if forth else (self.far, self.near)
        mark = os.urandom(8)
        source.sendall(mark)
        target.settimeout(seconds)
        found = b""
        try:
            while not found.endswith(mark):
                found += target.recv(100)
            return True
        except TimeoutError:
            return False

    def round_trip(self):
        begun = time.monotonic()
        assert self.passes() and self.passes(forth=False)
        return time.monotonic() - begun


@pytest.mark.parametrize("v6", [False, True], ids=["ipv4", "ipv6"])
def test_a_partition_loses_everything_between_its_sides_silently(five, v6):
    one, two, three, four = (five.node(i) for i in (1, 2, 3, 4))
    with Wire(one, three, v6) as across, Wire(one, two, v6) as east, Wire(three, four, v6) as west:
        assert across.passes() and across.passes(forth=False)
        five.faults.partition([1, 2], [3, 4, 5])
        assert not across.passes(seconds=1) and not across.passes(forth=False, seconds=0.5)
        assert across.near.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert east.passes() and west.passes()
        # A new connection finds silence, even from a kernel that has to look for its neighbour first.
        subprocess.run(["ip", "-n", one.at.ns, "neigh", "flush", "dev", "mgmt0"], check=True)
        with inside.namespace(one.at.ns), socket.socket(across.near.family) as fresh:
            fresh.settimeout(1)
            with pytest.raises(TimeoutError):
                fresh.connect(across.address)
        assert all(each.answers() for each in five.nodes)  # clients and upstreams stay where they were
        assert "1↔3 1↔4 1↔5 2↔3 2↔4 2↔5" in status()
        five.faults.heal()
        assert across.passes(seconds=20) and across.passes(forth=False, seconds=20)  # what was under way arrives as well
    assert five.faults.cuts() == [] and "partition" not in status()


def test_one_way(five):
    with Wire(five.node(1), five.node(3)) as wire:
        assert lab("partition", "--one-way", 1, 3).returncode == 0
        assert wire.passes(forth=False)  # from 3 to 1
        assert not wire.passes(seconds=1)
        assert lab("partition", "--one-way", 4, 5).returncode == 0  # cuts add up
        assert five.faults.cuts() == [(1, 3), (4, 5)] and "lost: 1→3 4→5" in status()
        assert lab("heal").returncode == 0
        assert wire.passes(seconds=20)


def test_slow_delays_each_way_and_keeps_order(five):
    count, delay = 3000, 0.3
    one, two, three = (five.node(i) for i in (1, 2, 3))
    with Wire(one, three) as far, Wire(one, two) as near, \
            inside.udp_socket(one.at.ns, three.at.mgmt4, PORT) as source, inside.namespace(three.at.ns), \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        target.bind((three.at.mgmt4, PORT))
        target.settimeout(10)
        five.faults.slow(3, delay, jitter=0.1)
        assert far.round_trip() >= 2 * (delay - 0.1)
        assert re.search(r"n3 slow +300 ms ± 100 ms", status())
        assert eventually(lambda: near.round_trip() < delay)  # others are as fast as before
        for number in range(count):
            source.send(number.to_bytes(4, "big") + bytes(1200))
            if number % 50 == 49:
                time.sleep(0.005)
        assert [int.from_bytes(target.recv(2000)[:4], "big") for _ in range(count)] == list(range(count))
        assert all(each.answers() for each in five.nodes)
        lab("slow", 3, "off")
        assert eventually(lambda: far.round_trip() < delay)
    assert "n3 slow" not in status() and procs.alive_pid(slow.process(three.at)) is None


def write_directly(path, offset=0):
    """As a log of consensus writes: O_DIRECT and O_DSYNC. The error's number, 0 when it is on the disk."""
    page = mmap.mmap(-1, 4096)
    page.write(b"x" * 4096)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT | os.O_DSYNC, 0o600)
    try:
        os.pwrite(file, page, offset)
        os.fsync(file)
        return 0
    except OSError as error:
        return error.errno
    finally:
        os.close(file)


def test_a_full_disk_is_full_until_it_is_emptied(five):
    two, three = (disk.folder(five.node(i).at) for i in (2, 3))
    assert write_directly(two / "log") == 0
    assert lab("disk-full", 2).returncode == 0
    assert write_directly(two / "log") == 0  # in its place there is room
    assert write_directly(two / "log", 4096) == errno.ENOSPC
    assert write_directly(three / "log", 4096) == 0
    seen = netns.run_in(five.node(2).at.ns, "dd", "if=/dev/zero", f"of={two}/more", "bs=4096", "count=1", check=False)
    assert seen.returncode != 0 and "No space left" in seen.stderr  # the node sees the same disk
    assert re.search("n2 disk +full", status())
    assert lab("disk-full", 2, "off").returncode == 0
    assert write_directly(two / "log", 4096) == 0
    assert "n2 disk" not in status()
    five.faults.fill_disk(2, leave=1 << 20)
    assert 0 < disk.free_bytes(five.node(2).at) <= 1 << 20
    for folder in (two, three):
        (folder / "log").unlink()


def test_a_slow_disk_holds_every_write_and_loses_none(five):
    delay, count = 0.4, 5
    log = disk.folder(five.node(2).at) / "log"
    five.faults.slow_disk(2, delay)
    begun = time.monotonic()
    assert [write_directly(log, 4096 * number) for number in range(count)] == [0] * count
    assert time.monotonic() - begun >= delay
    assert re.search("n2 slow disk +writes take up to 400 ms", status())
    assert lab("slow-disk", 2, "off").returncode == 0
    assert log.read_bytes() == b"x" * 4096 * count
    log.unlink()

    def quick():
        start = time.monotonic()
        return write_directly(log) == 0 and time.monotonic() - start < delay / 4

    assert eventually(quick)
    assert "n2 slow disk" not in status()
    log.unlink()


@pytest.fixture(scope="module")
def waits(tmp_path_factory):
    program = tmp_path_factory.mktemp("waits") / "waits"
    source = pathlib.Path(__file__).parent / "support" / "waits.cc"
    subprocess.run(["c++", "-std=c++20", "-O1", "-o", program, source], check=True)
    return program


@pytest.mark.parametrize("offset", ["-30s", "+5m"])
def test_a_wrong_clock_leaves_waits_and_monotonic_clocks_alone(five, waits, offset):
    """Deadlines of the wall clock come when they should, neither at once nor five minutes late."""
    node = five.node(4).at
    assert lab("clock", 4, offset).returncode == 0
    before = [time.time_ns(), time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME)]
    done = subprocess.run([*clock.words(node), waits], capture_output=True, text=True, timeout=60, check=False)
    after = [time.time_ns(), time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME)]
    assert done.returncode == 0, done.stderr
    shown = [int(word) for word in done.stdout.split()]
    shown[0] -= round(clock.seconds(offset) * 1e9)
    assert all(low <= value <= high for low, value, high in zip(before, shown, after)), (before, shown, after)


def clocks_over_a_restart(five, number):
    """The times, in seconds from the true time, that a control plane logs when it stops and the next one when it has started."""
    node = five.node(number)
    node.stop("controlplane")
    node.start()
    nodes.wait_ready(five.options, node.at)
    found = re.findall(r"^(\S+Z) info (.*)", procs.log_file(f"n{number}-controlplane").read_text(), re.M)
    stopped = [stamp for stamp, what in found if what == "stopped"]
    stamps = [datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")) for stamp in (stopped[-1], found[-1][0])]
    return [stamp.timestamp() - time.time() for stamp in stamps]


def test_a_wrong_clock_is_that_of_one_control_plane(five):
    four = five.node(4)
    five.faults.clock(4, -3600)
    assert re.search(r"n4 clock +-3600 s", status())
    assert four.ctl("status").returncode == 0  # gRPC lives under it ...
    pid = four.pid("controlplane")
    used, begun = health.cpu_seconds(pid), time.monotonic()
    time.sleep(2)
    assert health.cpu_seconds(pid) - used < (time.monotonic() - begun) / 2  # ... and does not spin
    # Changed while it ran, and still wrong in the next process.
    assert all(-3700 < each <= -3600 for each in clocks_over_a_restart(five, 4))
    assert all(-100 < each <= 0 for each in clocks_over_a_restart(five, 5))
    for part in ("dataplane", "resolver"):
        assert str(clock.LIBRARY) not in pathlib.Path(f"/proc/{four.pid(part)}/maps").read_text()
    assert lab("clock", 4, "off").returncode == 0
    assert all(-100 < each <= 0 for each in clocks_over_a_restart(five, 4))
    assert "n4 clock" not in status()


def test_a_paused_part_is_silent_until_it_goes_on(five):
    two = five.node(2)
    assert lab("node", 2, "pause", "dataplane").returncode == 0
    assert not two.answers()
    assert re.search("n2 dataplane +paused", status())
    assert lab("node", 2, "resume", "dataplane").returncode == 0
    assert eventually(two.answers)
    five.faults.pause(2)
    assert two.stop() == list(nodes.PARTS)  # paused ones end as well
    assert all(two.pid(part) is None for part in nodes.PARTS)


def test_the_load_accounts_for_every_query(five, tmp_path):
    two = five.node(2)
    with OpenLoad(tmp_path, rate=300, numbers=(1, 2, 3)) as load:
        time.sleep(1)
        killed = time.monotonic()
        old = two.kill("dataplane")
        two.wait_part("dataplane", 30, other_than=old)
        two.wait(two.answers, 30, "an answer of the restarted data plane")
        back = time.monotonic() + 0.5
        time.sleep(1)
        account = load.finish()
    account.check(excused={2: [(killed, back)]})
    assert account.count(2, "lost", "unsent", "SERVFAIL") > 0  # and what was lost was seen
    with pytest.raises(AssertionError, match="without a right answer"):
        account.check()
    assert account.sent(1) == account.count(1, "right", "late") == sum(
        sum(second.values()) for second in account.nodes[1]["seconds"])


def test_wrong_answers_are_named(five, tmp_path):
    names = tmp_path / "names"
    wanted = {"NXDOMAIN": five.asked("nxdomain")[0], "SERVFAIL": five.asked("bogus")[0], "empty": five.asked("nodata")[0]}
    names.write_text("".join(f"{item.name} {item.rrtype}\n" for item in wanted.values()))
    with OpenLoad(tmp_path, rate=30, numbers=(5,), seconds=1, names=names, cold=True) as load:
        account = load.wait()
    assert {what: (name, rrtype) for _, what, name, rrtype in account.failures(5)} == {
        what: (item.name, item.rrtype) for what, item in wanted.items()}
    assert len(account.failures(5)) == account.sent(5)


def test_five_nodes_in_two_regions(five):
    regions = [re.search("region: (.*)", each.at.config.read_text()).group(1) for each in five.nodes]
    assert regions == ["east", "east", "east", "west", "west"]
    item = five.asked("plain")[7]
    for each in five.nodes:
        assert each.ask(item.name, item.rrtype).rcode() == dns.rcode.NOERROR
    five.node(3).stop()
    with pytest.raises(dns.exception.Timeout):
        five.node(3).ask(item.name, item.rrtype, seconds=0.5)
    assert all(five.node(i).answers() for i in (1, 2, 4, 5))


@pytest.mark.parametrize("argv, says", [
    (("partition", "1,2"), "two groups"),
    (("partition", "1,2", "2,3"), "one group only"),
    (("partition", "1", "6"), "there is no node 6"),
    (("partition", "one", "2"), "by number"),
    (("partition", "--one-way", "1", "2", "3"), "--one-way"),
    (("slow", "3", "50"), "50ms"),
    (("slow", "3", "10ms", "--jitter", "20ms"), "jitter"),
    (("clock", "4", "5m"), "+5m"),
    (("disk-full", "9"), "there is no node 9"),
    (("load", "--rate", "100000"), "--rate"),
    (("up", "--nodes", "5", "--regions", "east,west"), "one region for each of the 5"),
])
def test_mistakes_name_the_mend(five, argv, says):
    done = lab(*argv)
    assert done.returncode == 2 and says in done.stderr, done.stderr


def test_up_mends_what_a_dead_process_has_left(five):
    five.faults.slow(3, 0.05)
    five.faults.slow_disk(2, 0.2)
    for name in (slow.process(five.node(3).at), slow_disk.process(five.node(2).at)):
        pid = procs.alive_pid(name)
        os.kill(pid, signal.SIGKILL)
        procs.wait_gone(pid, procs.start_time(pid), 5)
    done = lab("status")
    assert done.returncode == 1 and done.stdout.count("is gone: `lab heal") == 2
    labkit_lab.up(five.options, say=lambda *_: None)
    assert write_directly(disk.folder(five.node(2).at) / "log") == 0
    with Wire(five.node(1), five.node(3)) as wire:
        assert wire.round_trip() > 0
    assert lab("status").returncode == 0


def test_down_ends_faults_that_are_in_force(five):
    five.faults.partition([1], [2])
    five.faults.slow(3, 0.05)
    five.faults.fill_disk(2)
    five.faults.slow_disk(1, 0.5)
    five.faults.pause(4)
    pids = [procs.alive_pid(slow.process(five.node(3).at)), five.node(4).pid("controlplane")]
    labkit_lab.down(say=lambda *_: None)
    assert [procs.start_time(pid) for pid in pids] == [None, None]
    assert not any(netns.exists(ns) for ns in topology.all_namespaces())
    assert not any(disk.loop_devices(each.at) for each in five.nodes)
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        assert "swarmdns-lab" not in mounts.read()
