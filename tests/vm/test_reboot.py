"""A reboot: the units bind the port, reserve the hugepages and start the node, before any operator is there."""

from vmkit.network import E1000E
from vmkit.node import PATIENCE, configuration, dig

UNIT = f"swarmdns-port@{E1000E.pci}.service"


def test_the_port_unit_binds_once(node):
    node.machine.check(f"systemctl start {UNIT}", PATIENCE)
    assert node.port(E1000E.pci)["driver"] == "vfio-pci"
    node.machine.check(f"systemctl stop {UNIT}", PATIENCE)
    assert node.port(E1000E.pci)["driver"] == "vfio-pci"  # a node may run on it
    node.machine.check(f"systemctl start {UNIT}", PATIENCE)  # bound already: not a failure
    assert node.machine.run(f"systemctl is-failed {UNIT}").out.strip() != "failed"


def test_after_a_reboot_the_node_answers_by_itself(node):
    node.configure(configuration([E1000E]))
    node.machine.check(f"systemctl enable {UNIT} swarmdns-controlplane", PATIENCE)
    node.machine.reboot()
    try:
        node.wait_ready()
        port = node.port(E1000E.pci)
        assert port["driver"] == "vfio-pci"
        for family in (4, 6):
            assert "203.0.113.80" in dig(E1000E, "www.vm.test A", family=family), node.logs()
        node.stop()
        node.unbind(E1000E.pci)
        port = node.port(E1000E.pci)
        assert port["driver"] == "e1000e" and port["interface"], port
    finally:
        node.machine.check(f"systemctl disable {UNIT} swarmdns-controlplane", PATIENCE)
