"""A town, people who look at it, and a reader of vector tiles that shares nothing with the site's own."""

from dataclasses import dataclass, field

import pytest
import town
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client

from units.rights import Role

FIXED_SIZES = {1: 8, 5: 4}  # bytes, by wire type


@dataclass
class Feature:
    """One feature of a tile; `shape` holds its rings in steps of the tile's grid."""

    fid: int = 0
    kind: int = 0  # 1 point, 2 line, 3 polygon
    attributes: dict = field(default_factory=dict)
    shape: list = field(default_factory=list)


class Wire:
    """The fields of one protocol-buffer message."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def signed(self) -> int:
        value = self.number()
        return (value >> 1) ^ -(value & 1)

    def __iter__(self):
        while self.at < len(self.data):
            tag, kind = divmod(self.number(), 8)
            if kind == 0:
                yield tag, self.number()
                continue
            size = self.number() if kind == 2 else FIXED_SIZES[kind]
            self.at += size
            yield tag, self.data[self.at - size : self.at]


def read(data: bytes) -> dict[str, list[Feature]]:
    """The layers of a vector tile by name."""
    layers = {}
    for _tag, body in Wire(data):
        parts = list(Wire(body))
        keys = [value.decode() for tag, value in parts if tag == 3]
        values = [_value(value) for tag, value in parts if tag == 4]
        name = next(value.decode() for tag, value in parts if tag == 1)
        layers[name] = [_feature(value, keys, values) for tag, value in parts if tag == 2]
    return layers


def _value(data: bytes):
    (tag, value), *_rest = Wire(data)
    return value.decode() if tag == 1 else value


def _feature(data: bytes, keys: list[str], values: list) -> Feature:
    found = Feature()
    for tag, value in Wire(data):
        if tag == 1:
            found.fid = value
        elif tag == 3:
            found.kind = value
        elif tag == 2:
            wire, numbers = Wire(value), []
            while wire.at < len(value):
                numbers.append(wire.number())
            found.attributes = {keys[k]: values[v] for k, v in zip(numbers[::2], numbers[1::2], strict=True)}
        elif tag == 4:
            found.shape = _shape(value)
    return found


def _shape(data: bytes) -> list:
    wire, rings, x, y = Wire(data), [], 0, 0
    while wire.at < len(data):
        times, command = divmod(wire.number(), 8)
        for _each in range(times if command != 7 else 0):
            x, y = x + wire.signed(), y + wire.signed()
            if command == 1:
                rings.append([])
            rings[-1].append((x, y))
    return rings


@pytest.fixture
def the_town(db, monkeypatch):
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second
    town.build()


@pytest.fixture
def looker(the_town):
    """A client signed in as a role: `looker(Role.OFFICE, town.NANKAI)`; of nobody without a role."""

    def signed_in(role: Role | None = None, district=None, street=None) -> Client:
        client = Client()
        if role:
            client.force_login(town.scoped_user(role, district, street))
        return client

    return signed_in


@pytest.fixture
def tile_of():
    return read
