"""Video files, image folders and Y4M streams, in and out."""
