"""The client's reading of its leg. A surface is a module here: `read_body` for JSON, and a collector of events."""
