"""The tables of the inventory, one module a family."""

from units.models.control import ControlArea
from units.models.judgement import (
    CheckRun,
    CriteriaEdition,
    Determination,
    Finding,
    Flag,
    FlagRun,
    Problem,
    Waiver,
)
from units.models.legacy import Disposal, Freeze, LegacyLand, LegacyNote
from units.models.parcel import (
    Building,
    Category,
    Enterprise,
    EnterpriseYear,
    FactSheet,
    Occupancy,
    Parcel,
    Scheme,
    SupplyContract,
)
from units.models.people import Scope, SignInFailure, User
from units.models.place import Department, DepartmentAlias, District, Street
from units.models.record import Document, Move, Revision, ServedChange
from units.models.survey import Delivery, LandUsePatch, Refusal, Survey
from units.models.unit import RedevelopmentUnit, UnitParcel

__all__ = [
    "Building",
    "Category",
    "CheckRun",
    "ControlArea",
    "CriteriaEdition",
    "Delivery",
    "Department",
    "DepartmentAlias",
    "Determination",
    "Disposal",
    "District",
    "Document",
    "Enterprise",
    "EnterpriseYear",
    "FactSheet",
    "Finding",
    "Flag",
    "FlagRun",
    "Freeze",
    "LandUsePatch",
    "LegacyLand",
    "LegacyNote",
    "Move",
    "Occupancy",
    "Parcel",
    "Problem",
    "RedevelopmentUnit",
    "Refusal",
    "Revision",
    "Scheme",
    "Scope",
    "ServedChange",
    "SignInFailure",
    "Street",
    "SupplyContract",
    "Survey",
    "UnitParcel",
    "User",
    "Waiver",
]
