"""Yjs documents without a store: questions about updates, Docs that outlive bad ones, and the process that keeps them.

Nothing here imports more than pycrdt, so a process that only keeps Docs starts in a tenth of a second.
"""
