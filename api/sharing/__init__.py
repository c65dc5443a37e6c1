"""Sharing documents over HTTP."""
