"""Two models, or one on two backends, on a real clip: how far their answers are from each other."""
