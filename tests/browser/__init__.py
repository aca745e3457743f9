import pytest

# Its assertions are those of the tests that take it over.
pytest.register_assert_rewrite("tests.browser.page_rules")
