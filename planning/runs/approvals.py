"""Approving: somebody's word that one run's plan holds for its plant. At most one is current."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from planning.models import Approval, Run

from .start import hold_plant


class CannotApprove(ValueError):
    """A run that no one can approve, in words."""


def approve(*, run: Run, user: Any, reason: str) -> Approval:
    """Approve a run's plan for its plant, in place of the one approved before. Raises CannotApprove.

    A run is approved once its plan is there and checked, and with a reason.
    """
    reason = reason.strip()
    if not reason:
        raise CannotApprove("Say why this plan is approved: those who read it later will ask.")
    with transaction.atomic():
        hold_plant(run.plant_id)
        run = Run.objects.select_for_update().get(pk=run.pk)
        if run.objective is None or not run.plan_checked:
            raise CannotApprove(f"Run {run.pk} has no plan that was checked. Approve one that has.")
        current = Approval.objects.filter(plant_id=run.plant_id, ended_at__isnull=True)
        if current.filter(run=run).exists():
            raise CannotApprove(f"Run {run.pk} is the approved one already.")
        current.update(ended_at=Now())
        return Approval.objects.create(plant_id=run.plant_id, run=run, user=user, reason=reason)


def withdraw_approval(*, run: Run) -> bool:
    """Take the approval of a run back, so that its plant has no approved plan; return whether there was one."""
    current = Approval.objects.filter(run=run, ended_at__isnull=True)
    return current.update(ended_at=Now()) > 0
