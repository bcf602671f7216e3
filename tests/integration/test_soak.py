"""A short soak (tests/soak/run): everything at once for half a minute, and every account closed at the end.

In namespaces of its own: no lab is needed.
"""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_half_a_minute_of_everything_at_once():
    environment = dict(os.environ, SWARMDNS_BUILD=os.environ.get("SWARMDNS_BUILD", str(ROOT / "build")))
    done = subprocess.run(["/usr/bin/python3", str(ROOT / "tests/soak/soakkit/main.py"), "--seconds", "30"],
                          capture_output=True, text=True, check=False, timeout=280, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("PASSED\n"), done.stdout
