"""Draw a town of two districts with a row of every collection in every place, for tests about who sees what."""

from datetime import UTC, date, datetime

from django.contrib.auth.models import Group
from django.contrib.gis.geos import MultiPolygon, Polygon

from units.models import (
    Building,
    ControlArea,
    CriteriaEdition,
    Delivery,
    Determination,
    District,
    Enterprise,
    EnterpriseYear,
    Finding,
    Flag,
    FlagRun,
    LandUsePatch,
    LegacyLand,
    Occupancy,
    Parcel,
    Problem,
    RedevelopmentUnit,
    Scope,
    Street,
    Survey,
    User,
)
from units.rights import Role

NANKAI, HEPING = "120104", "120103"
# Where rows lie: two streets of one district, one row whose street is not known, and a street of the other district.
PLACES = ((NANKAI, "120104001"), (NANKAI, "120104002"), (NANKAI, None), (HEPING, "120103001"))
HOLDER, SQUATTER, PENALTY = "Holder Ltd", "Squatter Ltd", "penalty 7"  # what restricted columns hold
TAX_CNY, TAX = "43219876.54", "4,321.99"  # what the firm on each parcel pays, as stored and as a card would show it
PASSWORD = "a long enough password"
UNIT_STATES = ("approved", "draft", "draft", "approved")  # of the units in PLACES


def square(column: int, row: int = 0, side: float = 0.001) -> MultiPolygon:
    """A square of about 100 m on a grid, so that neighbours share their corners exactly."""
    west, south = round(117.1 + column * 0.001, 3), round(39.1 + row * 0.001, 3)
    box = Polygon.from_bbox((west, south, round(west + side, 6), round(south + side, 6)))
    return MultiPolygon(box, srid=4490)


def build() -> None:
    """Every collection with one row in each of PLACES (control areas have no street); the 2021 round is retired."""
    author = User.objects.create_user("author")
    edition = CriteriaEdition.objects.create(digest="0" * 64, name="town", title="Town", official=False, text="")
    surveys, runs, deliveries = {}, {}, {}
    for code in (NANKAI, HEPING):
        district, _made = District.objects.get_or_create(code=code, defaults={"name": code, "srid": 4548})
        for street in {street for where, street in PLACES if where == code and street}:
            Street.objects.get_or_create(code=street, defaults={"district": district, "name": street})
        surveys[code] = Survey.objects.create(
            district=district, year=2022, state="in_force", activated_at=datetime(2023, 1, 1, tzinfo=UTC)
        )
        runs[code] = FlagRun.objects.create(district=district, survey=surveys[code], edition=edition)
        deliveries[code] = _delivery(surveys[code], "dltb-" + code)
    retired = Survey.objects.create(
        district_id=NANKAI, year=2021, state="retired", activated_at=datetime(2022, 1, 1, tzinfo=UTC)
    )
    _parcel(retired, NANKAI, "120104001", "120104001001GB99999", square(50))
    for number, (district, street) in enumerate(PLACES):
        where = {"district_id": district, "street_id": street}
        code = f"{district}001001GB0000{number}"
        parcel = _parcel(surveys[district], district, street, code, square(number))
        Building.objects.create(
            survey=surveys[district],
            **where,
            code=f"B{number}",
            name=f"Hall {number}",
            geom=square(number, side=0.0005),
        )
        firm = Enterprise.objects.create(district_id=district, name=f"Firm {number}")
        EnterpriseYear.objects.create(enterprise=firm, year=2022, tax_cny=TAX_CNY, grade="D")
        Occupancy.objects.create(enterprise=firm, parcel=parcel, floor_area_m2=100)
        LandUsePatch.objects.create(
            delivery=deliveries[district],
            survey=surveys[district],
            **where,
            row_number=number + 1,
            row_digest=bytes(32),
            bsm=f"{district}{number:012d}",
            dlbm="0601",
            geom=square(number, 1),
            area_m2=9600,
        )
        Flag.objects.create(
            run=runs[district],
            **where,
            criteria="town",
            parcel=parcel,
            category="industrial",
            outcome="candidate",
            fired=["IND-FAR"],
            evidence={},
        )
        Determination.objects.create(
            **where,
            code=f"{district}DX00000{number}",
            parcel=parcel,
            category="industrial",
            criteria="town",
            base_survey_year=2022,
        )
        ControlArea.objects.create(
            district_id=district, kind="park", edition="1", in_force=True, code=f"C{number}", geom=square(number, 2)
        )
        LegacyLand.objects.create(
            **where, code=f"L{number}", user_name=SQUATTER, penalty_number=PENALTY, geom=square(number, 3)
        )
        RedevelopmentUnit.objects.create(
            **where,
            code=f"U{number}",
            name=f"Unit {number}",
            state=UNIT_STATES[number],
            created_by=author,
            geom=square(number, 4),
        )
        problem = Problem.objects.create(
            **where,
            number=f"P{number}",
            kind="ownership",
            description="Nobody knows whose it is.",
            raised_by=author,
            raised_on=date(2024, 3, 1),
        )
        problem.parcels.add(parcel)
        Finding.objects.create(
            **where,
            identity=f"finding-{number}",
            code="4101",
            severity="error",
            subjects=[code],
            sentence="Two parcels overlap.",
            fix="Redraw one.",
            geom=square(number).centroid,
        )


def scoped_user(role: Role, district: str | None = None, street: str | None = None) -> User:
    """A user with one role, named after it and where it holds; made once."""
    name = ".".join(filter(None, (role.value, street or district)))
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create_user(name, password=PASSWORD)
        group, _made = Group.objects.get_or_create(name=role.value)
        Scope.objects.create(user=user, group=group, district_id=district, street_id=street)
    return user


def _parcel(survey, district, street, code, geom) -> Parcel:
    return Parcel.objects.create(
        survey=survey,
        district_id=district,
        street_id=street,
        code=code,
        address=f"No. {code[-1]} “quoted” Road",
        registered_use="0601",
        right_holder=HOLDER,
        geom=geom,
    )


def _delivery(survey, name) -> Delivery:
    return Delivery.objects.create(
        survey=survey,
        district=survey.district,
        profile="dltb",
        file_name=f"{name}.zip",
        layer="DLTB",
        sha256=f"{name:0>64}"[:64],
        size=1,
        encoding={},
        crs={},
    )
