"""Drills of a swarm: tests/drills/run."""
