"""Ablations: what each part of the method brings, by training without it, at equal cost and from equal seeds."""
