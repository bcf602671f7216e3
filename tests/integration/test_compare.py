"""Node and resolver say the same about every odd name (`lab diff`)."""

from labkit import compare
from labkit.settings import Node


def check(bench, items, variants, jobs=24):
    comparison = compare.Comparison(Node(1), ("127.0.0.1", 553))
    questions = [(item, variant) for item in items for variant in variants]
    wrong = [(item.line(), variant, found) for item, variant, found in comparison.run(questions, jobs) if found]
    shown = "\n".join(f"{line} [{variant}]: {'; '.join(found)}" for line, variant, found in wrong[:30])
    assert not wrong, f"{len(wrong)} of {len(questions)} differ:\n{shown}"


def test_all_names_equal(bench, node):
    items = compare.select(bench.asked(), (), 0)
    odd = {item.name.lower() for item in items if item.case not in ("plain", "apex")}
    assert len(odd) >= 2000
    check(bench, items, ("plain", "do"))


def test_other_flags_equal(bench, node):
    items = [i for i in compare.select(bench.asked(), (), 12) if i.case not in ("timeout", "slow", "lame-refused")]
    check(bench, items, ("ad", "cd", "noedns"))


def test_the_comparison_sees_differences():
    """The tool itself: what it must tell apart, and what it must not."""
    import dns.message  # pylint: disable=import-outside-toplevel

    base = "id 1\nopcode QUERY\nrcode NOERROR\nflags QR RD RA\n;QUESTION\na. IN A\n;ANSWER\na. 60 IN A 192.0.2.1\na. 60 IN A 192.0.2.2\n"
    view = compare.View.of(dns.message.from_text(base))
    for change in (("NOERROR", "NXDOMAIN"), ("RA", "RA AD"), ("192.0.2.2", "192.0.2.3"), ("IN A\n;A", "IN AAAA\n;A")):
        assert compare.differences(view, compare.View.of(dns.message.from_text(base.replace(*change, 1)))), change
    same = base.replace("60 IN A 192.0.2.1\na. 60 IN A 192.0.2.2", "7 IN A 192.0.2.2\nA. 9 IN A 192.0.2.1")
    assert not compare.differences(view, compare.View.of(dns.message.from_text(same)))
