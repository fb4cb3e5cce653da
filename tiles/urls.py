"""The addresses of the tiles."""

from django.urls import path

from tiles import views

urlpatterns = [
    path("<slug:layer>.json", views.tilejson, name="tilejson"),
    path("<slug:layer>/<int:z>/<int:x>/<int:y>.mvt", views.tile, name="tile"),
]
