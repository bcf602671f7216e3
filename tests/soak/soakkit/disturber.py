"""What operators and accidents do to the node meanwhile: a thread of random deeds, each checked at once."""

import collections
import json
import random
import subprocess
import threading
import time

import dns.exception
import dns.message
from labkit import inside

from . import changes, names, place as places, side
from .place import SoakError

REFUSED = 4  # exit status of swarmctl
TURNS = 8


class Disturber:
    """Runs until end(), and has done each deed once by then. `pace`: seconds between two of them. `findings`: what the node
    did that it must not.
    """

    def __init__(self, place, seed, count, pace, samples):
        self.place, self.names, self.pace, self.samples = place, count, pace, samples
        self.random = random.Random(seed)
        self.counts = collections.Counter()
        self.findings = []
        self.ended = threading.Event()
        self.version = "soak-0"
        self.applied = place.config
        self.number = 0
        self.turns = [0] * TURNS
        self.dump = None
        self.pid = place.dataplane_pid()
        self.thread = threading.Thread(target=self.run)

    def start(self):
        self.thread.start()

    def run(self):
        # A flush of everything is rare: the cache has to be full for entries to be evicted.
        deeds = {
            self.flush_name: 6, self.flush_zone: 4, self.flush_all: 1, self.apply: 10, self.apply_wrong: 4, self.check: 2,
            self.kill_controlplane: 2, self.kill_in_apply: 2, self.turn: 6, self.dump_cache: 2, self.load_cache: 1,
            self.load_damaged: 1, self.look: 3, self.mute: 2,
        }
        once = list(deeds)  # all of them at least once, then by weight
        self.random.shuffle(once)
        once.sort(key=lambda deed: deed == self.load_cache)  # needs a dump
        warm = False
        while once or not self.ended.is_set():
            self.ended.wait(self.random.uniform(0, 2 * self.pace))
            if not once and not warm:
                warm = True
                self.samples.warm()
            deed = once.pop(0) if once else self.random.choices(list(deeds), list(deeds.values()))[0]
            try:
                deed()
                self.counts[deed.__name__] += 1
            except (SoakError, subprocess.TimeoutExpired, dns.exception.DNSException, OSError) as error:
                self.findings.append(f"{deed.__name__}: {type(error).__name__}: {error}")
                if self.place.dataplane_pid() != self.pid:
                    self.findings.append("the data plane is not the one of the start any more")
                    return
                self.revive()

    def end(self):
        """Ends, and brings the configuration back to the base."""
        self.ended.set()
        self.thread.join()
        if self.place.dataplane_pid() != self.pid:
            return
        self.revive()
        self.put(self.place.config, "soak-0")
        waiting = self.place.status()["dataplane"]["restart_required"]
        self.expect(not waiting, f"with the first configuration back, these still wait for a restart: {waiting}")

    def expect(self, fine, finding):
        if not fine:
            self.findings.append(finding)

    def revive(self):
        if self.place.controlplane.poll() is not None:
            self.place.start_controlplane()

    # -- flushing

    def some_name(self):
        return self.random.randrange(self.names if self.random.random() < 0.3 else 500)

    def flush_name(self):
        number = self.some_name()
        kind = ["--type", names.TYPES[names.KINDS[names.letter_of(number)][1]]] if self.random.random() < 0.3 else []
        self.place.must("cache", "flush", names.name_of(number), *kind)

    def flush_zone(self):
        self.place.must("cache", "flush", "--zone", f"w{self.random.randrange(names.ZONES)}.soak.")

    def flush_all(self):
        self.place.must("cache", "flush", "--all")

    def turn(self):
        """A name changes and is flushed while an answer with the old data is under way: the old data must not come back."""
        which = self.random.randrange(TURNS)
        name = f"turn{which}.w0.soak."
        scope = self.random.choice(([name], [name, "--type", "A"], ["--zone", name], ["--zone", "w0.soak."]))
        with inside.udp_socket(places.CLIENT, places.SIDE4, 53) as early:
            self.place.must("cache", "flush", name)
            early.send(inside.query(name, "A").to_wire())
            time.sleep(self.random.uniform(0, 0.1))
            self.turns[which] += 1
            self.place.order("turn", which, self.turns[which])
            self.place.must("cache", "flush", *scope)
            for _ in range(3):
                self.check_turn(which, name, scope)
                time.sleep(self.random.uniform(0, 0.15))

    def check_turn(self, which, name, scope):
        # Quotas and policers may drop a datagram; a resolver asks again, and so do we.
        reply = None
        for _ in range(5):
            try:
                reply = inside.ask_udp(places.CLIENT, inside.query(name, "A"), places.SIDE4, seconds=5)
                break
            except dns.exception.Timeout:
                self.counts["unanswered"] += 1
        if reply is None:
            self.findings.append(f"no answer for {name} in five tries")
            return
        found = [r.to_text() for rrset in reply.answer for r in rrset]
        version = self.turns[which]
        wanted = [f"10.{version >> 16}.{version >> 8 & 255}.{version & 255}"]
        self.expect(found == wanted, f"{name} after `cache flush {' '.join(scope)}`: {found} instead of {wanted}")

    # -- configuration

    def next_version(self):
        self.number += 1
        return f"soak-{self.number}"

    def put(self, config, version):
        report = json.loads(self.place.must("-o", "json", "config", "apply", str(self.place.write_config(config))))
        self.applied, self.version = config, version
        self.expect(report["accepted"], f"config apply ended with 0 and says {report}")
        self.check_version()

    def check_version(self):
        """Both planes have the configuration that was applied last."""
        said = self.ask_version()
        self.expect(said == self.version, f"the data plane has configuration {said}, not {self.version}")
        shown = self.place.must("config", "show")
        self.expect(f"version: {self.version}\n" in shown, f"the control plane does not show {self.version}:\n{shown}")

    def ask_version(self):
        for _ in range(4):
            try:
                return side.ask_version()
            except dns.exception.Timeout:
                self.counts["unanswered"] += 1
        return "no answer"

    def apply(self):
        version = self.next_version()
        said, config = changes.draw(self.random, self.place.config, version)
        for name in said:
            self.counts[f"change of {name}"] += 1
        self.put(config, version)

    def apply_wrong(self):
        what, text = changes.draw_wrong(self.random, self.place.config, "soak-wrong")
        path = self.place.folder / "wrong.yaml"
        path.write_text(text)
        before = self.place.must("config", "show")
        done = self.place.ctl("config", "apply", str(path))
        self.expect(done.returncode == REFUSED and done.stderr, f"a configuration with {what}: exit status "
                                                               f"{done.returncode}, {done.stderr.strip()!r}")
        self.expect(self.place.must("config", "show") == before, f"a configuration with {what} changed the one in force")
        self.check_version()

    def check(self):
        _, config = changes.draw(self.random, self.place.config, "soak-check")
        self.place.must("config", "check", str(self.place.write_config(config)))
        self.check_version()

    # -- the control plane

    def kill_controlplane(self):
        self.samples.controlplane_ends()
        self.place.kill_controlplane()
        time.sleep(self.random.uniform(0, 2))
        self.back()

    def kill_in_apply(self):
        """The old configuration or the new one, and both planes the same."""
        version = self.next_version()
        _, config = changes.draw(self.random, self.place.config, version)
        self.samples.controlplane_ends()
        applying = subprocess.Popen(self.place.command("config", "apply", str(self.place.write_config(config))),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.random.uniform(0, 0.03))
        self.place.kill_controlplane()
        done = applying.wait(30)
        old = self.version
        self.place.start_controlplane()
        said = self.ask_version()
        self.expect(said in (old, version), f"killed in an apply, the node has {said}, neither {old} nor {version}")
        self.expect(done != 0 or said == version, f"config apply ended with 0, and the node has {said}, not {version}")
        if said == version:
            self.applied = config
        self.version = said
        self.back()

    def back(self):
        self.revive()
        # It answers a moment before it has looked for running processes.
        end = time.monotonic() + 5
        while True:
            process = next(p for p in self.place.status()["processes"] if p["name"] == "dataplane")
            if process["adopted"] or time.monotonic() > end:
                break
            time.sleep(0.05)
        self.expect((process["pid"], process["adopted"], process["starts"]) == (self.pid, True, 0),
                    f"a new control plane did not adopt the data plane {self.pid}: {process}")
        self.samples.controlplane_begins(self.place.controlplane.pid)
        self.check_version()

    # -- dumps

    def dump_cache(self):
        path = self.place.folder / "cache.dump"
        self.place.must("cache", "dump", str(path))
        self.dump = path

    def load_cache(self):
        if self.dump is None:
            self.dump_cache()
        self.place.must("cache", "load", str(self.dump))
        # A dump brings back what it holds: the names that have changed since are none of its business.
        for which in range(TURNS):
            self.place.must("cache", "flush", f"turn{which}.w0.soak.")

    def load_damaged(self):
        if self.dump is None:
            self.dump_cache()
        data = bytearray(self.dump.read_bytes())
        if self.random.random() < 0.5:
            del data[self.random.randrange(1, len(data)):]
        else:
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        path = self.place.folder / "damaged.dump"
        path.write_bytes(data)
        done = self.place.ctl("cache", "load", str(path))
        self.expect(done.returncode == REFUSED, f"a damaged dump: exit status {done.returncode}, {done.stderr.strip()!r}")

    # -- looking, and upstreams that are silent for a moment

    def look(self):
        for words in (("status",), ("stats", "--all", "--per-lcore"), ("cache", "stats"), ("-o", "json", "status")):
            self.place.must(*words)
        self.place.ctl("cache", "show", names.name_of(self.some_name()))  # 5 when it is not there

    def mute(self):
        self.place.order("mute", self.random.randrange(2), round(self.random.uniform(0.1, 1.0), 2))
