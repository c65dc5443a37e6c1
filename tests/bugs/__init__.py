"""Bugs that are put in on purpose, to see that the tests find them: `./doxie bench bugs`."""
