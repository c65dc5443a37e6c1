"""Revisions over HTTP."""
