"""Files of whole plants to download: a plant as a workbook, and the template to begin with."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.text import get_valid_filename
from django.views.decorators.http import require_safe

from planning.exchange import ExportRefused, export_plan, template_sheets
from planning.models import Plant

from .access import row_to_see
from .list_exports import may_export
from .sheet_files import xlsx_file
from .uploads import may_import

TEMPLATE = "plan-template"


@require_safe
def export_view(request: HttpRequest, plant_id: int) -> HttpResponseBase:
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


@require_safe
def template_view(request: HttpRequest) -> HttpResponseBase:
    """Answer the workbook that has every table with examples, and what each column holds."""
    if not may_import(request):
        raise PermissionDenied
    return xlsx_file(template_sheets(), TEMPLATE)
