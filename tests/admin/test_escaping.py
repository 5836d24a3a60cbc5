"""Names are text: no page, message or file takes one for markup or for a formula."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from planning.models import (
    Customer,
    CustomerOrder,
    GoalResult,
    Machine,
    OrderResult,
    Period,
    Plant,
    Product,
    ProductBalance,
    Production,
    ProductionRecipe,
    ProductPeriod,
    Run,
    Scenario,
    Utilization,
)
from tests.factories import make_plant, make_run

EVIL = "<script>alert(1)</script>"
FORMULA = "=cmd|x"


@pytest.fixture(params=[EVIL, FORMULA])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def evil_plant(db: None, name: str) -> Plant:
    plant = make_plant(name, currency=EVIL[:20])
    product = Product.objects.create(plant=plant, name=name, unit=EVIL)
    machine = Machine.objects.create(plant=plant, name=name)
    period = Period.objects.create(plant=plant, sequence=1, name=name)
    customer = Customer.objects.create(plant=plant, name=name)
    ProductionRecipe.objects.create(product=product, machine=machine)
    ProductPeriod.objects.create(product=product, period=period)
    Scenario.objects.create(plant=plant, name=name, description=EVIL)
    CustomerOrder.objects.create(
        plant=plant, reference=name, customer=customer, product=product, period=period, target_quantity=1
    )
    run = make_run(plant, scenario_name=name, state="solved", objective=1.0, reason=EVIL, log=EVIL, worker=EVIL)
    words = {"table": EVIL, "row": name, "column": EVIL, "field": EVIL, "period": EVIL, "text": EVIL}
    run.conflict = run.warnings = [words, {**words, "table": "products"}]
    run.profit_parts, run.options = {"sales": 1.0, EVIL: 2.0}, {"solver": EVIL}
    run.save()
    zeros = dict.fromkeys(("made", "yielded", "bought", "sold", "used", "lapsed", "stock", "backlog", "short"), 0.0)
    Production.objects.create(run=run, product=name, route=name, period=name, quantity=1, setup=True)
    ProductBalance.objects.create(run=run, product=name, period=name, **zeros)
    Utilization.objects.create(
        run=run, resource_type="machine", resource=name, period=name, used=1, overtime=0, units_down=0, shadow_price=1
    )
    OrderResult.objects.create(
        run=run,
        reference=name,
        product=name,
        period=name,
        target=1,
        delivered=1,
        late=0,
        shortfall=0,
        deliveries=[{"period": name, "quantity": 1.0}],
    )
    GoalResult.objects.create(run=run, priority=1, name=name, sense="at_most", target=0, under=0, over=0)
    return plant


def check(response: object, name: str, url: str) -> None:
    page = response.content.decode()
    assert response.status_code == 200, url
    assert EVIL not in page, url
    if name == EVIL:
        assert "&lt;script&gt;alert(1)" in page, url


def test_pages_show_names_as_text(admin: Client, evil_plant: Plant, name: str) -> None:
    for model in (Plant, Product, Machine, Period, Customer, CustomerOrder, ProductionRecipe, ProductPeriod, Scenario):
        base = f"admin:planning_{model._meta.model_name}"
        row = model.objects.last()
        for page in ("change", "delete", "history"):
            url = reverse(f"{base}_{page}", args=[row.pk])
            check(admin.get(url), name, url)
        check(admin.get(reverse(f"{base}_changelist")), name, base)
    run = Run.objects.get()
    for url in (
        reverse("admin:planning_run_change", args=[run.pk]),
        reverse("admin:planning_run_changelist"),
        reverse("admin:index"),
        f"{reverse('admin:planning_scenario_run')}?scenario={Scenario.objects.last().pk}",
    ):
        check(admin.get(url), name, url)


def test_messages_show_names_as_text(
    admin: Client, evil_plant: Plant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.PLANNING, "LOCAL_RUNS", 0)  # the run waits: nothing is solved
    url = f"{reverse('admin:planning_scenario_run')}?scenario={Scenario.objects.last().pk}"
    response = admin.post(url, {"time_limit": "1", "gap": "0", "solver": "highs"}, follow=True)
    check(response, name, url)
    assert Run.objects.filter(state="queued", scenario_name=name).exists()


def test_problems_show_names_as_text(admin: Client, evil_plant: Plant, name: str) -> None:
    scenario = Scenario.objects.last()
    scenario.scenario_changes.create(table="products", row=f"{name} that is not there", field="min_demand", value=1)
    Product.objects.filter(name=name).update(min_demand=1)
    url = f"{reverse('admin:planning_scenario_run')}?scenario={scenario.pk}"
    response = admin.post(url, {"time_limit": "1", "gap": "0", "solver": "highs"})
    assert response.context["refusals"]
    check(response, name, url)
