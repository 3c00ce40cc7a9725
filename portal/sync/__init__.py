"""The core of the sync: values in, values out. No I/O, no clock, no framework."""
