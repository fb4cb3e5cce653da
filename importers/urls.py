"""The addresses of the import page and of what it asks for."""

from django.urls import path

from importers.views.deliveries import (
    deliveries,
    delivery_json,
    delivery_page,
    delivery_problems_json,
    faults_workbook,
    refused_rows,
    undo_json,
)
from importers.views.intakes import again_json, confirm_json, intake_json, intake_page, preview_json, stop_json
from importers.views.mappings import mapping_json, mappings_json
from importers.views.repairs import repair_picture, repairs_json
from importers.views.rows import problems_json, problems_workbook, rows_json, rows_tile
from importers.views.uploads import import_page

urlpatterns = [
    path("", import_page, name="import"),
    path("mappings.json", mappings_json, name="mappings-json"),
    path("mappings/<int:number>.json", mapping_json, name="mapping-json"),
    path("deliveries/", deliveries, name="deliveries"),
    path("deliveries/<int:number>/", delivery_page, name="delivery"),
    path("deliveries/<int:number>.json", delivery_json, name="delivery-json"),
    path("deliveries/<int:number>/problems.json", delivery_problems_json, name="delivery-problems-json"),
    path("deliveries/<int:number>/undo.json", undo_json, name="undo-json"),
    path("deliveries/<int:number>/faults.xlsx", faults_workbook, name="faults-workbook"),
    path("deliveries/<int:number>/refused.zip", refused_rows, name="refused-rows"),
    path("deliveries/<int:number>/repairs.json", repairs_json, name="repairs-json"),
    path("deliveries/<int:number>/repairs/<int:which>.svg", repair_picture, name="repair-picture"),
    path("<uuid:number>/", intake_page, name="intake"),
    path("<uuid:number>.json", intake_json, name="intake-json"),
    path("<uuid:number>/preview.json", preview_json, name="preview-json"),
    path("<uuid:number>/confirm.json", confirm_json, name="confirm-json"),
    path("<uuid:number>/stop.json", stop_json, name="stop-json"),
    path("<uuid:number>/again.json", again_json, name="again-json"),
    path("<uuid:number>/<int:which>/rows.json", rows_json, name="rows-json"),
    path("<uuid:number>/<int:which>/problems.json", problems_json, name="problems-json"),
    path("<uuid:number>/<int:which>/problems.xlsx", problems_workbook, name="problems-workbook"),
    path("<uuid:number>/<int:which>/<int:z>/<int:x>/<int:y>.mvt", rows_tile, name="rows-tile"),
]
