"""The Django application `planning`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PlanningConfig(AppConfig):
    name = "planning"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Production planning"

    def ready(self) -> None:
        """Let `migrate` make the ready-made groups."""
        from .models.roles import make_roles

        post_migrate.connect(make_roles, sender=self, dispatch_uid="planning roles")
