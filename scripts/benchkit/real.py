"""scripts/bench real: a list of queries against a node of the lab, as its clients would ask it.

The names are made to resolve in the lab's Internet (--names FILE: `name [type]` lines, .gz too; without it a list of
20,000 is made). Cold: the whole list once, by 256 clients' worth of open questions, into empty caches. Warm: the list over
and over, flat out. Beside it Unbound in the node's place: on a kernel socket on the same wire and the worker's CPU,
resolving from the same Internet. dnsvolley asks and judges from the first CPU; it polls, so in the cold pass it gives way
to everything else there (the node's slow thread and resolver, the lab's name servers).
"""

import json
import pathlib
import signal
import subprocess
import sys

from labkit import fed, lab, netns, node as nodes, node_config, procs, servers, settings
from labkit.made_list import make_list

from . import contest, report
from .peers import BUILD

NODE = settings.Node(1)
CLIENTS = "10.53.1.64/26"
OPEN_COLD, OPEN_WARM = 256, 512
PASSES = ("cold", "warm")


class Lab:
    """The lab with the list's names, for all responders of the bench; what a responder is measured with."""

    def __init__(self, names):
        self.names = names
        self.options = None

    def set_up(self, folder):
        if settings.load_state() is not None:
            raise RuntimeError("a lab is up: take it down first (scripts/lab down)")
        source = self.names
        if not source:
            source = folder / "made.txt"
            make_list(source)
        asked = [(fed.clean(name), rrtype) for name, rrtype in fed.read_all(source)]
        lines = [f"{name} {rrtype}\n" for name, rrtype in asked if name]
        (folder / "queries.txt").write_text("".join(lines))
        print(f"real: {len(lines):,} queries, {len(set(lines)):,} of them different; bringing the lab up", file=sys.stderr)
        self.options = settings.Options(names=str(pathlib.Path(source).resolve()), build=str(BUILD))
        lab.up(self.options, say=lambda *_: None)
        # dnsvolley has the interface for itself.
        netns.run_in(settings.CLIENT_NS, "ip", "addr", "flush", "dev", NODE.client_if)

    def tear_down(self):
        if self.options is not None:
            lab.down(say=lambda *_: None)


def volley(folder, niceness, *options):
    command = [*netns.enter(settings.CLIENT_NS), "nice", "-n", niceness, BUILD / "dataplane/volley/dnsvolley", "--device",
               f"net_af_xdp0,iface={NODE.client_if}", "--cpu=0", "--main-cpu=0", "--target", NODE.service4, "--source",
               CLIENTS, "--queries", folder / "queries.txt", "--expect-rcode=ANY", "--timeout=5", "--json=-", *options]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"dnsvolley ended with {done.returncode}:\n{done.stderr[-3000:]}")
    found = json.loads(done.stdout)
    if found["wrong"] or not found["received"]:
        raise RuntimeError(f"dnsvolley says: {'; '.join(found['failures'])}")
    return found


def measure(folder, responder, seconds):
    """Both passes: {pass: {rate, lost %, answers other than NOERROR and NXDOMAIN %, hits %}}."""
    count = sum(1 for _ in open(folder / "queries.txt", encoding="ascii"))
    how = {"cold": (19, f"--count={count}", f"--outstanding={OPEN_COLD}"),
           "warm": (0, f"--duration={seconds}", f"--outstanding={OPEN_WARM}")}
    sample = {}
    for name in PASSES:
        before = responder.counts()
        found = volley(folder, *how[name])
        queries, hits = (now - then for now, then in zip(responder.counts(), before))
        answers = sum(found["rcodes"].get(rcode, 0) for rcode in ("NOERROR", "NXDOMAIN"))
        sample[name] = {
            "rate": found["received_per_second"],
            "lost": found["loss_percent"],
            "failed": 100 * (1 - answers / found["received"]),
            "hits": 100 * hits / max(queries, 1),
        }
    return sample


class SwarmDns:
    """The lab's node, its caches empty."""

    def __init__(self, options):
        self.options = options

    def start(self, _folder):
        nodes.stop(NODE)
        nodes.remove_files(NODE)
        nodes.prepare(self.options, NODE)
        nodes.start(self.options, NODE)
        procs.wait_until(lambda: answered(NODE.service4), 60, "an answer of the node")
        procs.wait_until(lambda: self.ctl().returncode == 0, 20, "an answer to swarmctl")

    def ctl(self):
        return subprocess.run([*netns.enter(NODE.ns), "swarmctl", "--output", "json", "stats"], capture_output=True,
                              text=True, check=False, env=nodes.environment(self.options, NODE))

    def counts(self):
        """Queries, and those answered from the cache."""
        found = {each["name"]: int(each.get("value", 0)) for each in json.loads(self.ctl().stdout)["counters"]}
        return found["dns.queries"], found["cache.hits"]

    def stop(self):
        nodes.stop(NODE)


def answered(address):
    """Whether the root's name servers can be asked for, from a client of dnsvolley's own kind."""
    done = subprocess.run([*netns.enter(NODE.ns), "dig", f"@{address}", "+time=1", "+tries=1", "+short", ".", "NS"],
                          capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() != ""


class Unbound:
    """In the node's place: its address on the carrier interface, its CPU, its root and its way out."""

    def __init__(self, options):
        self.options = options
        self.child = None
        self.conf = None

    def start(self, folder):
        state = folder / "unbound"
        state.mkdir(exist_ok=True)
        self.conf = state / "unbound.conf"
        self.conf.write_text(f"""server:
  interface: {NODE.service4}
  interface: 127.0.0.1
  access-control: 10.53.0.0/16 allow
  num-threads: 1
  so-rcvbuf: 4m
  msg-cache-size: 64m
  rrset-cache-size: 128m
  username: ""
  chroot: ""
  directory: "{state}"
  pidfile: ""
  do-daemonize: no
  use-syslog: no
  logfile: "{state}/log"
  trust-anchor-file: "{servers.INTERNET}/root.key"
  root-hints: "{servers.INTERNET}/root.hints"
  outgoing-interface: {NODE.upstream4}
  outgoing-interface: {NODE.upstream6}
  unblock-lan-zones: yes
  insecure-lan-zones: yes
remote-control:
  control-enable: yes
  control-interface: {state}/control
  control-use-cert: no
""")
        self.carry_address(True)
        cpu = node_config.worker_cpus(self.options, NODE)[0]
        self.child = subprocess.Popen([*netns.enter(NODE.ns), "taskset", "-c", str(cpu), node_config.unbound(), "-d", "-c",
                                       self.conf], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        procs.wait_until(self.answers, 30, "an answer of Unbound")

    def answers(self):
        if self.child.poll() is not None:
            raise RuntimeError(f"unbound ended with {self.child.returncode}:\n{self.log()}")
        return answered("127.0.0.1")

    def log(self):
        path = self.conf.parent / "log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def carry_address(self, present):
        if present:
            netns.address(NODE.ns, settings.PORT_INTERFACE, f"{NODE.service4}/24")
        else:
            netns.run_in(NODE.ns, "ip", "addr", "flush", "dev", settings.PORT_INTERFACE)
        netns.run_in(NODE.ns, "ip", "link", "set", settings.PORT_INTERFACE, "arp", "on" if present else "off")

    def counts(self):
        done = netns.run_in(NODE.ns, "unbound-control", "-c", self.conf, "stats_noreset")
        found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        return int(found["total.num.queries"]), int(found["total.num.cachehits"])

    def stop(self):
        if self.child is not None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.carry_address(False)


def words(sample):
    return "; ".join(f"{name}: {got['rate']:,.0f} replies/s, {got['lost']:.3f} % lost, {got['failed']:.2f} % failed, "
                     f"{got['hits']:.2f} % from the cache" for name, got in sample.items())


FIGURES = {"rate": ("", "replies/s"), "hits": ("-hits", "% of queries"), "lost": ("-lost", "% lost"),
           "failed": ("-failed", "% failed")}


def rows_of(samples):
    """Per pass and figure a row of ours and one of Unbound. A ratio has only the rate: the other figures may be 0."""
    rows, taken = [], {}
    for name in PASSES:
        for figure, (suffix, unit) in FIGURES.items():
            for who, list_ in samples.items():
                case = name + suffix + ("" if who == "swarmdns" else f"-{who}")
                taken[case] = [sample[name][figure] for sample in list_]
                rows += report.rows_of("real", case, unit, {case: taken[case]})
        ours, *others = (row for row in rows if row["case"] in (name, f"{name}-unbound"))
        ours["ratio_to"] = {"unbound": report.ratio(ours["unit"], ours["value"], other["value"]) for other in others}
    return rows, taken


def main():
    parser = contest.parser("real", __doc__)
    parser.add_argument("--names", metavar="FILE", default="", help="`name [type]` lines, .gz too")
    options = parser.parse_args()
    bed = Lab(options.names)

    def body():
        with contest.clean_scratch(bed.set_up, bed.tear_down) as folder:
            responders = {"swarmdns": lambda: SwarmDns(bed.options), "unbound": lambda: Unbound(bed.options)}
            turns = contest.Turns("real", responders, options)
            turns.run(folder, measure, words)
        rows, taken = rows_of(turns.samples)
        report.print_table(rows, taken)
        if options.json:
            report.write_json(rows, options.json)
        return turns.failed

    return contest.main("real", body)


if __name__ == "__main__":
    sys.exit(main())
