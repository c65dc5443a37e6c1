"""Identities at other providers."""
