"""The addresses of the API: /api/v1/…, its description and the page that shows it."""

from django.urls import path

from units.api import authoring, counting, filling, judging, records
from units.api.describing import ROOT, Root, Schema, docs

urlpatterns = [
    path(f"{ROOT}/", Root.as_view(), name="api"),
    path("/docs/", docs, name="api-docs"),
    path("/schema", Schema.as_view(), name="api-schema"),
    path(f"{ROOT}/measures", judging.Measures.as_view(), name="api-measures"),
    path(f"{ROOT}/facts", judging.Facts.as_view(), name="api-facts"),
    path(f"{ROOT}/criteria", authoring.CriteriaSets.as_view(), name="api-criteria"),
    path(f"{ROOT}/criteria/check", authoring.CriteriaCheck.as_view(), name="api-criteria-check"),
    path(f"{ROOT}/criteria/<str:name>", authoring.OneCriteriaSet.as_view(), name="api-criteria-set"),
    path(f"{ROOT}/criteria/<str:name>/text", authoring.CriteriaSetText.as_view(), name="api-criteria-text"),
    path(f"{ROOT}/criteria/<str:name>/diff", authoring.CriteriaDiff.as_view(), name="api-criteria-diff"),
    path(f"{ROOT}/criteria/<str:name>/<str:action>", authoring.CriteriaStep.as_view(), name="api-criteria-step"),
    path(f"{ROOT}/subjects/<path:code>", judging.Subject.as_view(), name="api-subject"),
    path(f"{ROOT}/whatif", judging.WhatIf.as_view(), name="api-whatif"),
    path(f"{ROOT}/compare", judging.Compare.as_view(), name="api-compare"),
    path(f"{ROOT}/runs", judging.Runs.as_view(), name="api-runs"),
    path(f"{ROOT}/workflow", records.Workflow.as_view(), name="api-workflow"),
    path(f"{ROOT}/determinations", records.Determinations.as_view(), name="api-determinations"),
    path(f"{ROOT}/determinations/suspects", records.Suspects.as_view(), name="api-suspects"),
    path(f"{ROOT}/determinations/moves", records.Moves.as_view(), name="api-moves"),
    path(f"{ROOT}/determinations/<str:code>", records.OneDetermination.as_view(), name="api-determination"),
    path(f"{ROOT}/determinations/<str:code>/move", records.OneMove.as_view(), name="api-move"),
    path(f"{ROOT}/moves", records.AnyMoves.as_view(), name="api-any-moves"),
    path(f"{ROOT}/work", records.Work.as_view(), name="api-work"),
    path(f"{ROOT}/snapshots", records.Snapshots.as_view(), name="api-snapshots"),
    path(f"{ROOT}/progress", records.Progress.as_view(), name="api-progress"),
    path(f"{ROOT}/campaigns", filling.Campaigns.as_view(), name="api-campaigns"),
    path(f"{ROOT}/campaigns/<int:number>", filling.OneCampaign.as_view(), name="api-campaign"),
    path(f"{ROOT}/forms", filling.Forms.as_view(), name="api-forms"),
    path(f"{ROOT}/forms/<int:number>", filling.OneForm.as_view(), name="api-form"),
    path(f"{ROOT}/forms/<int:number>/<str:action>", filling.OneFormStep.as_view(), name="api-form-step"),
    path(f"{ROOT}/statistics", counting.Statistics.as_view(), name="api-statistics"),
]
