"""One machine: QEMU without hardware virtualisation, its end by the process id that was started, commands inside it."""

import base64
import dataclasses
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time

from . import network

CPUS = 3
MEMORY_MIB = 3072
BOOT_SECONDS = 1200  # a minute on two idle cores; emulation on a busy machine takes its time


class MachineError(RuntimeError):
    """The machine did not start, ended, or does not answer."""


@dataclasses.dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    def __str__(self):
        return f"exit status {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def devices(iommu):
    # Behind an IOMMU a virtio card must use it as real ones do, which only the modern interface can.
    virtio = "disable-legacy=on,iommu_platform=on" if iommu else "disable-legacy=on"
    words = []
    for card in network.CARDS:
        several = f",queues={card.queues}" if card.queues > 1 else ""
        words += ["-netdev", f"tap,id={card.name},ifname={card.name},script=no,downscript=no,vhost=off{several}"]
        more = ""
        if card.model.startswith("virtio"):
            more = "," + virtio
            if card.queues > 1:
                more += f",mq=on,rss=on,vectors={2 * card.queues + 2}"
        words += ["-device", f"{card.model},netdev={card.name},mac={card.mac},addr={card.pci[8:]}{more},romfile="]
    words += ["-device", "pcie-root-port,id=bridge,addr=0x5,chassis=1"]
    for function, pci in enumerate(network.PAIR):
        multi = ",multifunction=on" if function == 0 else ""
        words += ["-device", f"e1000e,bus=bridge,mac=52:54:00:00:01:0{function},addr={pci[8:]}{multi},romfile="]
    return words


class Machine:
    def __init__(self, system, build_disk, folder, iommu):
        self.folder = pathlib.Path(folder)
        self.console = self.folder / "console.log"
        self.iommu = iommu
        self.count = 0
        self.buffer = b""
        self.process = None
        self.port = None
        try:
            self._start(system, build_disk)
        except BaseException:  # an interrupt, too: no QEMU is left behind
            self.stop()
            raise

    def _start(self, system, build_disk):
        self.folder.mkdir(parents=True, exist_ok=True)
        agent = self.folder / "agent.sock"
        agent.unlink(missing_ok=True)
        kernel = "root=/dev/vda rw console=ttyS0 net.ifnames=1 quiet systemd.show_status=no "
        kernel += "intel_iommu=on iommu=pt" if self.iommu else "intel_iommu=off"
        words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(CPUS), "-m", str(MEMORY_MIB)]
        words += ["-machine", "q35,kernel-irqchip=split" if self.iommu else "q35", "-nodefaults", "-display", "none"]
        if self.iommu:
            words += ["-device", "intel-iommu,intremap=on,caching-mode=on,device-iotlb=on,aw-bits=48"]
        words += ["-kernel", system.kernel, "-initrd", system.initrd, "-append", kernel]
        words += ["-serial", f"file:{self.console}"]
        for name, disk in (("root", system.disk), ("build", build_disk)):
            words += ["-drive", f"file={disk},if=none,id={name},format=raw,cache=unsafe,snapshot=on"]
            words += ["-device", f"virtio-blk-pci,drive={name},addr={'0x10' if name == 'root' else '0x11'}"]
        words += ["-device", "virtio-serial-pci,addr=0x12"]
        words += ["-chardev", f"socket,id=agent,path={agent},server=on,wait=off"]
        words += ["-device", "virtserialport,chardev=agent,name=swarmdns.agent"]
        words += devices(self.iommu)
        with open(self.folder / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(network.inside(*words), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        began = time.monotonic()
        self.port = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        while self.port.connect_ex(str(agent)) != 0:  # not there, or not yet listening
            self._alive()
            if time.monotonic() - began > 60:
                raise MachineError(f"QEMU does not listen on {agent}")
            time.sleep(0.1)
        self._answer("ready", BOOT_SECONDS)
        self.boot_seconds = time.monotonic() - began

    def _alive(self):
        if self.process.poll() is not None:
            log = (self.folder / "qemu.log").read_text(errors="replace")
            raise MachineError(f"QEMU ended with {self.process.returncode}: {log[-2000:]}")

    def _answer(self, wanted, seconds):
        deadline = time.monotonic() + seconds
        while True:
            line, newline, rest = self.buffer.partition(b"\n")
            if newline:
                self.buffer = rest
                fields = line.decode(errors="replace").split()
                if len(fields) == 4 and fields[0] == wanted:
                    return fields
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                tail = self.console.read_text(errors="replace")[-3000:] if self.console.exists() else ""
                raise MachineError(f"no answer from the machine within {seconds} s; its console ends:\n{tail}")
            if select.select([self.port], [], [], min(left, 1))[0]:
                read = self.port.recv(65536)
                if not read:
                    raise MachineError("the machine closed its serial port")
                self.buffer += read
            else:
                self._alive()

    def run(self, script, seconds=120):
        """Runs a bash script as root in the machine."""
        self.count += 1
        name = str(self.count)
        encoded = base64.b64encode(script.encode()).decode()
        self.port.sendall(f"{name} {seconds} {encoded}\n".encode())
        _, status, out, err = self._answer(name, seconds + 60)
        texts = [base64.b64decode(text).decode(errors="replace") if text != "-" else "" for text in (out, err)]
        return Result(int(status), *texts)

    def check(self, script, seconds=120):
        """Runs a script that must succeed; its stdout."""
        result = self.run("set -euo pipefail\n" + script, seconds)
        if result.status != 0:
            raise MachineError(f"in the machine: {script}\n{result}")
        return result.out

    def reboot(self):
        """Shuts the system down in order and boots it again; its disk keeps what was written."""
        self.check("systemd-run --quiet --on-active=1 systemctl reboot")
        self._answer("ready", BOOT_SECONDS)

    def stop(self):
        """Ends QEMU; the disks are snapshots, so nothing is lost that should be kept."""
        if self.port:
            self.port.close()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def need_files():
    """Raises what is missing on this host."""
    if os.geteuid() != 0:
        raise MachineError("the machine's cables are TAP interfaces in a network namespace: run it as root")
    if not os.path.exists("/dev/net/tun"):
        raise MachineError("there is no /dev/net/tun: the kernel needs CONFIG_TUN")
    for tool in ("qemu-system-x86_64", "mmdebstrap", "mke2fs", "ip", "ethtool", "dig", "ping"):
        if not shutil.which(tool):
            raise MachineError(f"{tool} is not installed: section [vm] of scripts/packages.txt, by tests/vm/run")
