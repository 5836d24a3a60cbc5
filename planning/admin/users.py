"""Users and groups, in the style of the other pages, each with the plants that they are limited to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.admin import ModelAdmin, StackedInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from planning.models import PlantLimit

from .access import is_limited

admin.site.unregister(User)
admin.site.unregister(Group)


class PlantLimitForm(forms.ModelForm):
    """A limit: it is kept also where no plant is chosen."""

    class Meta:
        model = PlantLimit
        fields = ("plants",)
        widgets = {"plants": UnfoldAdminCheckboxSelectMultipleWidget}

    def has_changed(self) -> bool:
        return self.instance.pk is None or super().has_changed()


class PlantLimitInline(StackedInline):
    """The plants that a user, or the members of a group, are limited to."""

    model = PlantLimit
    form = PlantLimitForm
    extra = 0
    max_num = 1
    verbose_name = "limit to some plants"
    verbose_name_plural = "Limit to some plants"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(getattr(field, "widget", None), RelatedFieldWidgetWrapper):
            field.widget.can_add_related = False
        return field

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and not is_limited(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not is_limited(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not is_limited(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and not is_limited(request)


class WithPlantLimit:
    """Offers the limit on a stored row: most users have none."""

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [PlantLimitInline] if obj is not None else []


@admin.register(User)
class UserAdmin(WithPlantLimit, DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(WithPlantLimit, DjangoGroupAdmin, ModelAdmin):
    pass
