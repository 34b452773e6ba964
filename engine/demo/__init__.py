"""The demonstration: a real clip with a logo burnt in, and the mask of that logo."""
