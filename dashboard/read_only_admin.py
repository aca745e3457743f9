"""How Django's admin is made to look at tables and do nothing else.

Each table is shown a bounded number of rows deep, in the order of an index, and none is ever counted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, URLResolver, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.error_pages import login_url
from accounts.permissions import VIEW
from dashboard.console.access import viewers_only

# Deeper than anybody pages; a search leads to the rest.
MOST_ROWS = 1000
# What of a query string is looked at. Django knows more: orders that no index has, pop-ups that show the keys of rows.
QUERY = ("q", "p", "_changelist_filters")
NOT_HERE = {"password_change", "password_change_done"}


class Site(admin.AdminSite):
    """An admin without a password, a form, or any way to write."""

    site_header = site_title = _("Gatehouse tables")
    index_title = _("Tables")
    site_url = "/console/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_authenticated and request.user.has_perm(VIEW))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Let in whom the console lets in, and only to look."""
        return viewers_only(require_safe(_narrowed(super().admin_view(view, cacheable))))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(login_url(request.GET.get("next") or reverse("admin:index", current_app=self.name)))

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("logout"))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [url for url in super().get_urls() if getattr(url, "name", "") not in NOT_HERE]


def _narrowed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Run the view with the parameters of QUERY alone."""

    @wraps(view)
    def narrowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.GET = QueryDict(urlencode({name: request.GET[name] for name in QUERY if name in request.GET}))
        return view(request, *args, **kwargs)

    return narrowed


class BoundedPaginator(Paginator[Any]):
    """Pages of the first rows; to know how many pages there are it reads the keys of those rows, not the table."""

    most_rows = MOST_ROWS

    @cached_property
    def count(self) -> int:
        return len(self.object_list.values_list("pk", flat=True)[: self.most_rows])  # type: ignore[attr-defined]


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Shows the columns that are named, and lets nobody change them, whatever their permissions."""

    paginator = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    actions = None
    sortable_by: ClassVar[tuple[str, ...]] = ()
    # Makes the box appear; `matching` looks up what is typed there.
    search_fields: ClassVar[tuple[str, ...]] = ("pk",)
    list_filter = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm(VIEW))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields or ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the columns that are shown; what is sealed or a digest stays in the database."""
        names = {field.name for field in self.model._meta.concrete_fields}
        shown = names & {*map(str, self.fields or ()), *map(str, self.list_display), self.model._meta.pk.name}
        return super().get_queryset(request).only(*sorted(shown))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row; raise Http404 where Django would repeat what was asked for in a message."""
        found = self.find(request, object_id)
        if found is None:
            raise Http404
        return found

    def find(self, request: HttpRequest, object_id: str) -> Any:
        return super().get_object(request, object_id)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return False  # a filter by a column that is not shown would tell what is in it

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        return (queryset.filter(self.matching(text)) if text and self.search_fields else queryset), False

    def matching(self, text: str) -> Q:
        """Return what the text means, as a condition that an index answers."""
        raise NotImplementedError

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404  # nothing is ever changed here
