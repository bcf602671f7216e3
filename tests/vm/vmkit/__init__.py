"""The virtual machine of tests/vm: its disks, its start and end, and commands inside it."""
