"""Training of the network that finds text which was laid over a video."""
