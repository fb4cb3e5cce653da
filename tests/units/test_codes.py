"""The code tables say what the standards say."""

import pytest

from units import codes


def test_a_heading_is_no_class_of_a_patch_and_special_land_is():
    usable = codes.usable(codes.SANDIAO)
    assert "05" not in usable
    assert "00" not in usable
    assert (usable["09"], usable["0601"], usable["0810A"]) == ("特殊用地", "工业用地", "广场用地")


def test_construction_land_is_that_of_the_survey():
    construction = codes.construction_codes()
    assert {"0601", "0603", "1109", "1201", "09"} <= construction
    assert not {"1006", "1202", "0101", "06"} & construction


def test_the_same_digits_have_other_meanings_in_another_scheme():
    assert codes.land_use(codes.SANDIAO)["0601"].name == "工业用地"
    assert codes.land_use(codes.YDYH)["0601"].name == "农村道路"
    assert codes.scheme_of("0601") == codes.SANDIAO
    assert codes.scheme_of("0601", codes.YDYH) == codes.YDYH


@pytest.mark.parametrize(
    ("code", "scheme"),
    [
        ("05H1", "sandiao"),
        ("100101", "ydyh2023"),
        ("0507", "ydyh2023"),
        ("061", "gbt21010"),
        ("9999", "gbt21010"),
        ("?", "unknown"),
    ],
)
def test_the_scheme_of_a_code_is_told_by_its_form(code, scheme):
    assert codes.scheme_of(code) == scheme


def test_domains_are_named_and_a_wrong_name_is_a_mistake():
    assert codes.domain("QLXZ")["102"] == "出让"
    with pytest.raises(KeyError, match="QLXX"):
        codes.domain("QLXX")


def test_every_class_has_a_source_and_a_parent_that_exists():
    for row in codes.rows("land_use"):
        assert row["source"]
        assert row["level"] == "1" or row["scheme"] == "erdiao" or row["parent"] in codes.land_use(row["scheme"])
