"""Links both ways: pages name the rows that point to them. The history says old and new values."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.models import (
    ByProduct,
    ComponentRequirement,
    Customer,
    CustomerOrder,
    Machine,
    Period,
    Plant,
    Product,
    ProductionRecipe,
    RawMaterial,
)
from tests.admin.test_same_plant import product_form
from tests.factories import make_user


def links(client: Client, row: object) -> dict[str, list[tuple[str, str]]]:
    """Return the lists on a row's page: each row's first name and first number with its unit."""
    page = client.get(reverse(f"admin:planning_{row._meta.model_name}_change", args=[row.pk]))
    return {
        link["title"]: [(line["names"][0][0], " ".join(line["numbers"][0])) for line in link["rows"]]
        for link in page.context["links"]
    }


def test_a_machine_and_a_material_name_the_products_that_use_them(viewer: Client, plant: Plant) -> None:
    RawMaterial.objects.filter(name="Fabric").update(unit="yards")
    assert links(viewer, plant.machines.get(name="Cutting Machine")) == {
        "Products that use it": [("Chair", "0.5 h"), ("Table", "1.5 h"), ("Desk", "2 h")]
    }
    assert links(viewer, plant.raw_materials.get(name="Fabric")) == {"Products that need it": [("Chair", "2 yards")]}


def test_a_product_names_what_it_goes_into_what_yields_it_and_its_orders(viewer: Client, plant: Plant) -> None:
    chair, table, desk = plant.products.order_by("pk")
    Product.objects.filter(pk=chair.pk).update(unit="piece")
    customer = Customer.objects.create(plant=plant, name="Acme")
    week = Period.objects.create(plant=plant, sequence=1, name="Week 1")
    ComponentRequirement.objects.create(product=table, component=chair, quantity_required=4)
    ByProduct.objects.create(product=desk, by_product=chair, quantity_produced=0.5)
    CustomerOrder.objects.create(
        plant=plant, reference="A-1", customer=customer, product=chair, period=week, target_quantity=1200
    )
    assert links(viewer, chair) == {
        "Products that it goes into": [("Table", "4 piece")],
        "Products that yield it": [("Desk", "0.5 piece")],
        "Orders of it": [("Acme", "1,200 piece")],
    }
    assert links(viewer, week) == {"Orders for it": [("Acme", "1,200 piece")]}


def test_more_products_take_no_more_queries_and_the_rest_is_a_link_away(viewer: Client, plant: Plant) -> None:
    machine = plant.machines.first()
    url = reverse("admin:planning_machine_change", args=[machine.pk])

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            viewer.get(url)
        return len(captured)

    queries()
    few = queries()
    made = Product.objects.bulk_create(Product(plant=plant, name=f"Part {n}") for n in range(60))
    ProductionRecipe.objects.bulk_create(ProductionRecipe(product=product, machine=machine) for product in made)
    assert queries() == few
    (link,) = viewer.get(url).context["links"]
    assert len(link["rows"]) == 50
    assert viewer.get(link["all_url"]).context["cl"].result_count == 63


def test_tables_and_pages_that_the_user_may_not_see_are_left_out(client: Client, plant: Plant) -> None:
    machine = plant.machines.first()
    client.force_login(make_user("clerk", "view_machine"))
    assert links(client, machine) == {}
    client.force_login(make_user("other", "view_machine", "view_productionrecipe"))
    page = client.get(reverse("admin:planning_machine_change", args=[machine.pk]))
    assert page.context["links"][0]["rows"][0]["names"][0] == ("Chair", "")


def messages(row: object) -> list[str]:
    entries = LogEntry.objects.filter(content_type__model=row._meta.model_name, object_id=row.pk)
    return [entry.get_change_message() for entry in entries.order_by("pk")]


def test_the_history_of_a_row_says_old_and_new_values(planner: Client, plant: Plant) -> None:
    chair = plant.products.get(name="Chair")
    url = reverse("admin:planning_product_change", args=[chair.pk])
    values = product_form(chair) | {"name": "Chair", "max_demand": "", "profit_per_unit": "50.5", "active": "on"}
    assert planner.post(url, values).status_code == 302
    assert messages(chair) == ["profit per unit 45 → 50.5; max demand 100 → blank."]
    assert planner.post(url, values).status_code == 302
    assert messages(chair)[1] == "Saved without a change."
    page = planner.get(reverse("admin:planning_product_history", args=[chair.pk])).content.decode()
    assert "profit per unit 45 → 50.5; max demand 100 → blank." in page
    assert "planner" in page


def test_the_history_names_rows_that_were_edited_added_and_removed_on_the_page(planner: Client, plant: Plant) -> None:
    customer = Customer.objects.create(plant=plant, name="Acme")
    week = Period.objects.create(plant=plant, sequence=1, name="Week 1")
    chair = plant.products.get(name="Chair")
    rest = {"customer": customer, "product": chair, "period": week, "target_quantity": 5}
    first = CustomerOrder.objects.create(plant=plant, reference="A-1", **rest)
    second = CustomerOrder.objects.create(plant=plant, reference="A-2", **rest)
    form = {"name": "Acme", "tier": "GOLD", "customer_orders-TOTAL_FORMS": 3, "customer_orders-INITIAL_FORMS": 2}
    table = plant.products.get(name="Table")
    for n, (pk, reference, product, quantity) in enumerate(
        [(first.pk, "A-1", table.pk, "6"), (second.pk, "A-2", chair.pk, "5"), ("", "A-3", chair.pk, "7")]
    ):
        order = {"id": pk, "reference": reference, "product": product, "period": week.pk, "target_quantity": quantity}
        order |= {"weight": "1", "active": "on", "customer": customer.pk}
        form |= {f"customer_orders-{n}-{name}": value for name, value in order.items()}
    form["customer_orders-1-DELETE"] = "on"
    assert planner.post(reverse("admin:planning_customer_change", args=[customer.pk]), form).status_code == 302
    assert messages(customer) == [
        'tier BRONZE → GOLD. Customer order "A-3" added. '
        'Customer order "A-1": product Chair → Table; target quantity 5 → 6. Customer order "A-2" removed.'
    ]


def test_labels_of_numbers_name_their_unit(planner: Client, viewer: Client, plant: Plant) -> None:
    Plant.objects.update(currency="EUR")
    Product.objects.update(unit="piece")
    chair, machine = plant.products.get(name="Chair"), Machine.objects.first()
    for client in (planner, viewer):
        page = client.get(reverse("admin:planning_product_change", args=[chair.pk])).content.decode()
        assert "Max demand (piece)" in page
        assert "Profit per unit (EUR / piece)" in page
        assert "Hours required (h)" in page
        assert page.count("board feet") == 1  # of the wood that a chair takes
        page = client.get(reverse("admin:planning_machine_change", args=[machine.pk])).content.decode()
        assert "Available hours (h)" in page
        assert "Overtime cost per hour (EUR / h)" in page
