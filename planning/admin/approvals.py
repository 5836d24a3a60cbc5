"""Approving a run on its page: the buttons, who may press them, and what the page says of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from planning.models import Approval, Run
from planning.runs import CannotApprove, approve, withdraw_approval

LONGEST_REASON = 2_000


def may_approve(request: HttpRequest) -> bool:
    """Whether the user may approve runs."""
    return bool(request.user.has_perm("planning.approve_run"))


class ApprovalForm(forms.Form):
    """Why a plan is approved."""

    reason = forms.CharField(max_length=LONGEST_REASON, required=False)


def approve_view(request: HttpRequest, run: Run) -> HttpResponse:
    """Approve the run, or take its approval back, and go back to its page."""
    if not may_approve(request):
        raise PermissionDenied
    form = ApprovalForm(request.POST)
    if "withdraw" in request.POST:
        if withdraw_approval(run=run):
            messages.success(request, f"Run {run.pk} is no longer the approved plan. {run.plant.name} has none now.")
        else:
            messages.info(request, f"Run {run.pk} was not the approved plan.")
    elif not form.is_valid():
        messages.error(request, f"Give a reason of at most {LONGEST_REASON} characters.")
    else:
        try:
            approve(run=run, user=request.user, reason=form.cleaned_data["reason"])
            messages.success(request, f"Run {run.pk} is now the approved plan of {run.plant.name}.")
        except CannotApprove as why:
            messages.error(request, str(why))
    return redirect("admin:planning_run_change", run.pk)


def approval_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Return what the run's page shows of approvals: this run's current one, and how to approve it."""
    if run.is_open or run.objective is None:
        return {"approval": None, "approve_url": ""}
    current = Approval.objects.select_related("user").filter(plant_id=run.plant_id, ended_at__isnull=True).first()
    mine = current if current is not None and current.run_id == run.pk else None
    may = may_approve(request) and run.plan_checked
    return {
        "approval": mine,
        "replaces": current.run_id if current is not None and mine is None else None,
        "approve_url": reverse("admin:planning_run_approve", args=[run.pk]) if may else "",
        "longest_reason": LONGEST_REASON,
    }
