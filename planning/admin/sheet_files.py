"""Tables as files to download: one as CSV, several as a workbook."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse

from planning.exchange import ExportRefused, Sheet, csv_cell, write_sheets

UTF8_MARK = "\ufeff"  # without it Excel reads UTF-8 as the local code page
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
IN_MEMORY = 8 * 2**20  # bytes of a workbook; a larger one is written to disk first


class Echo:
    """A file that hands each written line back."""

    def write(self, line: str) -> str:
        return line


def csv_file(sheet: Sheet, name: str) -> HttpResponseBase:
    """Return a table as the CSV file `name`.csv, written while it is sent."""

    def lines() -> Iterator[str]:
        writer = csv.writer(Echo())
        yield UTF8_MARK + writer.writerow([csv_cell(head) for head in sheet.columns])
        for row in sheet.rows:
            yield writer.writerow([csv_cell(value) for value in row])

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def xlsx_file(sheets: Sequence[Sheet], name: str) -> HttpResponseBase:
    """Return tables as the workbook `name`.xlsx. Raises ExportRefused where a sheet can't hold one."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115, the response closes it
    try:
        write_sheets(file, sheets)
    except ExportRefused:
        file.close()
        raise
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)
