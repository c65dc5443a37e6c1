"""Operating the deployment over HTTP."""
