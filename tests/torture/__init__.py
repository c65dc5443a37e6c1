"""Everything is killed, stopped and cut off while people write: what was acknowledged is there afterwards, once."""
