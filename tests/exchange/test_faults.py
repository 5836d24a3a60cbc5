"""Everything that is wrong with a file is said at once: where, what, and what to do."""

from __future__ import annotations

import pytest

from planning.exchange import ImportFaults, import_plan
from planning.models import Plant, Product, Scenario

pytestmark = pytest.mark.django_db


def places(faults):
    return [(fault.table, fault.row, fault.column) for fault in faults]


def test_all_faults_are_reported_together_and_nothing_is_written(folder, faults_of):
    faults = faults_of(
        folder(
            products="name,min_demand,max_demand,colour\nChair,abc,,\n,1,,\nTable,-1,,\nChair,1,,\nDesk,5,3,\n",
            production_recipes="product,machine,hours_required\nChiar,Saw,1\n",
            nonsense="a,b\n1,2\n",
        )
    )
    assert places(faults) == [
        ("nonsense", None, ""),
        ("products", 1, "colour"),
        ("products", 2, "min_demand"),
        ("products", 3, "name"),
        ("products", 4, "min_demand"),
        ("products", 5, "name"),
        ("products", 6, "max_demand"),
        ("production_recipes", 2, "product"),
        ("production_recipes", 2, "machine"),
    ]
    texts = {place: fault.text for place, fault in zip(places(faults), faults, strict=True)}
    assert "row 2" in texts["products", 5, "name"]
    assert 'Did you mean "Chair"?' in texts["production_recipes", 2, "product"]
    assert str(faults[2]).startswith('products, row 2, column min_demand: "abc" is not a number.')
    assert not Plant.objects.exists()
    assert not Product.objects.exists()
    assert not Scenario.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "1e400",
        "1e15",
        "1000000000000000",
        "-1",
        "1_000",
        '"1,5"',
        '"1,000.5"',
        "0x10",
        "١٢",
        "１２",
        "²",
        "1 000",
        "1e",
        "--1",
        "true",
        "12 h",
        "$5",
        "5%",
        "9" * 5000,
        "1" * 50_000 + "x",
    ],
)
def test_it_refuses_as_a_number(folder, faults_of, text):
    faults = faults_of(folder(products=f"name,min_demand\nChair,{text}\n"))
    assert places(faults) == [("products", 2, "min_demand")]
    assert len(str(faults[0])) < 300


def test_a_signed_column_takes_a_negative_number_of_usable_size(folder, faults_of):
    import_plan(folder(products="name,profit_per_unit\nChair,-5\n"))
    assert Product.objects.get().profit_per_unit == -5.0
    faults = faults_of(folder(products="name,profit_per_unit\nChair,-1e15\n"), replace=True)
    assert places(faults) == [("products", 2, "profit_per_unit")]


@pytest.mark.parametrize("text", ["1.5", "-1", "3000000000", "1e400", "two"])
def test_it_refuses_as_a_whole_number(folder, faults_of, text):
    assert places(faults_of(folder(machines=f"name,units\nSaw,{text}\n"))) == [("machines", 2, "units")]


@pytest.mark.parametrize(
    ("table", "content", "column"),
    [
        ("periods", "sequence,name\n0,A\n", "sequence"),
        ("periods", "sequence,name\n,A\n", "sequence"),
        ("goals", "name,priority,measure,sense,target\nG,0,profit,at_least,1\n", "priority"),
        ("goals", "name,priority,measure,sense,target\nG,,profit,at_least,1\n", "priority"),
        ("goals", "name,priority,measure,sense,target\nG,1,profits,at_least,1\n", "measure"),
        ("goals", "name,priority,measure,sense,target\nG,1,profit,least,1\n", "sense"),
        ("goals", "name,priority,measure,sense,target\nG,1,profit,at_least,\n", "target"),
        ("goals", "name,priority,measure,target_name,sense,target\nG,1,profit,Saw,at_least,1\n", "target_name"),
        ("goals", "name,priority,measure,target_name,sense,target\nG,1,sales,,at_least,1\n", "target_name"),
        ("goals", "name,priority,measure,target_name,sense,target\nG,1,sales,Saw,at_least,1\n", "target_name"),
        (
            "goals",
            "name,priority,measure,target_name,sense,target\nG,1,machine_hours,Lathe,at_least,1\n",
            "target_name",
        ),
        ("customers", "name,tier\nSmith,gold\n", "tier"),
        ("products", "name,active\nChair,yes\n", "active"),
        ("products", "name,active\nChair,1\n", "active"),
        ("products", "name\n*\n", "name"),
        ("products", "name\nA / B\n", "name"),
        ("products", "name\n" + "x" * 201 + "\n", "name"),
        ("products", "name\n" + "x" * 100_000 + "\n", "name"),
        ("products", 'name\n"a\nb"\n', "name"),
        ("products", "name\na\x07b\n", "name"),
        ("products", "name,unit\nChair," + "x" * 51 + "\n", "unit"),
        ("products", "name,min_inventory,max_inventory\nChair,5,4\n", "max_inventory"),
        ("products", "name,min_batch_size,max_batch_size\nChair,5,4\n", "max_batch_size"),
        ("periods", "sequence,name,start_date,end_date\n1,A,2026-02-01,2026-01-01\n", "end_date"),
        ("periods", "sequence,name,start_date\n1,A,2026-02-30\n", "start_date"),
        ("periods", "sequence,name,start_date\n1,A,20260201\n", "start_date"),
        ("periods", "sequence,name,start_date\n1,A,01.02.2026\n", "start_date"),
        ("periods", "sequence,name,start_date\n1,A,2026-02-01T10:00\n", "start_date"),
        ("scenarios", "name,parent\nHigh,Nothing\n", "parent"),
        ("scenarios", "name,parent\nHigh,\nBaseline,High\n", "parent"),
        ("scenarios", "name,goal_mode\nHigh,both\n", "goal_mode"),
        ("scenarios", "name,description\nHigh," + "x" * 32_768 + "\n", "description"),
    ],
)
def test_it_refuses_a_cell(folder, faults_of, table, content, column):
    faults = faults_of(folder(**{"machines": "name\nSaw\n", table: content}))
    assert {(fault.table, fault.column) for fault in faults} == {(table, column)}
    assert len(faults) == 1
    assert len(str(faults[0])) < 400


@pytest.mark.parametrize(
    ("tables", "place"),
    [
        ({"periods": "sequence,name\n1,A\n1,B\n"}, ("periods", 3, "sequence")),
        ({"periods": "sequence,name\n1,A\n2,A\n"}, ("periods", 3, "name")),
        ({"products": "name\nA\nA\n"}, ("products", 3, "name")),
        ({"products": "name\nA\n", "routes": "product,name\nA,R\nA,R\n"}, ("routes", 3, "")),
        (
            {"products": "name\nA\n", "product_periods": "product,period\nA,1\nA,1\n"},
            ("product_periods", 3, ""),
        ),
        (
            {"products": "name\nA\n", "machines": "name\nM\n", "production_recipes": "product,machine\nA,M\nA,M\n"},
            ("production_recipes", 3, ""),
        ),
    ],
)
def test_a_key_stands_once(folder, faults_of, tables, place):
    faults = faults_of(folder(**tables))
    assert places(faults) == [place]
    assert "row 2 has this already" in faults[0].text


def test_a_blank_route_and_a_named_one_are_two_rows(folder):
    result = import_plan(
        folder(
            products="name\nA\n",
            routes="product,name\nA,R\n",
            machines="name\nM\n",
            production_recipes="product,machine,route\nA,M,\nA,M,R\n",
        )
    )
    assert result.counts["production_recipes"] == 2


def test_a_route_is_one_of_its_product(folder, faults_of):
    faults = faults_of(
        folder(
            products="name\nA\nB\n",
            routes="product,name\nA,Fast\n",
            machines="name\nM\n",
            production_recipes="product,machine,route\nB,M,Fast\nA,M,fast\n",
            route_periods="product,route,period\nA,Fast,1\nB,Fast,1\n",
        )
    )
    assert places(faults) == [
        ("route_periods", 3, "route"),
        ("production_recipes", 2, "route"),
        ("production_recipes", 3, "route"),
    ]
    assert 'Did you mean "Fast"?' in faults[2].text


def test_a_row_with_a_fault_is_still_there_for_those_that_name_it(folder, faults_of):
    faults = faults_of(
        folder(
            products="name,min_demand\nChair,abc\nA / B,1\n",
            machines="name\nSaw\n",
            production_recipes="product,machine\nChair,Saw\nA / B,Saw\n",
        )
    )
    assert places(faults) == [("products", 2, "min_demand"), ("products", 3, "name")]


def test_a_table_that_cannot_be_read_is_one_fault(folder, faults_of):
    faults = faults_of(
        folder(products=b"name\nCaf\xe9\n", machines="name\nM\n", production_recipes="product,machine\nChair,M\n")
    )
    assert places(faults) == [("products", 2, "")]
    faults = faults_of(folder(products="Name\nChair\n", production_recipes="product,machine\nChair,M\n"))
    assert places(faults) == [("products", 1, "Name"), ("products", 1, "name")]
    assert 'Did you mean "name"?' in faults[0].text


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("name,name", "twice"),
        ("name;unit", "commas"),
        ("name,min_demnd", 'Did you mean "min_demand"?'),
        (",name", "has no name"),
    ],
)
def test_it_refuses_a_header(folder, faults_of, header, words):
    faults = faults_of(folder(products=f"{header}\nChair,1\n"))
    assert any(fault.row == 1 and words in fault.text for fault in faults)


def test_a_row_longer_than_the_header(folder, faults_of):
    faults = faults_of(folder(products="name,unit\nChair,box,5\nTable,box,,\n"))
    assert places(faults) == [("products", 2, "")]


def test_rows_are_lines_of_the_file(folder, faults_of):
    content = 'name,description,goal_mode\n\n"A","two\nlines",x\n\n,,\nB,,x\n'
    assert places(faults_of(folder(scenarios=content))) == [
        ("scenarios", 3, "goal_mode"),
        ("scenarios", 7, "goal_mode"),
    ]


@pytest.mark.parametrize("content", ["", "name\n", "name\nA\nB\n", "currency\nEUR\n", "name\n,\n"])
def test_a_plan_has_one_plant(folder, faults_of, content):
    assert {fault.table for fault in faults_of(folder(plant=content))} == {"plant"}


def test_an_unknown_period(folder, faults_of):
    faults = faults_of(
        folder(
            products="name\nA\n",
            periods="sequence,name\n1,Week 1\n",
            product_periods="product,period\nA,1\nA,week 1\nA,Week 1\n",
        )
    )
    assert places(faults) == [("product_periods", 2, "period"), ("product_periods", 3, "period")]
    assert 'Did you mean "Week 1"?' in faults[1].text


def test_a_plant_that_is_there_is_one_of_the_faults(folder, faults_of):
    import_plan(folder())
    faults = faults_of(folder(products="name,min_demand\nChair,x\n"))
    assert places(faults) == [("plant", 2, "name"), ("products", 2, "min_demand")]
    assert "--replace" in faults[0].text


def test_values_are_shown_short_and_harmless(folder, faults_of):
    faults = faults_of(folder(products="name,min_demand\nA,\x1b[31mred\u202e" + "x" * 100_000 + "\n"))
    assert "\\x1b[31mred\\u202e" in str(faults[0])
    assert str(faults[0]).isprintable()
    assert len(str(faults[0])) < 300


def test_the_list_stays_bounded_and_says_how_many_more(folder):
    rows = "".join(f"P{number},x\n" for number in range(20_000))
    with pytest.raises(ImportFaults) as caught:
        import_plan(folder(products=f"name,min_demand\n{rows}"))
    lines = caught.value.lines(limit=100)
    assert caught.value.total == 20_000
    assert len(lines) == 101
    assert "19,900 more" in lines[-1]


def test_a_dry_run_finds_the_same_and_writes_nothing(folder, faults_of):
    result = import_plan(folder(products="name\nA\n"), dry_run=True)
    assert (result.plant, result.plant_name, result.counts["products"]) == (None, "Workshop", 1)
    assert not Plant.objects.exists()
    assert len(faults_of(folder(products="name\nA\nA\n"), dry_run=True)) == 1
