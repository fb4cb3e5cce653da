"""The addresses of the pages and of what they ask for while they are open."""

from django.urls import path

from units.views.candidates import candidates, candidates_table
from units.views.card import building, parcel
from units.views.composing import composing, outlines, pick
from units.views.findings import findings, findings_workbook, waiver
from units.views.here import here
from units.views.map import map_page
from units.views.measuring import measuring
from units.views.overview import overview
from units.views.places import places
from units.views.registers import registers
from units.views.search import search
from units.views.units import unit_json, unit_page, units

urlpatterns = [
    path("", map_page, name="map"),
    path("parcels/<str:code>/", parcel, name="parcel"),
    path("buildings/<path:code>/", building, name="building"),
    path("map/overview.json", overview, name="map-overview"),
    path("map/candidates.json", candidates, name="map-candidates"),
    path("map/candidates.csv", candidates_table, name="map-candidates-table"),
    path("map/registers.json", registers, name="map-registers"),
    path("map/search.json", search, name="map-search"),
    path("map/here.json", here, name="map-here"),
    path("map/places.json", places, name="map-places"),
    path("map/measure.json", measuring, name="map-measure"),
    path("map/compose.json", composing, name="map-compose"),
    path("map/outlines.json", outlines, name="map-outlines"),
    path("map/pick.json", pick, name="map-pick"),
    path("findings/", findings, name="findings"),
    path("findings/list.xlsx", findings_workbook, name="findings-workbook"),
    path("findings/<str:identity>/waiver/", waiver, name="waiver"),
    path("units/", units, name="units"),
    path("units/<str:code>.json", unit_json, name="unit-json"),
    path("units/<str:code>/", unit_page, name="unit"),
]
