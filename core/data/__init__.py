"""Pictures to train on and to measure against: drawn here, or read from files."""
