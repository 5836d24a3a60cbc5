"""Mistakes, each with the words that mypy finds for it: checked, never run."""

from __future__ import annotations

from dataclasses import dataclass

from planning.lx import LXConstraint, LXIndexDimension, LXLinearExpression, LXVariable
from planning.models import Machine, Product, ProductionRecipe


@dataclass
class Part:
    name: str
    profit: float
    most: float | None


def hours_of(machine: Machine) -> float:
    return 1.0


make = LXVariable[Product, float]("make")
hours = LXConstraint[Machine]("hours")
expression = LXLinearExpression()
recipes = ProductionRecipe.objects.all()
part = LXVariable[Part, float]("part")
share = LXConstraint[Part]("share")

# a name that a row does not have
make.bounds(upper=lambda p: p.max_demmand)  # "Product" has no attribute "max_demmand"
make.bounds(lower=lambda p: p.least, upper=3)  # "Product" has no attribute "least"
make.indexed_by(lambda p: p.nmae)  # "Product" has no attribute "nmae"
make.integer(where=lambda p: p.is_whole)  # "Product" has no attribute "is_whole"
hours.rhs(lambda m: m.hours)  # "Machine" has no attribute "hours"
hours.indexed_by(lambda m: m.machine_name)  # "Machine" has no attribute "machine_name"
expression.add_term(make, lambda p: p.proft_per_unit)  # "Product" has no attribute "proft_per_unit"
expression.add_term(make, coeff=lambda p: p.proft_per_unit)  # "Product" has no attribute "proft_per_unit"
expression.add_multi_term(make, lambda p: p.proft)  # "Product" has no attribute "proft"
expression.add_multi_term(make, where=lambda p: p.is_whole)  # "Product" has no attribute "is_whole"
expression.add_join(make, lambda p: p.proft, row_key=lambda p: p.name)  # "Product" has no attribute "proft"
expression.add_join(make, lambda r: r.hours, over=recipes)  # "ProductionRecipe" has no attribute "hours"
expression.add_join(make, over=recipes, row_key=lambda r: r.mach)  # "ProductionRecipe" has no attribute "mach"
LXIndexDimension(Machine, lambda m: m.number)  # "Machine" has no attribute "number"

# a function of another row
make.bounds(upper=hours_of)  # expected "Callable[[Product], float | None] | float | None"
expression.add_term(make, hours_of)  # expected "Callable[[Product], float] | float"
expression.add_term(make, lambda p: 2 * hours_of(p))  # incompatible type "Product"; expected "Machine"

# a result that is no number, or no yes or no
expression.add_term(part, lambda p: p.name)  # expected "Callable[[Part], float] | float"
expression.add_term(part, lambda p: p.most)  # got "float | None", expected "float"
expression.add_term(part, lambda p: None)  # expected "Callable[[Part], float] | float"
expression.add_term(part, "1")  # No overload variant of "add_term"
expression.add_multi_term(part, 1.0, where=lambda p: p.profit)  # expected "Callable[[Part], bool] | None"
part.bounds(upper=lambda p: p.name)  # got "str", expected "float | None"
part.integer(where=lambda p: p.name)  # expected "Callable[[Part], bool] | None"
share.rhs(lambda p: p.name)  # expected "Callable[[Part], float] | float"
share.rhs("3")  # No overload variant of "rhs"

# rows of another model
make.from_model(Machine)  # has incompatible type "type[Machine]"
make.from_model(Machine.objects.all())  # has incompatible type
make.from_data([Machine()])  # List item 0 has incompatible type "Machine"
