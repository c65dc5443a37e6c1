"""The embedded stack: every service Doxie needs, started from wheels and supervised.

`plan` decides what runs where, `services` is the table of what runs, `supervisor` runs it. Nothing
here imports the rest of Doxie: migrations, api, collab and flows are started as processes.
"""
