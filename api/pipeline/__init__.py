"""The run ledger over HTTP."""
