"""Configurations to apply: changes that are taken, live or for the next start, and such that must be refused."""

import copy
import json

from .place import UPSTREAMS

SERVERS = [f"127.0.0.1@{port}" for port in UPSTREAMS]
NOBODY = "127.0.0.1@5309"  # no one listens there


def section(config, path):
    for word in path.split("."):
        config = config.setdefault(word, {})
    return config


# Each: what is changed, the part of the configuration, keys and the values to draw from.
CHANGES = (
    ("cache.ttl", "dataplane.cache", {"min_ttl_s": (0, 2, 30), "max_ttl_s": (60, 300, 86400),
                                      "max_negative_ttl_s": (1, 60, 3600), "servfail_ttl_s": (1, 5, 30)}),
    ("cache.max_entry", "dataplane.cache", {"max_entry_bytes": (512, 900, 16384)}),
    ("cache.stale", "dataplane.cache", {"stale_max_s": (0, 5, 86400), "stale_client_ms": (100, 1800),
                                        "stale_ttl_s": (1, 30), "stale_recheck_s": (1, 30)}),
    ("cache.prefetch", "dataplane.cache", {"prefetch_percent": (0, 10, 50)}),
    ("acl.deny", "dataplane.guard.acl", {"deny": (["10.58.16.0/24"], ["10.58.18.0/23", "fd58::1:8000/113"])}),
    ("acl.refuse", "dataplane.guard.acl", {"refuse": ([f"10.99.{n}.0/24" for n in range(200)],)}),
    ("cookies", "dataplane.guard.cookies", {"disabled": (True, False), "secrets": ([], ["00" * 15 + "aa", "11" * 16])}),
    ("rate_limit", "dataplane.guard.rate_limit", {"responses_per_second": (4, 10, 1000), "slip": (0, 1, 2, 5),
                                                  "prefix_scale": (1, 8, 256)}),
    ("rate_limit.off", "dataplane.guard.rate_limit", {"disabled": (True,)}),
    ("upstream.servers", "dataplane.upstream", {"servers": (SERVERS[::-1], SERVERS[:1], SERVERS[1:], [NOBODY, *SERVERS],
                                                            [SERVERS[0], NOBODY])}),
    ("upstream.tries", "dataplane.upstream", {"timeout_ms": (300, 500, 800), "tries": (3, 4, 6)}),
    ("upstream.quota", "dataplane.upstream", {"quota_per_prefix": (2, 16, 1024), "quota_per_zone": (1, 16, 1024)}),
    ("service", "dataplane.service", {"nsid": ("here", "-"), "udp_payload_max": (512, 1232, 1400)}),
    ("worker", "dataplane.worker", {"idle": ("spin", "adaptive"), "idle_max_sleep_us": (10, 100, 900)}),
    ("stream", "dataplane.stream", {"max_connections": (150, 10000), "max_connections_per_client": (3, 128),
                                    "idle_timeout_ms": (200, 10000), "max_pipelined": (4, 100)}),
    ("node", "node", {"region": ("here", "there"), "admin_users": (["nobody"], [])}),
    ("for a restart", "dataplane.cache", {"memory_mib": (32, 64), "journal_entries": (2048, 65536)}),
)

# Each: what is wrong with it, the part, the values. All are refused as they stand.
WRONG = (
    ("out of range", "dataplane.cache", {"max_ttl_s": 5}),
    ("no such key", "dataplane.cache", {"max_ttl": 300}),
    ("no prefix", "dataplane.guard.acl", {"allow": ["10.58.0.1/16"]}),
    ("no number", "dataplane.guard.rate_limit", {"responses_per_second": "many"}),
    ("no address", "dataplane.upstream", {"servers": ["resolver.example"]}),
    ("no upstream", "dataplane.upstream", {"servers": []}),
    ("no secret", "dataplane.guard.cookies", {"secrets": ["abc"]}),
    ("no host label", "node", {"name": "not a label"}),
)
NOT_YAML = "node: [\n"


def with_values(config, path, values, version):
    """A copy of `config` with some values changed, and `version` as what version.bind says."""
    changed = copy.deepcopy(config)
    section(changed, path).update(values)
    section(changed, "dataplane.service")["version"] = version
    return changed


def draw(random, base, version):
    """(names, configuration): one to three changes to the base at once."""
    config, said = base, []
    for name, path, keys in random.sample(CHANGES, random.choice((1, 1, 2, 3))):
        values = {key: random.choice(choices) for key, choices in keys.items()}
        config = with_values(config, path, values, version)
        said.append(name)
    return said, config


def draw_wrong(random, base, version):
    """(what is wrong, text of a configuration)."""
    if random.random() < 0.1:
        return "no YAML", NOT_YAML
    what, path, values = random.choice(WRONG)
    return what, json.dumps(with_values(base, path, values, version))
