"""dnsvolley over AF_XDP against a server that answers as badly as its questions' first label asks for.

On a veth pair of its own: no lab is needed.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from labkit import inside

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SWARMDNS_BUILD", ROOT / "build"))
SERVER, CLIENT = "sw-volley-s", "sw-volley-c"
SERVER_IF, CLIENT_IF = "sw-vol-s0", "sw-vol-c0"
SERVER4, SERVER6 = "10.58.0.1", "fd58::1"
CLIENTS = ["--source", "10.58.0.64/26", "--source", "fd58::1:0/112", "--clients", "20"]


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def replies(query):
    """What the server sends for a query: any number of messages."""
    end = 12
    while query[end]:
        end += query[end] + 1
    label = query[13 : 13 + query[12]].decode().lower()
    end += 5
    question, arcount = query[12:end], query[10:12]
    opt = query[end:] if arcount != b"\0\0" else b""

    def message(flags=0x8180, ident=query[:2], asked=question, address="192.0.2.1", behind=b"", options=opt):
        record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address)
        counts = struct.pack("!HHHH", 1, 1, 0, 1 if options else 0)
        return ident + struct.pack("!H", flags) + counts + asked + record + options + behind

    good = message()
    return {
        "case": lambda: [message(asked=bytes([question[0], question[1] ^ 0x20]) + question[2:])],
        "id": lambda: [message(ident=bytes([query[0] ^ 0x55, query[1]]))],
        "servfail": lambda: [message(flags=0x8182)],
        "twice": lambda: [good, good],
        "silent": lambda: [],
        "query": lambda: [message(flags=0x0100)],
        "behind": lambda: [message(behind=b"\0")],
        "short": lambda: [good[:11]],
        "truncated": lambda: [message(flags=0x8380)],
        "other": lambda: [message(address="192.0.2.2")],
        "cookie": lambda: [message(options=opt[:-1] + bytes([opt[-1] ^ 1]))],
    }.get(label, lambda: [good])()


@contextlib.contextmanager
def answering(address):
    """The server on one address, in a thread of its own."""
    with inside.namespace(SERVER):
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 53))
    ended = threading.Event()

    def serve():
        sock.settimeout(0.1)
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                query, peer = sock.recvfrom(4096)
                for reply in replies(query):
                    sock.sendto(reply, peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        sock.close()


def remove_namespaces():
    for namespace in (SERVER, CLIENT):
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


@pytest.fixture(scope="module")
def server():
    remove_namespaces()
    for namespace in (SERVER, CLIENT):
        ip("netns", "add", namespace)
    ip("link", "add", SERVER_IF, "numrxqueues", "1", "numtxqueues", "1", "netns", SERVER, "type", "veth",
       "peer", "name", CLIENT_IF, "numrxqueues", "1", "numtxqueues", "1", "netns", CLIENT)
    ip("-n", SERVER, "link", "set", SERVER_IF, "up")
    ip("-n", CLIENT, "link", "set", CLIENT_IF, "up")
    # A kernel leaves only the pseudo-header's sum in its checksums on a veth otherwise.
    subprocess.run(["ip", "netns", "exec", SERVER, "ethtool", "-K", SERVER_IF, "tx", "off"], check=True,
                   capture_output=True)
    ip("-n", SERVER, "addr", "add", f"{SERVER4}/24", "dev", SERVER_IF)
    ip("-n", SERVER, "addr", "add", f"{SERVER6}/64", "dev", SERVER_IF, "nodad")
    try:
        with answering(SERVER4), answering(SERVER6):
            yield
    finally:
        remove_namespaces()


def command(queries, *options):
    return ["ip", "netns", "exec", CLIENT, str(BUILD / "dataplane/volley/dnsvolley"), "--device",
            f"net_af_xdp0,iface={CLIENT_IF}", "--target", SERVER4, "--target", SERVER6, *CLIENTS, "--queries",
            str(queries), "--timeout", "3", "--json", "-", *options]


def volley(tmp_path, names, *options):
    """Asks each name once; the exit code and the report."""
    queries = tmp_path / "queries.txt"
    queries.write_text("".join(f"{name}.example. A\n" for name in names))
    done = subprocess.run(command(queries, "--rate", "200", "--count", str(len(names)), *options),
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def xdp_programs():
    return [link["ifname"] for link in json.loads(ip("-n", CLIENT, "-j", "link")) if "xdp" in link]


def test_right_answers_pass(server, tmp_path):
    expect = tmp_path / "expect.txt"
    expect.write_text("".join(f"good{n}.example. A NOERROR 192.0.2.1\n" for n in range(200)))
    code, report = volley(tmp_path, [f"good{n}" for n in range(200)], "--expect", str(expect), "--strict",
                          "--random-case", "--edns", "80", "--do", "40", "--cookies", "30", "--max-loss", "0")
    assert code == 0, report
    assert (report["sent"], report["received"], report["wrong"]) == (200, 200, 0)
    assert report["rcodes"] == {"NOERROR": 200}
    assert 0 < report["latency_us"]["p50"] <= report["latency_us"]["p99"] <= report["latency_us"]["max"]
    assert xdp_programs() == []


def test_every_kind_of_wrong_reply_is_counted(server, tmp_path):
    names = ["case", "id", "servfail", "twice", "silent", "query", "behind", "short", "truncated", "other", "cookie"]
    expect = tmp_path / "expect.txt"
    expect.write_text("other.example. A NOERROR 192.0.2.1\ngood.example. A NOERROR 192.0.2.1\n")
    code, report = volley(tmp_path, [*names, "good"], "--expect", str(expect), "--cookies", "100")
    assert code == 1, report
    found = {kind: report[kind] for kind in (
        "wrong_question", "wrong_id", "wrong_rcode", "duplicate", "not_a_reply", "malformed", "truncated",
        "wrong_answer", "wrong_cookie")}
    assert found == {"wrong_question": 1, "wrong_id": 1, "wrong_rcode": 1, "duplicate": 1, "not_a_reply": 1,
                     "malformed": 2, "truncated": 1, "wrong_answer": 1, "wrong_cookie": 1}
    assert report["wrong"] == 9  # TC is no fault
    assert report["received"] == 5  # servfail, twice, truncated, other, good
    assert report["lost"] == 7
    assert not report["passed"]


def test_loss_over_the_limit_fails(server, tmp_path):
    names = ["good1", "good2", "good3", "silent"]
    assert volley(tmp_path, names, "--max-loss", "24")[0] == 1
    code, report = volley(tmp_path, names, "--max-loss", "25")
    assert (code, report["loss_percent"]) == (0, 25)


def test_a_server_that_is_not_there(server, tmp_path):
    queries = tmp_path / "queries.txt"
    queries.write_text("good.example. A\n")
    done = subprocess.run(["ip", "netns", "exec", CLIENT, str(BUILD / "dataplane/volley/dnsvolley"), "--device",
                           f"net_af_xdp0,iface={CLIENT_IF}", "--target", "10.58.0.2", "--source", "10.58.0.64/26",
                           "--queries", str(queries), "--count", "1", "--resolve-timeout", "1"],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "10.58.0.2 did not say its MAC" in done.stdout


def test_sigterm_ends_it_with_a_report(server, tmp_path):
    queries = tmp_path / "queries.txt"
    queries.write_text("good.example. A\n")
    running = subprocess.Popen(command(queries, "--rate", "100", "--duration", "600"), stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        while not xdp_programs() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert xdp_programs() == [CLIENT_IF]
        time.sleep(2)
        running.send_signal(signal.SIGTERM)
        report = json.loads(running.communicate(timeout=30)[0])
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0, report
    assert report["interrupted"]
    assert report["sent"] == report["received"] > 0
    assert xdp_programs() == []


def test_usage_is_2(tmp_path):
    done = subprocess.run([str(BUILD / "dataplane/volley/dnsvolley"), "--device", "x", "--target", "not-an-address"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not-an-address" in done.stderr
