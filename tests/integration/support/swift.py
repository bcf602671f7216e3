"""A real S3 store on loopback: OpenStack Swift with its s3api, one process a service, everything in one folder.

    with Swift(folder) as swift:
        swift.make_bucket("swarm")
        ... swift.url, swift.access_key, swift.secret_key, swift.region

Nothing of it outlives the context, and nothing of this machine's own Swift is touched. What Swift lacks: If-None-Match on
PUT is answered with 501, and the headers of an object lock are taken and forgotten.
"""

import datetime
import hashlib
import hmac
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.parse

SERVICES = ("account", "container", "object", "proxy")

SERVER = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}/etc
devices = {folder}/srv
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
recon_cache_path = {folder}/cache
"""

PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}/etc
[pipeline:main]
pipeline = catch_errors healthcheck cache s3api tempauth slo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
max_bucket_listing = {page}
storage_domain = {domain}
[filter:tempauth]
use = egg:swift#tempauth
user_swarm_tester = testing .admin
user_swarm_stranger = nothing
[filter:symlink]
use = egg:swift#symlink
[filter:slo]
use = egg:swift#slo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
"""

RINGS = """\
import sys
from swift.common.ring import RingBuilder
for name, port in zip(("account", "container", "object"), map(int, sys.argv[1:])):
    builder = RingBuilder(2, 1, 0)
    builder.add_dev(dict(id=0, region=1, zone=1, ip="127.0.0.1", port=port, device="d1", weight=1,
                         replication_ip="127.0.0.1", replication_port=port, meta=""))
    builder.rebalance()
    builder.get_ring().save(name + ".ring.gz")
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def takes_attributes(folder):
    """Swift keeps an object's metadata in extended attributes, which not every file system has."""
    probe = pathlib.Path(folder) / "attribute-probe"
    probe.write_text("")
    try:
        os.setxattr(probe, "user.swift.probe", b"x" * 1000)
        return True
    except OSError:
        return False
    finally:
        probe.unlink()


class Swift:
    access_key = "swarm:tester"
    secret_key = "testing"
    stranger_key = "swarm:stranger"  # signs rightly, and may do nothing
    stranger_secret = "nothing"
    region = "us-east-1"
    page = 20  # objects in a page of a listing
    domain = "s3.localhost"  # of virtual-host style

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ports = dict(zip((*SERVICES, "memcached"), free_ports(len(SERVICES) + 1)))
        self.processes = {}

    @property
    def port(self):
        return self.ports["proxy"]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        for name in ("etc", "srv/d1", "log", "cache"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "etc/swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n")
        names = dict(folder=self.folder, user="root" if os.geteuid() == 0 else os.environ.get("USER", "nobody"),
                     memcached=self.ports["memcached"], domain=self.domain, page=self.page)
        for name in SERVICES:
            text = PROXY if name == "proxy" else SERVER
            (self.folder / f"etc/{name}.conf").write_text(text.format(name=name, port=self.ports[name], **names))
        ports = [str(self.ports[name]) for name in SERVICES[:3]]
        subprocess.run(["/usr/bin/python3", "-c", RINGS, *ports], cwd=self.folder / "etc", check=True)
        try:
            self.start("memcached", *SERVICES)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def command(self, name):
        if name == "memcached":
            user = ["-u", "nobody"] if os.geteuid() == 0 else []
            return ["memcached", *user, "-U", "0", "-l", "127.0.0.1", "-p", str(self.ports[name]), "-m", "16", "-t", "1"]
        return [f"swift-{name}-server", str(self.folder / f"etc/{name}.conf"), "-v"]

    def start(self, *names):
        """Starts services and waits until each listens."""
        for name in names:
            with open(self.folder / f"log/{name}", "ab") as log:
                self.processes[name] = subprocess.Popen(self.command(name), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for name in names:
            self.wait_for(name)

    def wait_for(self, name):
        until = time.monotonic() + 60
        while True:
            process = self.processes[name]
            log = self.folder / f"log/{name}"
            assert process.poll() is None, f"swift's {name} ended with {process.returncode}:\n{log.read_text()[-2000:]}"
            try:
                socket.create_connection(("127.0.0.1", self.ports[name]), timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < until, f"swift's {name} does not listen:\n{log.read_text()[-2000:]}"
                time.sleep(0.05)

    def kill(self, *names):
        """SIGKILL, as when the power goes."""
        for name in names:
            process = self.processes.pop(name)
            process.send_signal(signal.SIGKILL)
            process.wait()

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    # What the tests ask by themselves, with a signature of their own making.

    def request(self, method, path, query="", body=b"", headers=None):
        """Status, headers and body. `query` sorted and escaped, each part with a '='."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        sent = {"host": f"127.0.0.1:{self.port}", "x-amz-date": now, "x-amz-content-sha256": digest, **(headers or {})}
        names = ";".join(sorted(sent))
        escaped = urllib.parse.quote(path)
        canonical = "\n".join((method, escaped, query, *(f"{name}:{sent[name]}" for name in sorted(sent)), "", names, digest))
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        key = b"AWS4" + self.secret_key.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        sent["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={names}, "
                                 f"Signature={signature}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, escaped + ("?" + query if query else ""), body, sent)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def make_bucket(self, name):
        status, _, body = self.request("PUT", f"/{name}")
        assert status == 200, body

    def uploads(self, bucket):
        """Multipart uploads that are under way: (key, id)."""
        status, _, body = self.request("GET", f"/{bucket}", "uploads=")
        assert status == 200, body
        return re.findall(r"<Upload><Key>([^<]*)</Key><UploadId>([^<]*)</UploadId>", body.decode())
