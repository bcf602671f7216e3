"""The lab: network namespaces, an Internet of our own and real nodes, on one machine."""
