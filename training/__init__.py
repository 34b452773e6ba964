"""The network, the data it learns from, and the loop that trains it."""
