"""Tests of the conversion of content."""
