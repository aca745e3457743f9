"""The page that all of them serve: behind a login, and with the person's name on it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path


@login_required
def page(request: Any) -> HttpResponse:
    return render(request, "bench_page.html", {"person": request.user})


TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Welcome</title></head>
<body><h1>Welcome, {{ person.email }}</h1><ul>{% for n in "abcdefghij" %}<li>{{ n }}</li>{% endfor %}</ul></body></html>
"""
LOADERS = [("django.template.loaders.locmem.Loader", {"bench_page.html": TEMPLATE})]
urlpatterns = [path("bench/", page)]
