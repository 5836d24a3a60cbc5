"""All rows of one result table of a run as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse

from planning.models import Run

from .run_tables import CSV_TABLES, delivery_words

FORMULA_STARTS = ("=", "+", "-", "@", "'")
UTF8_MARK = "\ufeff"  # without it Excel reads UTF-8 as the local code page


class Echo:
    """A file that hands each written line back."""

    def write(self, line: str) -> str:
        return line


def cell(value: Any) -> str:
    """Return a value as the plan format writes it; text never becomes a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value + 0).removesuffix(".0")
    if isinstance(value, int):
        return str(value)
    words = delivery_words(value) if isinstance(value, list) else str(value)
    return f"'{words}" if words.startswith(FORMULA_STARTS) else words


def csv_response(run: Run, table: str) -> StreamingHttpResponse:
    """Return the file with all rows of a result table."""
    model = CSV_TABLES[table]
    names = [field.name for field in model._meta.concrete_fields if field.name not in ("id", "run")]
    rows = model._default_manager.filter(run=run).order_by("id").values_list(*names)

    def lines() -> Iterator[str]:
        writer = csv.writer(Echo())
        yield UTF8_MARK + writer.writerow(names)
        for row in rows.iterator(chunk_size=2000):
            yield writer.writerow([cell(value) for value in row])

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="run-{run.pk}-{table}.csv"'},
    )
