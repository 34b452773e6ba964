"""What happens to frames before the network: scenes, windows, crops, flow, and what is known of holes."""
