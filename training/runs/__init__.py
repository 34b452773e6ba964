"""A run of training, whatever is trained: settings, folder, loop, log and end."""
