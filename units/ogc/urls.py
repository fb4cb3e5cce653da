"""The addresses of OGC API – Features, below `/ogc`; none ends in a slash, because QGIS appends to them."""

from django.urls import path

from units.ogc import views

urlpatterns = [
    path("", views.landing, name="ogc"),
    path("/conformance", views.conformance, name="ogc-conformance"),
    path("/api", views.api, name="ogc-api"),
    path("/collections", views.collections, name="ogc-collections"),
    path("/collections/<name>", views.one_collection, name="ogc-collection"),
    path("/collections/<name>/items", views.items, name="ogc-items"),
    path("/collections/<name>/items/<fid>", views.item, name="ogc-item"),
]
