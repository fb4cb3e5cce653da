"""The administrator's desk: accounts, roles and the register of places; land itself is never edited here.

Surveys come through importers, judgements through people with a role, moves through 上图入库: an admin form over
those tables would be a way around the rights and the checks.
"""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.forms import ModelChoiceField
from django.utils.translation import gettext_lazy as _

from units.auditing import note
from units.models import (
    Delivery,
    Department,
    DepartmentAlias,
    District,
    DistrictFigure,
    Move,
    Scope,
    Street,
    Survey,
    User,
)
from units.rights import TITLES


class ReadOnly(admin.ModelAdmin):
    """A table to look into, not to write to."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class RoleChoice(ModelChoiceField):
    """Roles by their titles: nobody has to know what R3 stands for."""

    def label_from_instance(self, group):
        return f"{group.name} {TITLES.get(group.name, '')}".strip()


class ScopeInline(admin.TabularInline):
    model = Scope
    extra = 1

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "group":
            kwargs["form_class"] = RoleChoice
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(User)
class PeopleAdmin(UserAdmin):
    inlines = [ScopeInline]
    # Roles are given by scopes; loose group memberships and permissions would say the same thing twice.
    fieldsets = tuple(
        (title, {**options, "fields": tuple(f for f in options["fields"] if f not in ("groups", "user_permissions"))})
        for title, options in UserAdmin.fieldsets
    )
    filter_horizontal = ()
    list_filter = ("is_active", "is_staff", "scopes__group", "scopes__district")

    def has_delete_permission(self, request, obj=None):
        """Nobody's account is deleted: what was done in its name stays his. It is closed by `is_active`."""
        return False

    def log_addition(self, request, obj, message):
        note("account", by=request.user, subject=obj.get_username(), change="insert")
        return super().log_addition(request, obj, message)

    def log_change(self, request, obj, message):
        fields = sorted({field for part in _parts(message) for field in part.get("fields", ())})
        note("account", by=request.user, subject=obj.get_username(), change="update", fields=fields)
        return super().log_change(request, obj, message)


def _parts(message) -> list[dict]:
    """What the desk says of a change: one part a form."""
    return [part for whole in message for part in whole.values()] if isinstance(message, list) else []


@admin.register(District)
class DistrictAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "srid"]
    fields = ["code", "name", "srid"]


@admin.register(Street)
class StreetAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "district"]
    fields = ["code", "name", "district"]


class AliasInline(admin.TabularInline):
    model = DepartmentAlias
    extra = 0


@admin.register(Department)
class DepartmentAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "district", "street"]
    inlines = [AliasInline]


@admin.register(DistrictFigure)
class DistrictFigureAdmin(admin.ModelAdmin):
    """The GDP of a district and year, with its source; who entered it is kept, and every version."""

    list_display = ["district", "figure", "year", "value", "source", "entered_by"]
    fields = ["district", "figure", "year", "value", "source"]

    def save_model(self, request, obj, form, change):
        obj.entered_by = request.user
        super().save_model(request, obj, form, change)


@admin.register(Survey)
class SurveyAdmin(ReadOnly):
    list_display = ["district", "year", "state", "activated_at"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    list_display = ["file_name", "layer", "survey", "profile", "rows", "taken", "refused", "state", "imported_at"]


@admin.register(Move)
class MoveAdmin(ReadOnly):
    list_display = ["at", "register", "subject", "from_state", "to_state", "by", "role"]


admin.site.unregister(Group)
admin.site.site_header = admin.site.site_title = _("geoinv administration")
admin.site.index_title = _("Accounts, roles and places")
