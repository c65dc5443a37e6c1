"""Signing in at other providers, over HTTP."""
