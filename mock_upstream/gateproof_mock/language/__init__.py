"""The script language: what a model says and how it is put on the wire, in Python, JSON and YAML; and what may be said."""
