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
    determination_start,
    determination_suspects,
    determinations,
)
from units.views.drawing import corners, neighbours
from units.views.field import field_check, field_desk, field_photo, field_preview
from units.views.findings import findings, findings_workbook, waiver
from units.views.forms import form, form_paper, form_papers, form_step
from units.views.here import here
from units.views.history import history, history_changes, history_table, map_dates, row_history, unit_restore
from units.views.legacy import legacy, legacy_facts, legacy_land, legacy_move, legacy_notes
from units.views.map import map_page
from units.views.measuring import measuring
from units.views.overview import overview
from units.views.places import places
from units.views.programmes import programmes
from units.views.registers import registers, registers_table
from units.views.reshaping import reshape, reshapings, snap, trace, units_reshape
from units.views.saved_views import saved_view, saved_views
from units.views.scores import scores
from units.views.search import search
from units.views.snapshots import snapshot, snapshot_package, snapshots
from units.views.statistics import statistics_figures, statistics_page, statistics_workbook
from units.views.unit_record import (
    consultation_reply,
    unit_amend,
    unit_consultations,
    unit_edition,
    unit_edition_json,
    unit_record,
)
from units.views.units import unit_json, unit_page, units
from units.views.values import values, values_table
from units.views.whatif import whatif, whatif_draft, whatif_list, whatif_parameters, whatif_table
from units.views.work import unit_move, work, work_moves
from units.views.working import draft, drafts, leases, unit_since

urlpatterns = [
    path("", map_page, name="map"),
    path("parcels/<str:code>/history/", row_history, {"register": "parcels"}, name="parcel-history"),
    path("buildings/<path:code>/history/", row_history, {"register": "buildings"}, name="building-history"),
    path("legacy/<str:code>/history/", row_history, {"register": "legacy"}, name="legacy-history"),
    path(
        "determinations/<str:code>/history/",
        row_history,
        {"register": "determinations"},
        name="determination-history",
    ),
    path("units/<str:code>/history/", row_history, {"register": "units"}, name="unit-history"),
    path("units/<str:code>/restore/", unit_restore, name="unit-restore"),
    path("history/", history, name="history"),
    path("history/changes.json", history_changes, name="history-changes"),
    path("history/changes.csv", history_table, name="history-table"),
    path("map/dates.json", map_dates, name="map-dates"),
    path("parcels/<str:code>/", parcel, name="parcel"),
    path("parcels/<str:code>/card.pdf", parcel_pdf, name="parcel-pdf"),
    path("buildings/<path:code>/card.pdf", building_pdf, name="building-pdf"),
    path("buildings/<path:code>/", building, name="building"),
    path("map/overview.json", overview, name="map-overview"),
    path("map/candidates.json", candidates, name="map-candidates"),
    path("map/candidates.csv", candidates_table, name="map-candidates-table"),
    path("map/registers.json", registers, name="map-registers"),
    path("map/registers.csv", registers_table, name="map-registers-table"),
    path("map/values.json", values, name="map-values"),
    path("map/values.csv", values_table, name="map-values-table"),
    path("map/views.json", saved_views, name="map-views"),
    path("map/views/<int:number>.json", saved_view, name="map-view"),
    path("map/search.json", search, name="map-search"),
    path("map/here.json", here, name="map-here"),
    path("map/places.json", places, name="map-places"),
    path("map/measure.json", measuring, name="map-measure"),
    path("map/compose.json", composing, name="map-compose"),
    path("map/outlines.json", outlines, name="map-outlines"),
    path("map/corners.json", corners, name="map-corners"),
    path("map/neighbours.json", neighbours, name="map-neighbours"),
    path("map/pick.json", pick, name="map-pick"),
    path("map/snap.json", snap, name="map-snap"),
    path("map/trace.json", trace, name="map-trace"),
    path("map/reshape.json", reshape, name="map-reshape"),
    path("compare/", compare, name="compare"),
    path("compare/changes.json", compare_changes, name="compare-changes"),
    path("compare/changes.csv", compare_table, name="compare-table"),
    path("map/whatif.json", whatif, name="map-whatif"),
    path("map/whatif/list.json", whatif_list, name="map-whatif-list"),
    path("map/whatif/list.csv", whatif_table, name="map-whatif-table"),
    path("map/whatif/draft.json", whatif_draft, name="map-whatif-draft"),
    path("map/whatif/parameters.json", whatif_parameters, name="map-whatif-parameters"),
    path("field/", field_desk, name="field"),
    path("field/photos/<int:number>/", field_photo, name="field-photo"),
    path("field/photos/<int:number>/small.jpg", field_preview, name="field-preview"),
    path("field/<path:code>/", field_check, name="field-check"),
    path("findings/", findings, name="findings"),
    path("findings/list.xlsx", findings_workbook, name="findings-workbook"),
    path("findings/<str:identity>/waiver/", waiver, name="waiver"),
    path("determinations/", determinations, name="determinations"),
    path("determinations/suspects/", determination_suspects, name="determination-suspects"),
    path("determinations/moves/", determination_moves, name="determination-moves"),
    path("determinations/by-hand/", determination_by_hand, name="determination-by-hand"),
    path("determinations/<str:code>/", determination, name="determination"),
    path("determinations/<str:code>/move/", determination_move, name="determination-move"),
    path("determinations/<str:code>/start/", determination_start, name="determination-start"),
    path("work/", work, name="work"),
    path("work/moves/", work_moves, name="work-moves"),
    path("legacy/", legacy, name="legacy"),
    path("legacy/<str:code>/", legacy_land, name="legacy-land"),
    path("legacy/<str:code>/move/", legacy_move, name="legacy-move"),
    path("legacy/<str:code>/facts/", legacy_facts, name="legacy-facts"),
    path("legacy/<str:code>/notes/", legacy_notes, name="legacy-notes"),
    path("snapshots/", snapshots, name="snapshots"),
    path("snapshots/<str:district>/<str:register>/<int:number>/", snapshot, name="snapshot"),
    path("snapshots/<str:district>/<str:register>/<int:number>/package.zip", snapshot_package, name="snapshot-package"),
    path("units/<str:code>/move/", unit_move, name="unit-move"),
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
    path("units/reshape.json", units_reshape, name="units-reshape"),
    path("units/reshapings.json", reshapings, name="units-reshapings"),
    path("units/programmes/", programmes, name="unit-programmes"),
    path("units/<str:code>.json", unit_json, name="unit-json"),
    path("units/<str:code>/since.json", unit_since, name="unit-since"),
    path("units/<str:code>/record/", unit_record, name="unit-record"),
    path("units/<str:code>/amend/", unit_amend, name="unit-amend"),
    path("units/<str:code>/editions/<int:number>.json", unit_edition_json, name="unit-edition-json"),
    path("units/<str:code>/editions/<int:number>/", unit_edition, name="unit-edition"),
    path("units/<str:code>/consultations/", unit_consultations, name="unit-consultations"),
    path("units/<str:code>/", unit_page, name="unit"),
    path("consultations/<int:number>/reply/", consultation_reply, name="consultation-reply"),
    path("working/leases.json", leases, name="working-leases"),
    path("working/drafts.json", drafts, name="working-drafts"),
    path("working/drafts/<str:key>.json", draft, name="working-draft"),
]
