"""What anybody might type or hand in, made by the thousand from a seed. ``python -m tests.fuzz --help``."""
