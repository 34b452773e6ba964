"""Convolutions of bytes: a model's ranges are measured on real clips, and a file for CPUs is written."""
