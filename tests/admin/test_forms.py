"""The forms refuse in words what the tables can't hold, and keep what was given to the last digit."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from planning.models import BASELINE, Customer, CustomerOrder, Machine, Period, Plant, Product, Scenario
from tests.admin.test_same_plant import product_form
from tests.factories import make_plant, make_user


def test_adding_a_plant_makes_its_baseline_and_stays_on_its_page(planner: Client, db: None) -> None:
    response = planner.post(reverse("admin:planning_plant_add"), {"name": "North", "currency": "EUR"})
    plant = Plant.objects.get()
    assert response["Location"] == reverse("admin:planning_plant_change", args=[plant.pk])
    assert list(plant.scenarios.values_list("name", flat=True)) == [BASELINE]


def test_editing_a_plant_makes_no_second_baseline(planner: Client, plant: Plant) -> None:
    inline = {"periods-TOTAL_FORMS": 1, "periods-INITIAL_FORMS": 0}
    period = {"periods-0-plant": plant.pk, "periods-0-sequence": "1", "periods-0-name": "Week 1"}
    url = reverse("admin:planning_plant_change", args=[plant.pk])
    assert planner.post(url, {"name": "Joinery", "currency": "USD", **inline, **period}).status_code == 302
    plant.refresh_from_db()
    assert (plant.name, plant.scenarios.count(), plant.periods.get().name) == ("Joinery", 1, "Week 1")


def test_a_doubled_name_is_refused_in_words(planner: Client, plant: Plant) -> None:
    table = plant.products.get(name="Table")
    values = product_form(table) | {"name": "Chair"}
    response = planner.post(reverse("admin:planning_product_change", args=[table.pk]), values)
    assert response.status_code == 200
    assert "Product with this Plant and Name already exists." in response.content.decode()


def test_limits_that_contradict_each_other_are_refused_in_words(planner: Client, plant: Plant) -> None:
    chair = plant.products.get(name="Chair")
    values = product_form(chair) | {"min_demand": "10", "max_demand": "9"}
    response = planner.post(reverse("admin:planning_product_change", args=[chair.pk]), values)
    assert response.status_code == 200
    assert "max_demand is below min_demand" in response.content.decode()


def test_a_row_keeps_its_plant(planner: Client, plant: Plant) -> None:
    other = make_plant("South")
    machine = plant.machines.first()
    values = {"plant": other.pk, "name": "Saw", "available_hours": "7.5", "units": "1", "maintenance_units": "0"}
    values |= {"machine_periods-TOTAL_FORMS": 0, "machine_periods-INITIAL_FORMS": 0}
    assert planner.post(reverse("admin:planning_machine_change", args=[machine.pk]), values).status_code == 302
    machine.refresh_from_db()
    assert (machine.plant, machine.name, machine.available_hours) == (plant, "Saw", 7.5)


def test_a_number_is_shown_without_tail_and_saved_to_the_last_digit(planner: Client, plant: Plant) -> None:
    machine = plant.machines.first()
    Machine.objects.filter(pk=machine.pk).update(available_hours=80.0, max_overtime_hours=0.1234567890123456)
    page = planner.get(reverse("admin:planning_machine_change", args=[machine.pk])).content.decode()
    assert 'value="80"' in page
    assert 'value="0.1234567890123456"' in page


def test_a_single_plant_is_chosen_already(planner: Client, plant: Plant) -> None:
    form = planner.get(reverse("admin:planning_product_add")).context["adminform"].form
    assert form.initial["plant"] == plant.pk


def test_a_new_row_begins_in_the_plant_of_the_list_that_one_comes_from(planner: Client, plant: Plant) -> None:
    south = make_plant("South")
    url = reverse("admin:planning_product_add")
    filters = f"?_changelist_filters=plant__id__exact%3D{south.pk}"
    assert "plant" not in planner.get(url).context["adminform"].form.initial
    assert planner.get(url + filters).context["adminform"].form.initial["plant"] == south.pk


def test_a_new_period_comes_after_the_last_one(planner: Client, plant: Plant) -> None:
    Period.objects.create(plant=plant, sequence=7, name="Week 7")
    assert planner.get(reverse("admin:planning_period_add")).context["adminform"].form.initial["sequence"] == 8
    page = planner.get(reverse("admin:planning_plant_change", args=[plant.pk]))
    assert page.context["inline_admin_formsets"][0].formset.empty_form["sequence"].initial == 8


def test_who_may_only_look_reads_grouped_numbers_and_words_for_blanks(viewer: Client, plant: Plant) -> None:
    chair = plant.products.get(name="Chair")
    Product.objects.filter(pk=chair.pk).update(profit_per_unit=12345.5, max_demand=None)
    page = viewer.get(reverse("admin:planning_product_change", args=[chair.pk])).content.decode()
    assert "12,345.5" in page
    assert ">no limit</div>" in page


def test_an_order_on_the_customers_page_gets_the_customers_plant(planner: Client, plant: Plant) -> None:
    customer = Customer.objects.create(plant=plant, name="Acme")
    period = Period.objects.create(plant=plant, sequence=1, name="Week 1")
    order = {
        "reference": "A-1",
        "customer": customer.pk,
        "product": plant.products.first().pk,
        "period": period.pk,
        "target_quantity": "5",
        "weight": "1",
        "active": "on",
    }
    form = {"name": "Acme", "tier": "GOLD", "customer_orders-TOTAL_FORMS": 1, "customer_orders-INITIAL_FORMS": 0}
    url = reverse("admin:planning_customer_change", args=[customer.pk])
    form |= {f"customer_orders-0-{name}": value for name, value in order.items()}
    assert planner.post(url, form).status_code == 302
    assert CustomerOrder.objects.get().plant == plant

    again = planner.post(url, form)  # the same reference once more, as a new row
    assert again.status_code == 200
    assert "already exists" in again.content.decode()
    assert CustomerOrder.objects.count() == 1


def test_a_goal_names_a_row_of_its_plant(planner: Client, plant: Plant) -> None:
    goal = {
        "plant": plant.pk,
        "name": "Fewer hours",
        "measure": "machine_hours",
        "target_name": "Laser",
        "sense": "at_most",
        "target": "40",
        "priority": "1",
        "weight_under": "1",
        "weight_over": "1",
        "active": "on",
    }
    response = planner.post(reverse("admin:planning_goal_add"), goal)
    assert "has no machine &quot;Laser&quot;" in response.content.decode()
    response = planner.post(reverse("admin:planning_goal_add"), goal | {"target_name": "Cutting Machine"})
    assert response.status_code == 302
    assert plant.goals.get().target_name == "Cutting Machine"


def test_deleting_a_plant_takes_its_baseline_along(planner: Client, plant: Plant) -> None:
    response = planner.post(reverse("admin:planning_plant_delete", args=[plant.pk]), {"post": "yes"})
    assert response.status_code == 302
    assert not Plant.objects.exists()
    assert not Scenario.objects.exists()
    assert not Product.objects.exists()


def test_the_page_that_deletes_a_plant_counts_its_rows(planner: Client, plant: Plant) -> None:
    page = planner.get(reverse("admin:planning_plant_delete", args=[plant.pk]))
    assert dict(page.context["model_count"])["products"] == 3
    assert "Assembly Station" not in page.content.decode()


def test_a_plant_is_deleted_only_with_the_right_to_delete_all_that_goes_with_it(client: Client, plant: Plant) -> None:
    client.force_login(make_user("gardener", "view_plant", "delete_plant", "delete_product"))
    url = reverse("admin:planning_plant_delete", args=[plant.pk])
    assert "machine" in client.get(url).context["perms_lacking"]
    assert client.post(url, {"post": "yes"}).status_code == 403
    assert Plant.objects.exists()
