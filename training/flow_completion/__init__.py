"""Training of the network that completes flow inside holes, and its measure."""
