"""Flow of complete frames: computed, kept and read."""
