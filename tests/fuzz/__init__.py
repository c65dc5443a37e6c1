"""Every parser that reads what strangers send, fed with bytes that no one would send."""

NAMES = ("update", "frames", "auth", "imports", "markdown")
"""What can be fuzzed: `targets.TARGETS`, which only a process that measures coverage may import."""
