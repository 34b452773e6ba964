"""The measures of the field, one noun a file. Pictures are (H, W, 3) uint8 RGB; what is reported is float64."""
