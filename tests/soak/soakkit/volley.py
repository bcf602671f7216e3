"""dnsvolley as the load: started for the length of a soak, its report read at the end."""

import json
import subprocess

from . import place as places
from .place import CLIENT, SoakError

TIMEOUT = 6  # seconds a reply may take: more than the node's own deadline


class Volley:
    """The running load."""

    def __init__(self, place, seconds, rate, seed):
        self.folder = place.folder
        self.report_file = self.folder / "volley.json"
        sources = [word for prefix in places.VOLLEY_SOURCES for word in ("--source", prefix)]
        command = [
            str(place.build / "dataplane/volley/dnsvolley"), "--device", "net_af_xdp0,iface=sk-c0",
            "--cpu", str(places.cpus()[0]), "--target", places.VOLLEY4, "--target", places.VOLLEY6, *sources,
            "--clients", "200", "--ports", "64", "--queries", str(self.folder / "queries.txt"),
            "--expect", str(self.folder / "expect.txt"), "--strict", "--zipf", "0.9", "--seed", str(seed),
            "--edns", "80", "--do", "30", "--cookies", "30", "--random-case", "--rate", str(rate),
            "--duration", str(seconds), "--timeout", str(TIMEOUT), "--max-shortfall", "100",
            "--json", str(self.report_file), "--progress"]
        self.log = open(self.folder / "volley.log", "wb")
        script = 'mount -t bpf bpf /sys/fs/bpf 2>/dev/null; exec "$0" "$@"'
        self.process = subprocess.Popen(["ip", "netns", "exec", CLIENT, "sh", "-c", script, *command],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def running(self):
        return self.process.poll() is None

    def finish(self, patience):
        """Waits for the end; the report."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise SoakError(f"dnsvolley does not end: {self.words()}") from None
        if not self.report_file.exists():
            raise SoakError(f"dnsvolley ended with {self.process.returncode}: {self.words()}")
        return json.loads(self.report_file.read_text())

    def words(self):
        return (self.folder / "volley.log").read_text(errors="replace")[-2000:]

    def stop(self):
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
