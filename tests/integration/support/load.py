"""dnsperf in sw-client, and what it says at the end."""

import os
import re
import signal
import subprocess

from labkit import netns
from labkit.settings import CLIENT_NS


class Result:
    """The figures of a finished dnsperf."""

    def __init__(self, text):
        self.text = "\n".join(line for line in text.splitlines() if not line.startswith("[Timeout]"))
        self.sent = self._number(r"Queries sent:\s+(\d+)")
        self.completed = self._number(r"Queries completed:\s+(\d+)")
        self.lost = self._number(r"Queries lost:\s+(\d+)")
        codes = re.search(r"Response codes:\s+(.*)", text)
        found = re.findall(r"(\w+) (\d+) \(", codes.group(1)) if codes else []
        self.codes = {name: int(count) for name, count in found}

    def _number(self, pattern):
        found = re.search(pattern, self.text)
        assert found, "dnsperf said nothing to read:\n" + self.text
        return int(found.group(1))

    def part(self, rcode):
        return self.codes.get(rcode, 0) / max(self.completed, 1)


class Load:
    """A dnsperf that runs in the background. Ends by itself, or by finish()."""

    def __init__(self, address, questions, folder, **options):
        """questions: lines `name type`, or the path of a file of them."""
        if not isinstance(questions, str):
            path = folder / f"questions-{id(self)}.txt"
            path.write_text("".join(line + "\n" for line in questions))
            questions = str(path)
        argv = ["dnsperf", "-s", address, "-d", questions]
        for key, value in {"t": 5, "q": 100, "c": 4, **options}.items():
            if value is not None:
                argv += [f"-{key}", str(value)]
        self.process = subprocess.Popen(
            [*netns.enter(CLIENT_NS), *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds=120):
        out, _ = self.process.communicate(timeout=seconds)
        return Result(out)

    def finish(self):
        """Stops asking, waits for the answers that are due, and returns the figures."""
        if self.running():
            os.kill(self.process.pid, signal.SIGINT)
        return self.wait(30)


def run(address, questions, folder, **options):
    return Load(address, questions, folder, **options).wait()
