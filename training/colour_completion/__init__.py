"""Training of the network that completes colours inside holes."""
