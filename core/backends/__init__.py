"""Ways to compute the network: one file each."""
