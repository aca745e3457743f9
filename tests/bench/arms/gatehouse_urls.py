from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as own
from tests.bench.arms.page import urlpatterns as bench

__all__ = ["handler400", "handler403", "handler404", "handler500"]
urlpatterns = [*bench, *own]
