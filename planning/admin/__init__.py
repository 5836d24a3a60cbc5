"""Doors for people: data entry, Run scenario, the run page, compare, data health."""
