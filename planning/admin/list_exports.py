"""Export what is listed: all rows of a list under its search and filters, as a workbook or as CSV."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from planning.exchange import ExportRefused, Sheet
from planning.exchange.plan_rows import value_path
from planning.models import TABLES, Plant

from .access import plant_path
from .sheet_files import csv_file, xlsx_file

TABLE_OF = {table.model: table for table in TABLES}
CHUNK = 2000  # rows that are read at once


def may_export(request: HttpRequest) -> bool:
    """Whether the user may export plants and lists."""
    return bool(request.user.has_perm("planning.export_plan"))


class ExportedList:
    """Mixed into the admin of a table. What it writes of one plant's table is what an import takes."""

    list_before_template = "admin/planning/export_list.html"
    export_columns: tuple[tuple[str, str], ...] = ()  # (head, lookup); those of the plan format where there are none

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view  # type: ignore[attr-defined]
        base = f"planning_{self.model._meta.model_name}_export"  # type: ignore[attr-defined]
        return [
            path("export.csv", view(self.export_csv), name=f"{base}_csv"),
            path("export.xlsx", view(self.export_xlsx), name=f"{base}_xlsx"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    @method_decorator([require_safe, never_cache])
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """Return what is listed as CSV, written while it is read."""
        sheet = self.listed(request)
        return csv_file(sheet, sheet.name) if sheet is not None else self.back(request)

    @method_decorator([require_safe, never_cache])
    def export_xlsx(self, request: HttpRequest) -> HttpResponseBase:
        """Return what is listed as a workbook."""
        sheet = self.listed(request)
        if sheet is None:
            return self.back(request)
        try:
            return xlsx_file([sheet], sheet.name)
        except ExportRefused as why:
            messages.error(request, str(why))
            return self.back(request)

    def back(self, request: HttpRequest) -> HttpResponseBase:
        """Return to the list, which says what is wrong with its filters."""
        name = self.model._meta.model_name  # type: ignore[attr-defined]
        return redirect(f"{reverse(f'admin:planning_{name}_changelist')}?{request.GET.urlencode()}")

    def listed(self, request: HttpRequest) -> Sheet | None:
        """Return all rows that the list shows, on whatever page; None where its filters make no sense."""
        admin: Any = self
        if not may_export(request) or not admin.has_view_permission(request):
            raise PermissionDenied
        try:
            rows: QuerySet[Any] = admin.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return None
        columns = self.columns_of(rows)
        values = rows.select_related(None).values_list(*(lookup for _, lookup in columns)).iterator(chunk_size=CHUNK)
        table = TABLE_OF.get(rows.model)
        name = table.name if table is not None else str(rows.model._meta.verbose_name_plural).replace(" ", "_")
        return Sheet(name, [head for head, _ in columns], cells(values))

    def columns_of(self, rows: QuerySet[Any]) -> list[tuple[str, str]]:
        """Return heads and lookups; the plant comes first where there are rows of several."""
        if self.export_columns:
            return list(self.export_columns)
        table = TABLE_OF[rows.model]
        columns = [(column, value_path(table, column)) for column in table.columns]
        if rows.model is Plant:
            return columns
        lookup = f"{plant_path(rows.model)}__name"
        several = len(rows.select_related(None).order_by().values_list(lookup).distinct()[:2]) > 1
        return [("plant", lookup), *columns] if several else columns


def cells(rows: Any) -> Iterator[list[Any]]:
    """Yield rows as they stand in a file: moments in UTC."""
    for row in rows:
        yield [
            value.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
            if isinstance(value, datetime.datetime)
            else value
            for value in row
        ]
