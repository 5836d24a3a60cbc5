"""A run with as many rows as asked for, and no copy beside it."""

from __future__ import annotations

from planning.models import (
    GoalResult,
    MaterialBalance,
    OrderResult,
    Plant,
    ProductBalance,
    Production,
    Run,
    Utilization,
)
from tests.factories import make_run


def big_run(plant: Plant, products: int, periods: int) -> Run:
    run = make_run(plant, state="solved", objective=1.0, profit_parts={"sales": 1.0})
    pairs = [(f"Product {p}", f"Week {t}") for p in range(products) for t in range(1, periods + 1)]
    zeros = dict.fromkeys(("yielded", "bought", "used", "lapsed", "stock", "backlog", "short"), 0.0)
    Production.objects.bulk_create(
        Production(run=run, product=p, route="Fast", period=t, quantity=2.0, setup=t == "Week 2") for p, t in pairs
    )
    ProductBalance.objects.bulk_create(
        ProductBalance(run=run, product=p, period=t, made=2.0, sold=2.0, **zeros) for p, t in pairs
    )
    MaterialBalance.objects.create(run=run, material="Wood", period="Week 1", supplied=1, used=3, lapsed=0, stock=2)
    Utilization.objects.create(
        run=run, resource_type="machine", resource="Saw", period="Week 1", used=1, overtime=0, units_down=0
    )
    OrderResult.objects.create(
        run=run,
        reference="A-1",
        product="Product 0",
        period="Week 1",
        target=5,
        delivered=3,
        late=1,
        shortfall=2,
        deliveries=[{"period": "Week 1", "quantity": 2.0}, {"period": "Week 2", "quantity": 1.0}],
    )
    GoalResult.objects.create(run=run, priority=1, name="Saw below 40 h", sense="at_most", target=40, under=0, over=2.5)
    run.levels = [{"priority": 1, "deviation": 2.5}]
    run.save()
    return run
