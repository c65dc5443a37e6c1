"""The HTTP door: REST for web clients and scripts."""
