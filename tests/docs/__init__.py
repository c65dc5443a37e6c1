"""Tests of docs/: what it shows works, what it points to exists."""
