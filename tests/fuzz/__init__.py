"""What anybody might type or hand in, made by hypothesis from a seed. ``python -m tests.fuzz --help``."""
