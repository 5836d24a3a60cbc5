"""Runs: one solve of one scenario, never edited afterwards; sets of them, and the model copies beside them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .plant import Plant


class RunSet(models.Model):
    """Runs that were asked for together: several scenarios of a plant, or variations of one copy."""

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="run_sets")
    name = models.CharField(max_length=200)
    about = models.TextField(blank=True, default="", help_text="What the set is about, in words.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="run_sets"
    )
    tried_for = models.ForeignKey(
        "Run",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tried_sets",
        help_text="The run whose data its runs vary, to see what would help there.",
    )
    subject = models.JSONField(null=True, blank=True, help_text="What it is tried for: kind, row, period.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One solve of one scenario. Names are copied into it, so it stands by itself when the data change."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        STOPPING = "stopping", "Stopping"
        SOLVED = "solved", "Solved"
        INFEASIBLE = "infeasible", "Infeasible"
        UNBOUNDED = "unbounded", "Unbounded"
        NO_PLAN = "no_plan", "No plan found"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"

    OPEN_STATES = (State.QUEUED, State.RUNNING, State.STOPPING)

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="runs")
    scenario_name = models.CharField(max_length=200)
    run_set = models.ForeignKey(
        RunSet, on_delete=models.CASCADE, null=True, blank=True, related_name="runs", verbose_name="set"
    )
    variation = models.JSONField(
        null=True, blank=True, help_text="What differs from the scenario: changes, in the columns of scenario_changes."
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=1)
    deaths = models.PositiveSmallIntegerField(default=0, help_text="Attempts whose process died.")
    reason = models.TextField(blank=True, default="", help_text="Why the run ended as it did, in words.")
    note = models.CharField(max_length=500, blank=True, default="", help_text="What whoever started it says of it.")
    options = models.JSONField(default=dict, help_text="Time limit in seconds, relative gap, solver.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    request_id = models.CharField(
        max_length=64, blank=True, default="", help_text="Names the request that started it in all logs."
    )
    worker = models.CharField(max_length=200, blank=True, default="", help_text="Host and process that executed it.")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When this attempt was last given to the runner.")
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="Last sign of life, by the database's clock.")
    stop_requests = models.PositiveSmallIntegerField(default=0, help_text="1: keep the best plan found; 2: abort.")
    progress = models.JSONField(default=dict, help_text="Stage, seconds, best plan, bound, and both over time.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    follows = models.ForeignKey(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="followers",
        help_text="The earlier run whose plan is held on to, or that this one is compared with.",
    )
    moved = models.JSONField(null=True, blank=True, help_text="Hours, units and orders planned otherwise than before.")

    currency = models.CharField(max_length=20)
    units = models.JSONField(default=dict, help_text="The unit of each product and of each raw material.")
    proven = models.BooleanField(default=False, help_text="The plan is proven best within the gap asked for.")
    plan_checked = models.BooleanField(default=False, help_text="The stored plan was recomputed and foots.")
    objective = models.FloatField(null=True, blank=True, help_text="Profit, in the plant's currency.")
    bound = models.FloatField(null=True, blank=True, help_text="No plan can earn more than this.")
    gap = models.FloatField(null=True, blank=True, help_text="Relative distance of profit and bound.")
    shadow_price_basis = models.CharField(max_length=10, blank=True, default="", help_text="lp or fixed_mip.")
    profit_parts = models.JSONField(default=dict, help_text="Money by part of the profit; all amounts positive.")
    levels = models.JSONField(default=list, help_text="Deviation reached per priority.")
    then_limits = models.JSONField(default=list, help_text="What limits the profit once a limit has grown.")
    seconds = models.JSONField(default=dict, help_text="Seconds per leg: read, build, solve, write.")
    sizes = models.JSONField(default=dict, help_text="Rows, columns, nonzeros of the model; bytes of its copy.")
    conflict = models.JSONField(default=list)
    relief = models.JSONField(default=list, help_text="What would have to give so that there is a plan.")
    warnings = models.JSONField(default=list)
    log = models.TextField(blank=True, default="", help_text="What the solver said.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["plant", "scenario_name", "-id"], name="run_by_scenario"),
            models.Index(fields=["state", "sent_at"], name="run_by_state"),
        ]
        permissions = [("stop_run", "Can stop runs"), ("approve_run", "Can approve runs")]

    def __str__(self) -> str:
        return f"Run {self.pk} of {self.scenario_name}"

    @property
    def is_open(self) -> bool:
        """Whether the run has still to end."""
        return self.state in self.OPEN_STATES

    @property
    def status(self) -> str:
        """The status of the plan format: optimal, feasible, infeasible, unbounded, no_plan or failed."""
        if self.state == self.State.SOLVED or (self.state == self.State.STOPPED and self.objective is not None):
            return "optimal" if self.proven else "feasible"
        if self.state in (self.State.INFEASIBLE, self.State.UNBOUNDED, self.State.FAILED):
            return str(self.state)
        return "no_plan"


class RunMove(models.Model):
    """One move in a run's life: which state it came to, when, in which attempt, by whom, and why."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="moves")
    at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=12, choices=Run.State.choices)
    attempt = models.PositiveIntegerField()
    who = models.CharField(max_length=200, help_text="The user, or the host and process.")
    reason = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"Run {self.run_id}: {self.get_state_display()}"


class StoredCopy(models.Model):
    """What every stored model copy has."""

    content = models.BinaryField(help_text="Signature, then the compressed bytes.")
    sha256 = models.CharField(max_length=64, help_text="Of the bytes before compression.")
    format_version = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField(help_text="Bytes before compression.")

    class Meta:
        abstract = True


class SetCopy(StoredCopy):
    """The signed, compressed, session-free model copy that the variations of a set share."""

    run_set = models.OneToOneField(RunSet, on_delete=models.CASCADE, primary_key=True, related_name="copy")

    def __str__(self) -> str:
        return f"Copy of set {self.run_set_id}"


class RunCopy(StoredCopy):
    """The signed, compressed, session-free model copy that a run solves.

    Of a variation there is the signature alone: it binds the run and its changes to the copy of the set.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="copy")
    shared = models.ForeignKey(SetCopy, on_delete=models.RESTRICT, null=True, blank=True, related_name="run_copies")

    def __str__(self) -> str:
        return f"Copy of run {self.run_id}"


class Approval(models.Model):
    """Somebody's word that a run's plan holds for its plant. At most one is current; a run that has one stays."""

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="approvals")
    run = models.ForeignKey(Run, on_delete=models.RESTRICT, related_name="approvals")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="approvals"
    )
    at = models.DateTimeField(auto_now_add=True)
    reason = models.TextField(blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When another one took its place. Blank: current.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["plant"], condition=models.Q(ended_at__isnull=True), name="approval_one_current"
            )
        ]

    def __str__(self) -> str:
        return f"Approval of run {self.run_id}"
