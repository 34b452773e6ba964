"""The runtime: video in, inpainted video out. It never imports torch."""
