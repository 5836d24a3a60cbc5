"""What-ifs that are being asked about a run's plan."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .runs import Run


class WhatIfSession(models.Model):
    """What a user asks about a run's plan, one question after the other, and the last answer.

    While somebody asks, a process has the plan ready; `worker` is its name, "" where there is none.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="what_if_sessions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="what_if_sessions")
    asked = models.PositiveIntegerField(default=0, help_text="Number of the last question.")
    question = models.JSONField(null=True, help_text="The changes, and which price is wanted.")
    asked_at = models.DateTimeField(null=True)
    answered = models.PositiveIntegerField(default=0, help_text="Number of the question that the answer is to.")
    answer = models.JSONField(null=True)
    worker = models.CharField(max_length=200, blank=True, default="", help_text="Host and process that answers.")
    heartbeat_at = models.DateTimeField(null=True, help_text="Last sign of life of that process.")
    sent_at = models.DateTimeField(null=True, help_text="When a process was last asked for.")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "user"], name="what_if_session_one_each")]

    def __str__(self) -> str:
        return f"What-ifs of run {self.run_id}"
