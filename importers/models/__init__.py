"""What the importers keep of their own, one file a family."""

from importers.models.edited import Edited
from importers.models.intake import Intake, IntakeLayer, Retake
from importers.models.mapping import MappingTemplate
from importers.models.preview import PreviewProblem, PreviewRow
from importers.models.repair import Consent, Repair
from importers.models.replaced import Replaced

__all__ = [
    "Consent",
    "Edited",
    "Intake",
    "IntakeLayer",
    "MappingTemplate",
    "PreviewProblem",
    "PreviewRow",
    "Repair",
    "Replaced",
    "Retake",
]
