"""Second factors and passkeys over HTTP."""
