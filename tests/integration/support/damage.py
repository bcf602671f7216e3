"""What a bad disk does to a node's ledger."""


def table_files(node):
    """The ledger's table files, largest first; those that hold rows are larger than a KiB."""
    files = [file for file in (node.at.var / "swarm" / "ledger").glob("*.sst")]
    return sorted(files, key=lambda file: (file.stat().st_size, file.name), reverse=True)


def alter(file, part=0.3):
    """Alters one octet of it; where."""
    place = int(file.stat().st_size * part)
    with file.open("r+b") as at:
        at.seek(place)
        octet = at.read(1)[0]
        at.seek(place)
        at.write(bytes([octet ^ 1]))
    return place


def kept_aside(node):
    """The damaged ledgers that the node has kept."""
    return sorted((node.at.var / "swarm").glob("ledger.damaged-*"))
