"""Every URL of the site: the admin is the planner's desk.

`/livez` and `/readyz` are answered before them, by `planning.api.probes`.
"""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from planning.admin.search import search_view
from planning.api.metrics import metrics

admin.autodiscover()

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index", permanent=False)),
    path("admin/search/", admin.site.admin_view(search_view)),  # instead of the theme's own, at its address
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
]
