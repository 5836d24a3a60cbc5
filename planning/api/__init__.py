"""Doors for programs: whether the site lives, whether it can work, and its figures."""
