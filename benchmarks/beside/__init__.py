"""Published code beside ptfan: what the scripts share that import somebody's checkout and time it."""
