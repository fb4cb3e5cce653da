"""The addresses of the pages and of what they ask for while they are open."""

from django.urls import path

from units.views.candidates import candidates
from units.views.card import parcel
from units.views.map import map_page
from units.views.overview import overview
from units.views.search import search

urlpatterns = [
    path("", map_page, name="map"),
    path("parcels/<str:code>/", parcel, name="parcel"),
    path("map/overview.json", overview, name="map-overview"),
    path("map/candidates.json", candidates, name="map-candidates"),
    path("map/search.json", search, name="map-search"),
]
