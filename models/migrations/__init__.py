"""Schema changes, forward and back."""
