"""`swarmctl port …` on real PCI devices behind an IOMMU, before a control plane runs: what it shows, refuses and does."""

import pytest
from vmkit import network
from vmkit.network import CARDS, E1000E, MANAGEMENT, PAIR, VIRTIO

FREE = (E1000E, VIRTIO)
OK, REFUSED, NOT_FOUND = 0, 4, 5


@pytest.fixture(scope="module")
def managed(node):
    """The management port with its address and the default route, as an operator's session would use it."""
    interface = node.port(MANAGEMENT.pci)["interface"]
    give_address(node, interface)
    yield interface


def give_address(node, interface):
    node.machine.check(
        f"ip link set {interface} up; ip address replace {MANAGEMENT.node4}/24 dev {interface}\n"
        f"ip route replace default via {MANAGEMENT.peer4} dev {interface}")
    network.wait_ping(MANAGEMENT.node4)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_list_shows_driver_numa_node_and_group(node, card):
    listed = node.ctl_json("port list")
    assert listed["iommu"] is True
    port = {port["pci_address"]: port for port in listed["ports"]}[card.pci]
    assert port["driver"] == card.driver
    assert port["mac"] == card.mac
    assert port["interface"].startswith("enp0s")
    assert port["numa_node"] == int(node.machine.check(f"cat /sys/bus/pci/devices/{card.pci}/numa_node"))
    group = node.machine.check(f"basename $(readlink /sys/bus/pci/devices/{card.pci}/iommu_group)").strip()
    assert port["iommu_group"] == group != ""
    assert port["group_members"] == []
    line = [line for line in node.ctl("port list").out.splitlines() if line.startswith(card.pci)]
    assert len(line) == 1 and card.driver in line[0] and port["interface"] in line[0]


def test_only_network_devices_are_listed(node):
    addresses = [port["pci_address"] for port in node.ctl_json("port list")["ports"]]
    assert addresses == sorted([card.pci for card in CARDS] + list(PAIR))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_status_takes_a_long_address_a_short_one_and_an_interface(node, card):
    port = node.port(card.pci)
    assert port["pci_address"] == card.pci
    assert node.port(card.pci.removeprefix("0000:")) == port
    assert node.port(port["interface"]) == port
    text = node.ctl(f"port status {card.pci}").out
    for word in (card.driver, card.mac, port["interface"], port["iommu_group"]):
        assert word in text


@pytest.mark.parametrize("command", ["status", "bind --force", "unbind"])
@pytest.mark.parametrize("device", ["0000:00:1e.0", "../../../etc/passwd", "''", "0000:00:1f.2", "lo"])
def test_a_name_that_is_no_port_is_said_clearly(node, command, device):
    result = node.ctl(f"port {command} {device}")
    assert result.status == NOT_FOUND, result
    assert result.out == ""
    assert f'there is no PCI network port "{device.strip(chr(39))}"' in result.err
    assert "swarmctl port list" in result.err


def test_bind_refuses_the_port_in_use_and_names_the_mend(node, managed):
    for device in (MANAGEMENT.pci, managed):
        result = node.ctl(f"port bind {device}")
        assert result.status == REFUSED, result
        for word in (managed, MANAGEMENT.pci, f"{MANAGEMENT.node4}/24", "the default route", "ip address del", "--force"):
            assert word in result.err, result
    assert node.port(MANAGEMENT.pci)["driver"] == MANAGEMENT.driver
    assert network.ping(MANAGEMENT.node4) == 3
    assert f"{MANAGEMENT.node4}/24, default route" in node.ctl("port list").out


def test_force_binds_the_port_in_use_and_unbind_brings_the_interface_back(node, managed):
    result = node.ctl(f"port bind --force {managed}")
    assert result.status == OK, result
    port = node.port(MANAGEMENT.pci)
    assert port["driver"] == "vfio-pci"
    assert port["previous_driver"] == MANAGEMENT.driver
    assert port["interface"] == ""
    assert node.machine.run(f"ip link show {managed}").status != 0
    assert network.ping(MANAGEMENT.node4, 1) == 0

    result = node.ctl(f"port unbind {MANAGEMENT.pci}")
    assert result.status == OK, result
    assert f"{MANAGEMENT.pci} is back with {MANAGEMENT.driver} as {managed}" in result.out
    give_address(node, managed)  # the kernel forgot it with the interface


@pytest.mark.parametrize("card", FREE, ids=lambda card: card.name)
def test_a_free_port_is_bound_and_given_back(node, card):
    before = node.port(card.pci)
    result = node.ctl(f"port bind {card.pci}")
    assert result.status == OK, result
    assert f"{card.pci} is bound to vfio-pci" in result.out and f'device: "{card.pci}"' in result.out
    assert "Note" not in result.out
    port = node.port(card.pci)
    assert (port["driver"], port["interface"], port["previous_driver"]) == ("vfio-pci", "", card.driver)
    node.machine.check(f"test -c /dev/vfio/{port['iommu_group']}")
    line = next(line for line in node.ctl("port list").out.splitlines() if line.startswith(card.pci))
    assert "vfio-pci" in line and line.endswith("DPDK")

    again = node.ctl(f"port bind {card.pci}")
    assert again.status == REFUSED and "already" in again.err
    gone = node.ctl(f"port status {before['interface']}")
    assert gone.status == NOT_FOUND

    result = node.ctl(f"port unbind {card.pci}")
    assert result.status == OK, result
    after = node.port(card.pci)
    for key in ("driver", "interface", "mac", "iommu_group"):
        assert after[key] == before[key]
    assert after["previous_driver"] == ""
    # Not only there: frames pass.
    node.machine.check(f"ip link set {after['interface']} up; ip address add {card.node4}/24 dev {after['interface']}")
    network.wait_ping(card.node4)
    node.machine.check(f"ip address flush dev {after['interface']}; ip link set {after['interface']} down")


def test_unbind_of_a_port_that_is_not_bound_is_refused(node):
    result = node.ctl(f"port unbind {E1000E.pci}")
    assert result.status == REFUSED
    assert "its driver: e1000e" in result.err


def test_unbind_to_a_driver_that_is_not_there_changes_nothing(node):
    node.bind(E1000E.pci)
    result = node.ctl(f"port unbind {E1000E.pci} --driver nonsense")
    assert result.status == REFUSED and 'no driver "nonsense"' in result.err, result
    assert node.port(E1000E.pci)["driver"] == "vfio-pci"
    node.unbind(E1000E.pci)


def test_unbind_to_a_driver_that_does_not_fit_leaves_the_port_with_dpdk(node):
    """igb is there, but not for this card: the port must not be left between two drivers."""
    node.bind(E1000E.pci)
    result = node.ctl(f"port unbind {E1000E.pci} --driver igb")
    assert result.status not in (OK, NOT_FOUND), result
    assert "igb" in result.err
    assert node.port(E1000E.pci)["driver"] == "vfio-pci"
    assert node.port(E1000E.pci)["previous_driver"] == "e1000e"
    node.unbind(E1000E.pci)
    assert node.port(E1000E.pci)["driver"] == "e1000e"


def test_bind_names_the_rest_of_the_group(node):
    first, second = PAIR
    assert any(second in member for member in node.port(first)["group_members"])
    result = node.ctl(f"port bind {first}")
    assert result.status == OK, result
    assert "Note" in result.out and f"{second} (e1000e)" in result.out and "as a whole" in result.out
    result = node.ctl(f"port bind {second}")
    assert result.status == OK and "Note" not in result.out, result
    node.unbind(first, second)
    assert [node.port(pci)["driver"] for pci in PAIR] == ["e1000e", "e1000e"]


def test_an_interface_of_a_bridge_is_refused(node):
    interface = node.port(VIRTIO.pci)["interface"]
    node.machine.check(f"ip link add br0 type bridge; ip link set {interface} master br0")
    result = node.ctl(f"port bind {VIRTIO.pci}")
    node.machine.check("ip link delete br0")
    assert result.status == REFUSED and "a place in br0" in result.err and "nomaster" in result.err, result
