"""The Prefect door: everything that is derived from the journal, as flows that can be seen and repeated."""

from flows import environment

environment.prepare()
