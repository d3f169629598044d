"""The cases, a module for each area of the catalogue. `registry.py` finds them; there is no list to edit."""
