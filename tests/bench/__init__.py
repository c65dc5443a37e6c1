"""Benchmarks: each measures Doxie and a peer (or a limit) in the same run and prints their ratio."""
