"""A founded district, and a folder for delivered files, for each test of the importers."""

import pytest

from units.models import District, Street


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    """Where delivered files are kept."""
    settings.DELIVERIES_DIR = tmp_path / "kept"
    return settings.DELIVERIES_DIR


@pytest.fixture
def nankai(db):
    district = District.objects.create(code="120104", name="南开区", srid=4527)
    Street.objects.create(code="120104001", district=district, name="长虹街道")
    return district
