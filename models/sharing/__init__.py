"""Sharing documents: grants, links, and asking for access."""
