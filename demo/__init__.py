"""The demo: an invented practice, started by `make demo` through the same commands an operator would use."""
