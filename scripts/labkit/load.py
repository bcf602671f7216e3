"""The command `lab load`."""

import signal
import sys

from . import dns_account, dns_load, internet, servers
from .faults import node_of

CASES = ("ttl-huge", "many-labels", "mixed-case", "long-name")  # answered NOERROR, and for hours


def add_arguments(parser):
    parser.add_argument("--rate", type=float, default=1000, help="queries a second to each node (default 1000)")
    parser.add_argument("--seconds", type=float, default=60, help="(default 60; SIGINT and SIGTERM end it earlier)")
    parser.add_argument("--nodes", default="", metavar="1,2,...", help="(default: all)")
    parser.add_argument("--names", default="", metavar="FILE",
                        help="`name [type]` lines, all answered NOERROR with data (default: names that live for hours)")
    parser.add_argument("--cold", action="store_true", help="do not ask for each name once before")
    parser.add_argument("--json", default="", metavar="FILE", help="the account of every query that was not answered right")


def main(args, options):
    numbers = [int(word) for word in args.nodes.split(",")] if args.nodes else range(1, options.nodes + 1)
    asked = internet.read_asked(args.names or servers.INTERNET / "names.txt")
    if not args.names:
        asked = [each for each in asked if each.case in CASES]
    load = dns_load.Load([node_of(options, number) for number in numbers], asked, args.rate, args.seconds)
    if not args.cold:
        load.warm()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: load.stop())
    load.start()
    print(f"asking {len(load.tracks)} nodes {args.rate:g} times a second each", flush=True)
    load.finish()
    account = dns_account.report(load)
    if args.json:
        dns_account.write(account, args.json)
    sys.stdout.write("".join(line + "\n" for line in dns_account.lines(account)))
    return 0 if dns_account.is_clean(account) else 1
