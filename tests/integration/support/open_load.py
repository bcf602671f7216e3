"""A load of the lab (`lab load`) in the background, and its account of every query."""

import json
import pathlib
import signal
import subprocess

LAB = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "lab"
BEFORE = 0.5  # seconds: a query that was sent this long before a process's death may still have waited for its turn


class Account:
    """What became of the queries of a finished load. Times are those of time.monotonic()."""

    def __init__(self, shown):
        self.shown = shown
        self.begun = shown["begun_monotonic"]
        self.nodes = {int(number): node for number, node in shown["nodes"].items()}

    def sent(self, number):
        return self.nodes[number]["sent"]

    def count(self, number, *kinds):
        return sum(self.nodes[number]["kinds"].get(kind, 0) for kind in kinds)

    def failures(self, number, late=False):
        """Queries that were not answered right, as (time sent, kind, name, type); late answers only when asked for."""
        return [(self.begun + each["at"], each["kind"], each["name"], each["type"])
                for each in self.nodes[number]["failures"] if late or each["kind"] != "late"]

    def unexcused(self, excused=None):
        """Failures outside of the times in which a node is excused: {node: [(from, until), ...]}."""
        found = []
        for number in self.nodes:
            windows = (excused or {}).get(number, [])
            found += [(number, *failure) for failure in self.failures(number)
                      if not any(since - BEFORE <= failure[0] <= until for since, until in windows)]
        return found

    def check(self, excused=None):
        """Not one answer is missing or wrong but those of excused nodes; and the load itself lost none."""
        for number, node in self.nodes.items():
            assert node["dropped_by_receiver"] == 0, f"the load had no room for answers of node {number}"
            assert sum(node["kinds"].values()) == node["sent"] > 0
        found = self.unexcused(excused)
        assert not found, f"{len(found)} queries without a right answer; the first: {found[:10]}"


class OpenLoad:
    """Asks nodes at a stated rate from now on, until finish()."""

    def __init__(self, folder, rate=1000, numbers=(), seconds=3600, names=None, cold=False):
        self.file = pathlib.Path(folder) / f"load-{id(self)}.json"
        argv = [LAB, "load", "--rate", rate, "--seconds", seconds, "--json", self.file]
        argv += ["--nodes", ",".join(map(str, numbers))] if numbers else []
        argv += ["--names", names] if names else []
        argv += ["--cold"] if cold else []
        self.process = subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, text=True)
        begun = self.process.stdout.readline()
        assert begun.startswith("asking"), begun

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.process.stdout.close()

    def finish(self):
        """Ends the sending, waits for the answers that are due, and returns the account."""
        assert self.process.poll() is None, "the load ended too early"
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds=600):
        """Waits for the end by itself."""
        self.process.communicate(timeout=seconds)
        assert self.process.returncode in (0, 1), self.process.returncode
        return Account(json.loads(self.file.read_text()))
