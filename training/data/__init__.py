"""What training learns from: datasets, clips, holes, and the samples that are cut from them."""
