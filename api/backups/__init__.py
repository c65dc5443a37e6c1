"""Backups of an organization over HTTP."""
