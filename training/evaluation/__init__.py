"""Quality on clips with known truth: holes are cut into complete clips, filled, and compared with what was there."""
