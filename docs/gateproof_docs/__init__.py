"""What of the documentation is generated: the catalogue, the tables of options and keys, the mock's reference."""
