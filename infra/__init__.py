"""Adapters: everything that talks to a store, a clock, a secret or a socket."""
