"""Targets for backups against a real S3 store (OpenStack Swift) and against TLS servers, by build/tests/targets/target-tool."""

import datetime
import http.server
import ipaddress
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.swift import Swift, takes_attributes

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SWARMDNS_BUILD", ROOT / "build"))
TOOL = BUILD / "tests/targets/target-tool"
MIB = 1 << 20


@pytest.fixture(scope="module")
def swift(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swift")
    if not takes_attributes(folder):
        folder = BUILD / "test-swift" / str(os.getpid())
        folder.mkdir(parents=True)
    with Swift(folder) as store:
        store.make_bucket("swarm")
        yield store


class Tool:
    """target-tool with settings of its own."""

    def __init__(self, folder, **settings):
        self.settings = folder / f"settings-{len(list(folder.iterdir()))}.json"
        self.settings.write_text(json.dumps(dict(name="test", region="here", **settings)))

    def start(self, *words, octets=b""):
        with tempfile.TemporaryFile() as file:
            file.write(octets)
            file.seek(0)
            return subprocess.Popen([TOOL, self.settings, *map(str, words)], stdin=file, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)

    def run(self, *words, octets=b""):
        return subprocess.run([TOOL, self.settings, *map(str, words)], input=octets, capture_output=True, timeout=120, check=False)

    def ok(self, *words, octets=b""):
        done = self.run(*words, octets=octets)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def fails(self, kind, *words, octets=b""):
        """What it says when it fails for this reason."""
        done = self.run(*words, octets=octets)
        text = done.stderr.decode()
        assert done.returncode == 1 and text.startswith(kind + " "), (done.returncode, text)
        return text

    def names(self, prefix=""):
        return [line.split()[0] for line in self.ok("list", prefix).decode().splitlines()]


def key_file(folder, key, secret):
    path = folder / f"{len(list(folder.iterdir()))}.key"
    path.touch(mode=0o600)
    path.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    return str(path)


@pytest.fixture
def s3(swift, tmp_path):
    """A target under a prefix of its own."""
    def make(**settings):
        named = dict(kind="BACKUP_TARGET_S3", url=swift.url, bucket="swarm", prefix=tmp_path.name.replace("_", "-").lower(),
                     credentialsFile=key_file(tmp_path, swift.access_key, swift.secret_key))
        return Tool(tmp_path, **{**named, **settings})
    return make


def eventually(condition, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_put_get_list_remove(s3):
    tool, body = s3(), os.urandom(2 * MIB + 17)
    tool.ok("put", "packs/ab/one", octets=body)
    tool.ok("put", "packs/ab/one", octets=body)
    assert "other octets" in tool.fails("exists", "put", "packs/ab/one", octets=body[:-1] + bytes([body[-1] ^ 1]))
    assert tool.ok("get", "packs/ab/one", 0, len(body)) == body
    assert tool.ok("get", "packs/ab/one", 1 * MIB, 100) == body[MIB:MIB + 100]
    assert tool.ok("get", "packs/ab/one", len(body), 0) == b""
    tool.fails("broken", "get", "packs/ab/one", len(body) - 10, 11)
    tool.fails("not-found", "get", "packs/ab/two", 0, 1)
    name, size, modified = tool.ok("head", "packs/ab/one").decode().split()
    assert (name, int(size)) == ("packs/ab/one", len(body)) and abs(int(modified) / 1000 - time.time()) < 600
    tool.ok("put", "empty")
    assert tool.ok("get", "empty", 0, 0) == b""
    tool.ok("put", "envelope", "replace", octets=b"old")
    tool.ok("put", "envelope", "replace", octets=b"newer")
    assert tool.ok("get", "envelope", 0, 5) == b"newer"
    for name in ("packs/ab-c", "packs/ab.c", "packs/ab0"):
        tool.ok("put", name, octets=b"x")
    assert tool.names("packs/") == ["packs/ab-c", "packs/ab.c", "packs/ab/one", "packs/ab0"]
    assert len(tool.names()) == 6
    tool.ok("remove", "packs/ab/one")
    tool.ok("remove", "packs/ab/one")
    tool.fails("not-found", "head", "packs/ab/one")
    assert tool.names("packs/ab/") == []


def test_listing_has_pages(s3, swift):
    tool = s3()
    prefix = json.loads(tool.settings.read_text())["prefix"]
    wanted = [f"packs/{number:04}" for number in range(3 * swift.page + 5)]
    for name in wanted:
        assert swift.request("PUT", f"/swarm/{prefix}/{name}")[0] == 200
    assert tool.names("packs/") == wanted


def test_virtual_host_style(s3, swift):
    tool, plain = s3(url=f"http://{swift.domain}:{swift.port}", style="BACKUP_S3_VIRTUAL_HOST"), s3()
    tool.ok("put", "packs/one", octets=b"one")
    assert tool.names() == plain.names() == ["packs/one"]
    assert plain.ok("get", "packs/one", 0, 3) == b"one"


def test_parts(s3, swift):
    tool, body = s3(partMib=5), os.urandom(11 * MIB)
    tool.ok("put", "packs/large", octets=body)
    assert tool.ok("get", "packs/large", 0, len(body)) == body
    assert tool.ok("get", "packs/large", 5 * MIB - 3, 6) == body[5 * MIB - 3:5 * MIB + 3]
    tool.ok("put", "packs/large", octets=body)  # it is there
    tool.fails("exists", "put", "packs/large", octets=body[::-1])
    assert swift.uploads("swarm") == []
    tool.ok("remove", "packs/large")
    tool.fails("not-found", "head", "packs/large")


def test_a_cancelled_upload_leaves_nothing(s3, swift):
    tool = s3(partMib=5, bandwidthKibS=2048)
    put = tool.start("put", "packs/large", octets=os.urandom(16 * MIB))
    assert eventually(lambda: swift.uploads("swarm"))
    put.terminate()
    said = put.communicate(timeout=60)[1].decode()
    assert put.returncode == 1 and said.startswith("cancelled "), said
    assert swift.uploads("swarm") == []
    assert tool.names() == []


def test_sweep_aborts_what_a_crash_left(s3, swift):
    tool = s3(partMib=5, bandwidthKibS=2048)
    put = tool.start("put", "packs/large", octets=os.urandom(16 * MIB))
    assert eventually(lambda: swift.uploads("swarm"))
    put.kill()
    put.communicate(timeout=60)
    assert tool.names() == []
    assert tool.ok("sweep", 3_600_000) == b"0\n"
    assert len(swift.uploads("swarm")) == 1
    assert tool.ok("sweep", 0) == b"1\n"
    assert swift.uploads("swarm") == []


def test_the_store_dies_in_the_middle_of_an_upload(s3, swift):
    """It is killed, comes back, and the same call ends well; what the first try left is swept."""
    tool, body = s3(partMib=5, bandwidthKibS=4096), os.urandom(11 * MIB)
    put = tool.start("put", "packs/large", octets=body)
    assert eventually(lambda: swift.uploads("swarm"))
    swift.kill("proxy", "object")
    time.sleep(1)  # a try or two find nobody
    assert put.poll() is None
    swift.start("object", "proxy")
    said = put.communicate(timeout=120)
    assert put.returncode == 0, said
    assert tool.ok("get", "packs/large", 0, len(body)) == body
    tool.ok("sweep", 0)
    assert swift.uploads("swarm") == []
    assert tool.names() == ["packs/large"]


def test_half_of_the_store_is_dead(s3, swift):
    tool = s3()
    tool.ok("put", "packs/one", octets=b"one")
    swift.kill("object")
    try:
        get = tool.start("get", "packs/one", 0, 3)
        time.sleep(0.5)
    finally:
        swift.start("object")
    assert get.communicate(timeout=120)[0] == b"one"


def test_wrong_settings(s3, swift, tmp_path):
    assert "secret key is wrong" in s3(credentialsFile=key_file(tmp_path, "swarm:tester", "wrong")).fails("refused", "list", "")
    assert "correct bucket" in s3(bucket="no-such-bucket").fails("invalid", "put", "a", octets=b"x")
    assert "correct bucket" in s3(bucket="no-such-bucket").fails("invalid", "list", "")
    stranger = s3(credentialsFile=key_file(tmp_path, swift.stranger_key, swift.stranger_secret))
    assert "AccessDenied" in stranger.fails("refused", "list", "")
    assert stranger.fails("refused", "remove", "packs/one")


def test_a_delete_credential_of_its_own(s3, swift, tmp_path):
    # Here it is the key that may do nothing: so it is seen which of the two was used.
    tool = s3(deleteCredentialsFile=key_file(tmp_path, swift.stranger_key, swift.stranger_secret))
    tool.ok("put", "packs/one", octets=b"one")
    tool.fails("refused", "remove", "packs/one")
    assert tool.names() == ["packs/one"]


def test_a_lock_that_the_store_forgets_is_said(s3):
    until = int((time.time() + 86400) * 1000)
    assert "object_lock_days" in s3().fails("unsupported", "put", "packs/one", "lock", until, octets=b"x")


# TLS

def certificate(folder, name, address=None, issuer=None):
    """A certificate for an address and its key, as one PEM file; without an address, an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0].subject if issuer else subject)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
               .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), critical=True))
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    made = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) +
                     key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return made, key, str(path)


class EmptyStore(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"<Error><Code>NoSuchKey</Code></Error>"
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def tls_store(tmp_path):
    """Makes servers on loopback with a certificate of an authority of the test's; gives URL and the authority's file."""
    authority = certificate(tmp_path, "authority")
    servers = []

    def make(address, newest=None):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyStore)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path, f"store-{address}", address, authority)[2])
        if newest:
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = newest
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"https://127.0.0.1:{server.server_address[1]}", authority[2]

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_certificates_are_verified(s3, tls_store):
    url, authority = tls_store("127.0.0.1")
    assert "set ca_file" in s3(url=url).fails("invalid", "get", "a", 0, 1)
    s3(url=url, caFile=authority).fails("not-found", "get", "a", 0, 1)


def test_the_name_in_the_certificate_counts(s3, tls_store):
    url, authority = tls_store("127.0.0.2")
    assert "correct url" in s3(url=url, caFile=authority).fails("invalid", "get", "a", 0, 1)
