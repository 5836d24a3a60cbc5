"""Doors for people: data entry, Run scenario, the run page, compare, data health.

Django finds this package by itself; each module registers the pages of its tables.
"""

from . import orders, plant, products, recipes, resources, run_sets, runs, scenarios, users

__all__ = ["orders", "plant", "products", "recipes", "resources", "run_sets", "runs", "scenarios", "users"]
