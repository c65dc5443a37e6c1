"""Getting the database back: archived WAL, base backups, and servers that recover from them."""
