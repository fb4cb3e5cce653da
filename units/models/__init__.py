"""The tables of the inventory, one module a family."""

from units.models.benchmark import Benchmark, SectorClass, UseState, Violation
from units.models.campaign import Campaign, FactSheet, FormPaper, FormTask
from units.models.control import ControlArea
from units.models.criteria import CriteriaText
from units.models.figure import DistrictFigure, Score
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
from units.models.measured import Measured, Measurement, Stale
from units.models.parcel import (
    Building,
    Category,
    Enterprise,
    EnterpriseYear,
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
    "Benchmark",
    "Building",
    "Campaign",
    "Category",
    "CheckRun",
    "ControlArea",
    "CriteriaEdition",
    "CriteriaText",
    "Delivery",
    "Department",
    "DepartmentAlias",
    "Determination",
    "Disposal",
    "District",
    "DistrictFigure",
    "Document",
    "Enterprise",
    "EnterpriseYear",
    "FactSheet",
    "Finding",
    "Flag",
    "FlagRun",
    "FormPaper",
    "FormTask",
    "Freeze",
    "LandUsePatch",
    "LegacyLand",
    "LegacyNote",
    "Measured",
    "Measurement",
    "Move",
    "Occupancy",
    "Parcel",
    "Problem",
    "RedevelopmentUnit",
    "Refusal",
    "Revision",
    "Scheme",
    "Scope",
    "Score",
    "SectorClass",
    "ServedChange",
    "SignInFailure",
    "Stale",
    "Street",
    "SupplyContract",
    "Survey",
    "UnitParcel",
    "UseState",
    "User",
    "Violation",
    "Waiver",
]
