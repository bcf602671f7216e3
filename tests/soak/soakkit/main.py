"""One soak: starts the node and the load, disturbs, and judges. See tests/soak/run."""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/soak")]

from labkit.procs import start_time  # noqa: E402
from labkit.settings import LabError  # noqa: E402
from soakkit import ledger, names, place as places, samples as sampling  # noqa: E402
from soakkit.disturber import Disturber  # noqa: E402
from soakkit.side import Side  # noqa: E402
from soakkit.volley import TIMEOUT, Volley  # noqa: E402

# What has to have happened for a soak to say anything.
MUST_MOVE = ("cache.hits", "cache.hits_negative", "cache.misses", "cache.inserts", "cache.replaces", "cache.evictions",
             "cache.expiries", "cache.flushed", "cache.prefetch_asked", "miss.replies", "miss.coalesced",
             "upstream.timeouts", "upstream.tcp", "rcode.nxdomain", "rcode.servfail", "dns.truncated",
             "kernel.to_fragment", "kernel.to_tcp", "stream.accepted", "stream.queries")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/soak/run", description="Everything at once on one node, for a while.")
    parser.add_argument("--seconds", type=int, default=600, help="length of the load (default 600, at least 20)")
    parser.add_argument("--seed", type=int, default=1, help="equal seeds ask and disturb alike (default 1)")
    parser.add_argument("--rate", type=int, default=6000, help="queries a second (default 6000)")
    parser.add_argument("--names", type=int, default=150000, help="names asked, more than the cache holds (default 150000)")
    parser.add_argument("--cache-mib", type=int, default=16, help="the cache's budget (default 16)")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and reports")
    options = parser.parse_args(arguments)
    if options.seconds < 20:
        parser.error("--seconds: the cache has to fill first; 20 at least")
    return options


def evictions(place):
    return next(c["value"] for c in place.stats()["counters"] if c["name"] == "cache.evictions")


def soak(options, place, say):
    """Runs it. Returns what was found wrong, as lines."""
    place.wire()
    pid = place.start()
    born = start_time(pid)
    names.write(place.folder, options.names)
    before = ledger.Snapshot(place)
    samples = sampling.Samples(place, pid, place.controlplane.pid)
    side = volley = None
    # Short soaks hurry, so that everything happens in them too.
    disturber = Disturber(place, options.seed, options.names, min(options.seconds / 80, 1.0), samples)
    try:
        volley = Volley(place, options.seconds, options.rate, options.seed)
        side = Side(options.seed + 1, options.names)
        end = time.monotonic() + options.seconds
        # First the cache has to be full, for entries to be evicted; but not for ever.
        while time.monotonic() < end - options.seconds * 2 / 3 and not evictions(place):
            time.sleep(0.5)
        disturber.start()
        while time.monotonic() < end and volley.running() and start_time(pid) == born:
            time.sleep(0.2)
    finally:
        if disturber.thread.ident:
            disturber.end()
        if side:
            side.end()
        samples.end()
        if volley and start_time(pid) != born:
            volley.stop()
    findings = disturber.findings + side.findings
    if start_time(pid) != born:
        return [f"the data plane {pid} ended:\n{place.words_of('state/log/dataplane.log')}", *findings]
    load = volley.finish(60)
    time.sleep(TIMEOUT)  # until the last question of anybody has met its deadline
    after = ledger.Snapshot(place)
    slack = sum(who.counts[what] for who in (side, disturber) for what in ("unanswered", "turned away", "turn"))
    account = ledger.Ledger(before, after, load, slack)
    findings += account.findings + samples.findings()
    if load["wrong"]:
        wrong = {name: value for name, value in load.items() if name.startswith(("wrong_", "dup", "mal", "bad", "not_a"))}
        findings.append(f"{load['wrong']:,} wrong replies: {wrong}")
    findings += [f"nothing was counted as {name}: the soak shows nothing" for name in MUST_MOVE if not account.total[name]]
    say(f"seed {options.seed}, {options.seconds} s, {options.rate:,} queries/s, {options.names:,} names, "
        f"cache of {options.cache_mib} MiB")
    for line in account.lines + samples.report():
        say(line)
    say("replies of dnsvolley       " + ", ".join(f"{k} {v:,}" for k, v in load["rcodes"].items()) +
        f"; wrong {load['wrong']:,}; TC {load['truncated']:,}")
    for what, counts in (("cache", [n for n in sorted(account.total) if n.startswith("cache.")]),
                         ("misses and upstreams", [n for n in sorted(account.total) if n.startswith(("upstream.", "miss."))]),
                         ("TCP and kernel UDP", [n for n in sorted(account.total) if n.startswith("stream.")])):
        say(f"{what}: " + ", ".join(f"{name.partition('.')[2]} {account.total[name]:,}" for name in counts))
    say("done to the node: " + ", ".join(f"{n} {v:,}" for n, v in sorted(disturber.counts.items())))
    say("by the other client: " + ", ".join(f"{n} {v:,}" for n, v in sorted(side.counts.items())))
    return findings


def main(arguments):
    options = parse(arguments)
    if os.geteuid() != 0:
        sys.exit("error: this makes network namespaces: run it with sudo")
    build = pathlib.Path(os.environ.get("SWARMDNS_BUILD", ROOT / "build")).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="swarmdns-soak-"))
    folder.chmod(0o755)
    place = places.Place(folder, build, options.cache_mib)
    try:
        findings = soak(options, place, lambda line: print(line, flush=True))
    except (places.SoakError, LabError) as error:
        findings = [str(error)]
    finally:
        place.stop()
    for finding in findings:
        print(f"FAILED: {finding}")
    if findings or options.keep:
        print(f"logs: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    print("FAILED" if findings else "PASSED")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
