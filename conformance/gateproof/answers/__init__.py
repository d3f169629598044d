"""The client's reading of its leg. A surface is a module here: `read(frames or body) -> Answer`."""
