"""Real CSV files are messy, and come in all the same."""

from __future__ import annotations

import datetime

import pytest

from planning.exchange import import_plan
from planning.models import Customer, CustomerOrder, Machine, Period, Plant, Product, ProductPeriod, Scenario

pytestmark = pytest.mark.django_db


def test_blank_cells_and_missing_columns_take_the_default(folder):
    import_plan(folder(products="name,max_demand,unit\nChair,,\n", customers="name\nSmith\n"))
    chair = Product.objects.get()
    assert (chair.max_demand, chair.min_demand, chair.unit, chair.active) == (None, 0.0, "unit", True)
    assert Customer.objects.get().tier == "BRONZE"
    assert Plant.objects.get().currency == "USD"


def test_columns_come_in_any_order(folder):
    import_plan(folder(products="max_demand,name,min_demand\n9,Chair,4\n"))
    assert Product.objects.values_list("name", "min_demand", "max_demand").get() == ("Chair", 4.0, 9.0)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfname,unit\nChair,box\n",
        b"name,unit\r\nChair,box\r\n",
        b"name,unit\rChair,box\r",
        b"name,unit\nChair,box",
        b'"name","unit"\n"Chair","box"\n',
        b" name , unit \n Chair ,  box \n",
        b"name,unit\n\n\nChair,box\n\n,\n ,  ,,\n",
        b"name,unit,,\nChair,box,,\n,,,\n",
        b"\n,\nname,unit\nChair,box\n",
        "name,unit\n\u00a0Chair\u00a0,box\n".encode(),
    ],
)
def test_it_reads_what_programs_write(folder, content):
    import_plan(folder(products=content))
    assert Product.objects.values_list("name", "unit").get() == ("Chair", "box")


def test_quoted_commas_quotes_and_line_breaks(folder):
    import_plan(folder(scenarios='name,description\n"Up, ""and"" away","first\r\nsecond, third"\n'))
    scenario = Scenario.objects.exclude(name="Baseline").get()
    assert (scenario.name, scenario.description) == ('Up, "and" away', "first\nsecond, third")


def test_names_of_any_script_and_case(folder):
    names = ["Стол", "椅子", "كرسي", "Chaise à bras", "chair", "Chair", "🪑", "a" * 200, "/", "100", "-5", "true"]
    import_plan(folder(products="name\n" + "\n".join(names) + "\n"))
    assert list(Product.objects.values_list("name", flat=True)) == names


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10", 10.0),
        ("+1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("1e-320", 1e-320),
        ("999999999999999.9", 999999999999999.9),
        ("-0", 0.0),
        ("0" * 300 + "7", 7.0),
    ],
)
def test_numbers(folder, text, number):
    import_plan(folder(products=f"name,min_demand\nChair,{text}\n"))
    stored = Product.objects.get().min_demand
    assert stored == number
    assert str(stored) == str(number)


def test_a_whole_number_may_have_a_point(folder):
    import_plan(folder(machines="name,units\nSaw,2.0\n", periods="sequence,name\n3.0,March\n"))
    assert Machine.objects.get().units == 2
    assert Period.objects.get().sequence == 3


@pytest.mark.parametrize(("text", "flag"), [("true", True), ("FALSE", False), ("True", True)])
def test_booleans_in_any_case(folder, text, flag):
    import_plan(folder(products=f"name,active\nChair,{text}\n"))
    assert Product.objects.get().active is flag


def test_dates(folder):
    import_plan(folder(periods="sequence,name,start_date,end_date\n1,Week 1,2026-01-05,2026-01-11 00:00:00\n"))
    period = Period.objects.get()
    assert (period.start_date, period.end_date) == (datetime.date(2026, 1, 5), datetime.date(2026, 1, 11))


def test_a_protecting_apostrophe_is_taken_away(folder):
    import_plan(folder(products="name\n'=1\n'+x\n'-x\n'@x\n''x\n'y\n'\n=cmd|x\n"))
    assert list(Product.objects.values_list("name", flat=True)) == ["=1", "+x", "-x", "@x", "'x", "'y", "'", "=cmd|x"]


def test_a_plant_without_periods_has_one_where_rows_refer_to_it(folder):
    import_plan(folder(products="name\nChair\n", product_periods="product,period,max_demand\nChair,1,5\n"))
    assert Period.objects.values_list("sequence", "name").get() == (1, "1")
    assert ProductPeriod.objects.get().period.name == "1"


def test_no_period_is_made_that_nothing_refers_to(folder):
    import_plan(folder(products="name\nChair\n"))
    assert not Period.objects.exists()


def test_every_plant_has_baseline_and_it_comes_first(folder):
    import_plan(folder(scenarios="name,parent,goal_mode\nHigh,Higher,\nHigher,,\nBaseline,,weighted\n"))
    assert list(Scenario.objects.values_list("name", "parent__name", "goal_mode")) == [
        ("Baseline", None, "weighted"),
        ("High", "Higher", ""),
        ("Higher", None, ""),
    ]


def test_a_circle_of_parents_is_no_fault_of_the_file(folder):
    import_plan(folder(scenarios="name,parent\nA,B\nB,A\n"))
    assert dict(Scenario.objects.exclude(name="Baseline").values_list("name", "parent__name")) == {"A": "B", "B": "A"}


def test_files_that_do_not_end_in_csv_are_ignored(folder):
    place = folder(products="name\nChair\n")
    (place / "expected.json").write_text("{")
    (place / "notes").mkdir()
    assert import_plan(place).counts["products"] == 1


def test_orders_refer_to_customer_product_and_period(folder):
    import_plan(
        folder(
            products="name\nChair\n",
            customers="name,tier\nSmith,GOLD\n",
            customer_orders="reference,customer,product,period,target_quantity\nSO-1,Smith,Chair,1,5\n",
        )
    )
    order = CustomerOrder.objects.get()
    assert (order.customer.name, order.product.name, order.period.name, order.priority) == ("Smith", "Chair", "1", None)


def test_rows_of_two_tables_wait_for_the_plan(folder):
    """A half-edited plant can be saved: what spans several rows is not refused here."""
    import_plan(
        folder(
            products="name,min_demand,max_demand\nChair,5,8\n",
            product_periods="product,period,max_demand\nChair,1,2\n",
            component_requirements="product,component,quantity_required\nChair,Chair,1\n",
            scenarios="name\nS\n",
            scenario_changes="scenario,table,row,field,operation,value\nS,products,Nothing,max_demand,set,-5\n",
        )
    )
    assert Product.objects.count() == 1
