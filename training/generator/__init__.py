"""The training of the generator."""
