"""Numbers as people read them."""

from __future__ import annotations

import pytest

from planning.admin.amounts import exact, money, percent, rounded, seconds
from planning.admin.run_balances import one_less, one_more


@pytest.mark.parametrize(
    ("value", "words"),
    [(1234.5, "1,234.5"), (45.0, "45"), (0.0, "0"), (-0.0, "0"), (0.1 + 0.2, "0.3"), (-7.25, "-7.25"), (None, "–")],
)
def test_data_keep_their_digits(value: float | None, words: str) -> None:
    assert exact(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (8.428571428571429, "8.43"),
        (10.0, "10"),
        (100.0, "100"),
        (1234567.891, "1,234,567.89"),
        (0.035714, "0.03571"),
        (1e-9, "0"),
        (-1e-9, "0"),
        (0.99999999, "1"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (None, "–"),
    ],
)
def test_results_are_rounded(value: float | None, words: str) -> None:
    assert rounded(value) == words


def test_money_has_two_decimals_and_its_currency() -> None:
    assert money(2735.714285, "USD") == "2,735.71 USD"
    assert money(-0.001, "EUR") == "0.00 EUR"
    assert money(None, "EUR") == "–"


def test_shares_and_durations_have_their_units() -> None:
    assert percent(1e-4) == "0.01 %"
    assert [seconds(value) for value in (0.05, 12.34, 125.4, None)] == ["50 ms", "12.3 s", "2 min 5 s", "–"]


@pytest.mark.parametrize(
    ("price", "until", "more", "less"),
    [
        (5.714285, 80.0, "5.71 USD, up to 80", "5.71 USD, down to 80"),
        (5.714285, None, "5.71 USD", "5.71 USD"),
        (0.0, 29.36, "nothing", "nothing, down to 29.36"),
        (None, None, "–", "–"),
        (None, 80.0, "–", "no plan with less"),
    ],
)
def test_the_worth_of_a_limit_has_two_sides(price: float | None, until: float | None, more: str, less: str) -> None:
    assert (one_more("USD", price, until), one_less("USD", price, until)) == (more, less)
