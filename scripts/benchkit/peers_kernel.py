"""Peers on kernel sockets, on the server's side of the veth pair: each on the one core that the node's worker has, answering
the same names; those that hold a zone from it, those that cache from memory, filled before."""

import shutil

from . import peers, wire


class KernelPeer(peers.Responder):
    """`program` is the name of its binary; `write(folder)` writes its configuration and returns its arguments."""

    program = ""
    caches = False

    def start(self, folder):
        wire.server_has_address(True)
        if self.caches:
            self.spawn_upstream(folder)
        state = folder / type(self).__name__.lower()
        state.mkdir(exist_ok=True)
        self.spawn([own_copy(state, self.program), *self.write(folder, state)])
        wire.wait_for(wire.answers, f"an answer from {self.program}", self.process)
        wire.pin_neighbour()
        wire.pin_client()
        if self.caches:
            wire.fill(folder)


def own_copy(folder, program):
    """A copy of a server's program: AppArmor's profiles go by the path, and would keep it out of our folders."""
    found = shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin")
    if found is None:
        raise RuntimeError(f"{program} is not installed (section bench of scripts/packages.txt)")
    copy = folder / program
    if not copy.exists():
        shutil.copy(found, copy)
    return copy


class Nsd(KernelPeer):
    program = "nsd"

    def write(self, folder, state):
        conf = state / "nsd.conf"
        conf.write_text(f"""server:
  server-count: 1
  ip-address: {wire.SERVER_ADDRESS}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: ""
  xfrdfile: "{state}/xfrd"
  xfrdir: "{state}"
  zonelistfile: "{state}/list"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
zone:
  name: "bench."
  zonefile: "{folder}/bench.zone"
""")
        return ["-d", "-c", conf]


class Bind(KernelPeer):
    program = "named"

    def write(self, folder, state):
        conf = state / "named.conf"
        conf.write_text(f"""options {{
  directory "{state}";
  pid-file none;
  session-keyfile none;
  listen-on port 53 {{ {wire.SERVER_ADDRESS}; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  minimal-responses yes;
  max-cache-size 16M;
}};
controls {{ }};
zone "bench" {{ type primary; file "{folder}/bench.zone"; }};
""")
        return ["-g", "-n", "1", "-c", conf]


class Unbound(KernelPeer):
    program = "unbound"
    caches = True

    def write(self, folder, state):
        conf = state / "unbound.conf"
        conf.write_text(f"""server:
  interface: {wire.SERVER_ADDRESS}
  access-control: {wire.CLIENT_ADDRESS}/32 allow
  num-threads: 1
  so-rcvbuf: 4m
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: 64m
  rrset-cache-size: 64m
  username: ""
  chroot: ""
  directory: "{state}"
  pidfile: ""
  do-daemonize: no
  use-syslog: no
  logfile: ""
remote-control:
  control-enable: no
stub-zone:
  name: "bench."
  stub-addr: {peers.UPSTREAM}
""")
        return ["-d", "-c", conf]


class Dnsdist(KernelPeer):
    """With its packet cache, in front of Knot DNS; several datagrams a system call, as its manual advises for one thread."""

    program = "dnsdist"
    caches = True

    def write(self, folder, state):
        conf = state / "dnsdist.conf"
        conf.write_text(f"""setLocal("{wire.SERVER_ADDRESS}:53")
setACL("{wire.CLIENT_ADDRESS}/32")
setSecurityPollSuffix("")
setUDPMultipleMessagesVectorSize(64)
newServer({{address="{peers.UPSTREAM.replace('@', ':')}", checkName="ns.bench."}})
getPool(""):setCache(newPacketCache({peers.NAMES * 2}, {{maxTTL=86400}}))
""")
        return ["--supervised", "--disable-syslog", "-C", conf]
