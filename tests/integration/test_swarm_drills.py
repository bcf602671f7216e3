"""Short drills of a swarm (tests/drills/run): under DNS load, with every answer and every change accounted for.

They make their own labs.
"""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("drill", [["leaders", "--times", "3"], ["partitions", "--times", "3"],
                                   ["random", "--seconds", "30"]], ids=lambda argv: argv[0])
def test_nothing_is_lost(drill):
    environment = dict(os.environ, SWARMDNS_BUILD=os.environ.get("SWARMDNS_BUILD", str(ROOT / "build")))
    done = subprocess.run(["/usr/bin/python3", str(ROOT / "tests/drills/drillkit/main.py"), *drill, "--rate", "200"],
                          capture_output=True, text=True, check=False, timeout=400, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("PASSED\n"), done.stdout
