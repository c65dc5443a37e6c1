"""`./doxie bench collab`: Doxie's WebSocket door beside the Yjs servers of npm, in the same run with the same driver."""
