"""A plant in and out of the admin: upload a workbook, look at what it would change, import it; download one."""

from __future__ import annotations

import csv
import datetime
import io
import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import get_valid_filename
from django.views.decorators.http import require_safe

from planning.exchange import (
    ExportRefused,
    Fault,
    ImportFaults,
    Preview,
    export_plan,
    import_plan,
    preview_import,
)
from planning.models import Plant, StagedUpload

from .access import is_limited, row_to_see, rows_to_see
from .amounts import rounded

LARGEST = 64 * 2**20  # bytes of an uploaded file
KEPT = datetime.timedelta(days=1)
SHOWN_FAULTS = 500


class UploadForm(forms.Form):
    """The file of a plant."""

    file = forms.FileField(
        label="Workbook (.xlsx)",
        help_text="One sheet per table, as an export writes it. Nothing is written before you have seen what changes.",
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise ValidationError(f"The file is larger than {LARGEST // 2**20} MB. Split the plant.")
        return file


def may_import(request: HttpRequest) -> bool:
    """Whether the user may import plants."""
    return bool(request.user.has_perm("planning.import_plan"))


def may_export(request: HttpRequest) -> bool:
    """Whether the user may export plants."""
    return bool(request.user.has_perm("planning.export_plan"))


def _owner(request: HttpRequest) -> int:
    """Return the number of the user who is logged in."""
    assert request.user.pk is not None
    return request.user.pk


def upload_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Ask for a file; keep what comes, and go to what it would change."""
    if not may_import(request):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        StagedUpload.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
        StagedUpload.objects.filter(user_id=_owner(request)).delete()
        file: UploadedFile = form.cleaned_data["file"]
        staged = StagedUpload.objects.create(user_id=_owner(request), name=(file.name or "")[:200], content=file.read())
        return redirect("admin:planning_plant_staged", staged.pk)
    context = {**site.each_context(request), "title": "Upload a plant", "form": form}
    return TemplateResponse(request, "admin/planning/plant/upload.html", context)


def staged_view(site: AdminSite, request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show what an uploaded file would change, or what is wrong with it; on POST import it, or let it go."""
    staged = _staged(request, upload_id)
    if request.method == "POST" and "discard" in request.POST:
        staged.delete()
        messages.info(request, "Nothing was imported.")
        return redirect("admin:planning_plant_upload")
    try:
        preview = _preview(request, staged)
        if request.method == "POST":
            if request.POST.get("state", "") == preview.state and _is_same_plant(request, preview):
                return _import(request, staged, preview)
            messages.warning(request, "The plant's data have changed since you looked. This is what it would do now.")
    except ImportFaults as faults:
        return _show(site, request, staged, faults=faults)
    return _show(site, request, staged, preview=preview)


def _preview(request: HttpRequest, staged: StagedUpload) -> Preview:
    """Return what importing the file would do. Raises ImportFaults, also for a plant that the user may not see."""
    preview = preview_import(_file(staged))
    if is_limited(request):
        seen = rows_to_see(request, Plant.objects.all())
        if preview.plant is None or not seen.filter(pk=preview.plant.pk).exists():
            names = ", ".join(f'"{plant}"' for plant in seen) or "no plant"
            text = f"You are limited to {names}. Name one of these here, or ask an administrator to import the file."
            raise ImportFaults([Fault("plant", None, "name", preview.plant_name, text)])
    return preview


def _is_same_plant(request: HttpRequest, preview: Preview) -> bool:
    return request.POST.get("replaces", "") == (str(preview.plant.pk) if preview.plant else "")


def _import(request: HttpRequest, staged: StagedUpload, preview: Preview) -> HttpResponse:
    """Import the file that was previewed. Raises ImportFaults."""
    result = import_plan(_file(staged), replace=preview.plant is not None)
    staged.delete()
    done = "replaced; its runs are kept" if result.replaced else "imported"
    messages.success(request, f'"{result.plant_name}" is {done}. Check its data, then run a scenario.')
    assert result.plant is not None
    return redirect("admin:planning_plant_change", result.plant.pk)


def faults_view(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Answer everything that is wrong with an uploaded file as a CSV file."""
    staged = _staged(request, upload_id)
    found: list[Fault] = []
    try:
        _preview(request, staged)
    except ImportFaults as faults:
        found = faults.faults
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["table", "row", "column", "value", "what and how to mend it"])
    for fault in found:
        cells = (fault.table, fault.row if fault.row is not None else "", fault.column, fault.value, fault.text)
        writer.writerow([_no_formula(str(cell)) for cell in cells])
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="faults.csv"'
    return answer


def _no_formula(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "'") else text


@require_safe
def export_view(request: HttpRequest, plant_id: int) -> Any:
    """Answer a plant as a workbook."""
    if not may_export(request):
        raise PermissionDenied
    plant = row_to_see(request, Plant.objects.all(), plant_id)
    with tempfile.TemporaryDirectory(prefix="planner-export-") as folder:
        path = Path(folder) / "plan.xlsx"
        try:
            export_plan(plant, path)
        except ExportRefused as why:
            messages.error(request, str(why))
            return redirect("admin:planning_plant_change", plant.pk)
        content = io.BytesIO(path.read_bytes())
    return FileResponse(content, as_attachment=True, filename=f"{get_valid_filename(plant.name) or 'plant'}.xlsx")


def _staged(request: HttpRequest, upload_id: int) -> StagedUpload:
    """Return the upload, for the user whose it is."""
    if not may_import(request):
        raise PermissionDenied
    return get_object_or_404(StagedUpload, pk=upload_id, user=request.user)


def _file(staged: StagedUpload) -> io.BytesIO:
    file = io.BytesIO(bytes(staged.content))
    file.name = staged.name
    return file


def _show(
    site: AdminSite,
    request: HttpRequest,
    staged: StagedUpload,
    *,
    preview: Preview | None = None,
    faults: ImportFaults | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Upload a plant",
        "staged": staged,
        "preview": preview,
        "state": preview.state if preview else "",
        "tables": _tables(preview) if preview else [],
        "faults": faults.faults[:SHOWN_FAULTS] if faults else [],
        "fault_count": faults.total if faults else 0,
        "faults_url": reverse("admin:planning_plant_faults", args=[staged.pk]),
        "upload_url": reverse("admin:planning_plant_upload"),
    }
    return TemplateResponse(request, "admin/planning/plant/staged.html", context, status=422 if faults else 200)


def _tables(preview: Preview) -> list[dict[str, Any]]:
    """Return the tables of a preview, in words."""
    return [
        {
            "name": table.table.replace("_", " "),
            "new": table.counts["new"],
            "changed": table.counts["changed"],
            "removed": table.counts["removed"],
            "untouched": table.untouched,
            "rows": [
                {
                    "key": row.key,
                    "kind": row.kind,
                    "cells": [
                        (cell.column.replace("_", " "), _value(cell.old), _value(cell.new)) for cell in row.cells
                    ],
                }
                for row in table.rows
            ],
            "more": sum(table.counts.values()) - len(table.rows),
        }
        for table in preview.tables
    ]


def _value(value: Any) -> str:
    if value is None or value == "":
        return "blank"
    if isinstance(value, bool):
        return "true" if value else "false"
    return rounded(value) if isinstance(value, float) else str(value)
