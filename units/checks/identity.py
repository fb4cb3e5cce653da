"""Say which findings are the same finding: one told by an import, by last night's run and by tonight's."""

import hashlib

import numpy as np
import shapely

SNAP = 0.01  # metres; a fault whose vertices move less is the same fault
# Profiles of registers that the district keeps through all surveys: the same row is the same in every round.
REGISTERS = frozenset({"legacy", "control"})


def row_identity(survey, profile: str, code: str, field: str, subject: str, layer: str | None, times: int = 1) -> str:
    """The identity of a fault of one row's value: what an import tells of a file and a check of the stored row.

    survey: of the delivery; of a register's row it says nothing. field: the profile's own name of it, whatever the
    file's column is called. layer: of the file, for profiles that take many (control lines), else None. times: the
    same fault of the same identifier for the nth time in the file.
    """
    survey = None if profile in REGISTERS else survey
    parts = (survey, profile, code, field, subject, *(() if layer is None else (layer,)), times)
    return _digest("|".join(map(str, parts)))


def shape_identity(survey, layer: str, code: str, subjects, fingerprint: str) -> str:
    """The identity of a fault of shapes: code, subjects in any order, and the digest of the fault's own geometry.

    survey: None where the layer belongs to none. subjects: none where the place alone says which fault it is.
    """
    return _digest("|".join(map(str, (survey, layer, code, *sorted(subjects), fingerprint))))


def fingerprint(shape) -> str:
    """The digest of a shape in metres: its vertices to the centimetre, wherever its rings begin and whichever way."""
    points = shapely.get_coordinates(shape)
    points = points[np.isfinite(points).all(axis=1)]
    return _digest(np.unique(np.rint(points / SNAP).astype(np.int64), axis=0).tobytes())


def same_shape(one, other) -> bool:
    """Whether two faults in metres are the same but for noise: rounding alone flips a vertex that lies between."""
    if shapely.is_empty(one) or shapely.is_empty(other):
        return bool(shapely.is_empty(one) and shapely.is_empty(other))
    return bool(shapely.hausdorff_distance(one, other) <= SNAP)


def _digest(said: str | bytes) -> str:
    return hashlib.sha256(said.encode() if isinstance(said, str) else said).hexdigest()
