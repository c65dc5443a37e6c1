"""Imports: files that become documents."""
