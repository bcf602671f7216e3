"""A machine without an IOMMU: what swarmctl says of it."""

import pytest
from vmkit.network import E1000E
from vmkit.node import Node


@pytest.fixture(scope="module")
def bare(machines):
    node = Node(machines.need(iommu=False))
    yield node
    node.leave()


def test_list_says_so(bare):
    listed = bare.ctl_json("port list")
    assert listed["iommu"] is False
    assert any("no IOMMU in use" in note and "intel_iommu=on" in note for note in listed["notes"])
    assert all(port["iommu_group"] == "" for port in listed["ports"])


@pytest.mark.parametrize("force", ["", "--force "])
def test_bind_is_refused_and_explained(bare, force):
    result = bare.ctl(f"port bind {force}{E1000E.pci}")
    assert result.status == 4, result
    for word in ("no IOMMU in use", "VT-d", "intel_iommu=on iommu=pt", "enable_unsafe_noiommu_mode"):
        assert word in result.err, result
    assert bare.port(E1000E.pci)["driver"] == "e1000e"


def test_the_unsafe_mode_is_not_in_this_kernel_as_the_message_says(bare):
    bare.machine.check("modprobe vfio-pci && test -d /sys/module/vfio")
    bare.machine.check("test ! -e /sys/module/vfio/parameters/enable_unsafe_noiommu_mode")
    assert "CONFIG_VFIO_NOIOMMU" in bare.ctl(f"port bind {E1000E.pci}").err
