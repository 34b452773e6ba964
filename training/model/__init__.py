"""The generator and its parts."""
