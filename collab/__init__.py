"""The WebSocket door: live editing for y-websocket and Hocuspocus clients."""
