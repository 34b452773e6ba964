"""How windows of frames are shown to a network: whole, or frame by frame, for one stream or many."""
