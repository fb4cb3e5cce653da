"""The addresses of the pages and of what they ask for while they are open."""

from django.urls import path

from units.views.campaigns import campaign, campaign_upload, campaign_workbook, campaigns
from units.views.candidates import candidates, candidates_table
from units.views.card import building, building_pdf, parcel, parcel_pdf
from units.views.compare import compare, compare_changes, compare_table
from units.views.composing import composing, outlines, pick
from units.views.criteria import (
    criteria_act,
    criteria_check,
    criteria_diff,
    criteria_draft,
    criteria_edit,
    criteria_list,
    criteria_set,
)
from units.views.determinations import (
    determination,
    determination_by_hand,
    determination_move,
    determination_moves,
    determination_suspects,
    determinations,
)
from units.views.findings import findings, findings_workbook, waiver
from units.views.forms import form, form_paper, form_papers, form_step
from units.views.here import here
from units.views.map import map_page
from units.views.measuring import measuring
from units.views.overview import overview
from units.views.places import places
from units.views.registers import registers
from units.views.scores import scores
from units.views.search import search
from units.views.statistics import statistics_figures, statistics_page, statistics_workbook
from units.views.units import unit_json, unit_page, units
from units.views.whatif import whatif, whatif_draft, whatif_list, whatif_parameters, whatif_table

urlpatterns = [
    path("", map_page, name="map"),
    path("parcels/<str:code>/", parcel, name="parcel"),
    path("parcels/<str:code>/card.pdf", parcel_pdf, name="parcel-pdf"),
    path("buildings/<path:code>/card.pdf", building_pdf, name="building-pdf"),
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
    path("compare/", compare, name="compare"),
    path("compare/changes.json", compare_changes, name="compare-changes"),
    path("compare/changes.csv", compare_table, name="compare-table"),
    path("map/whatif.json", whatif, name="map-whatif"),
    path("map/whatif/list.json", whatif_list, name="map-whatif-list"),
    path("map/whatif/list.csv", whatif_table, name="map-whatif-table"),
    path("map/whatif/draft.json", whatif_draft, name="map-whatif-draft"),
    path("map/whatif/parameters.json", whatif_parameters, name="map-whatif-parameters"),
    path("findings/", findings, name="findings"),
    path("findings/list.xlsx", findings_workbook, name="findings-workbook"),
    path("findings/<str:identity>/waiver/", waiver, name="waiver"),
    path("determinations/", determinations, name="determinations"),
    path("determinations/suspects/", determination_suspects, name="determination-suspects"),
    path("determinations/moves/", determination_moves, name="determination-moves"),
    path("determinations/by-hand/", determination_by_hand, name="determination-by-hand"),
    path("determinations/<str:code>/", determination, name="determination"),
    path("determinations/<str:code>/move/", determination_move, name="determination-move"),
    path("statistics/", statistics_page, name="statistics"),
    path("statistics/scores/", scores, name="statistics-scores"),
    path("statistics/figures.json", statistics_figures, name="statistics-figures"),
    path("statistics/statistics.xlsx", statistics_workbook, name="statistics-workbook"),
    path("criteria/", criteria_list, name="criteria"),
    path("criteria/check.json", criteria_check, name="criteria-check"),
    path("criteria/drafts/", criteria_draft, name="criteria-draft"),
    path("criteria/<str:name>/", criteria_set, name="criteria-set"),
    path("criteria/<str:name>/edit/", criteria_edit, name="criteria-edit"),
    path("criteria/<str:name>/diff/", criteria_diff, name="criteria-diff"),
    path("criteria/<str:name>/act/", criteria_act, name="criteria-act"),
    path("campaigns/", campaigns, name="campaigns"),
    path("campaigns/<int:number>/", campaign, name="campaign"),
    path("campaigns/<int:number>/workbook.xlsx", campaign_workbook, name="campaign-workbook"),
    path("campaigns/<int:number>/workbook/", campaign_upload, name="campaign-upload"),
    path("forms/<int:number>/", form, name="form"),
    path("forms/<int:number>/step/", form_step, name="form-step"),
    path("forms/<int:number>/papers/", form_papers, name="form-papers"),
    path("forms/<int:number>/papers/<int:paper>/", form_paper, name="form-paper"),
    path("units/", units, name="units"),
    path("units/<str:code>.json", unit_json, name="unit-json"),
    path("units/<str:code>/", unit_page, name="unit"),
]
