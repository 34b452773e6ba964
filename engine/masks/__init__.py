"""Masks: where the holes of a video are."""
