"""Measurements against peers and floors, taken in one run on one machine: `make bench`."""
