"""The tables of the inventory, one module a family."""

from units.models.benchmark import Benchmark, SectorClass, UseState, Violation
from units.models.campaign import Campaign, FactSheet, FormPaper, FormTask
from units.models.control import ControlArea
from units.models.criteria import CriteriaText
from units.models.field_check import FieldCheck, FieldPhoto
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
from units.models.lineage import Lineage, Reshaping
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
from units.models.people import (
    AuditEntry,
    FormerPassword,
    RecoveryCode,
    Scope,
    SecondFactor,
    SignInFailure,
    Token,
    User,
)
from units.models.place import Department, DepartmentAlias, District, Street
from units.models.record import Document, Move, Revision, ServedChange
from units.models.saved_view import SavedView
from units.models.snapshot import Snapshot
from units.models.survey import Delivery, LandUsePatch, Refusal, Survey
from units.models.unit import Consultation, RedevelopmentUnit, UnitParcel
from units.models.working import KeptDraft, Lease

__all__ = [
    "AuditEntry",
    "Benchmark",
    "Building",
    "Campaign",
    "Category",
    "CheckRun",
    "Consultation",
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
    "FieldCheck",
    "FieldPhoto",
    "Finding",
    "Flag",
    "FlagRun",
    "FormPaper",
    "FormTask",
    "FormerPassword",
    "Freeze",
    "KeptDraft",
    "LandUsePatch",
    "Lease",
    "LegacyLand",
    "LegacyNote",
    "Lineage",
    "Measured",
    "Measurement",
    "Move",
    "Occupancy",
    "Parcel",
    "Problem",
    "RecoveryCode",
    "RedevelopmentUnit",
    "Refusal",
    "Reshaping",
    "Revision",
    "SavedView",
    "Scheme",
    "Scope",
    "Score",
    "SecondFactor",
    "SectorClass",
    "ServedChange",
    "SignInFailure",
    "Snapshot",
    "Stale",
    "Street",
    "SupplyContract",
    "Survey",
    "Token",
    "UnitParcel",
    "UseState",
    "User",
    "Violation",
    "Waiver",
]
