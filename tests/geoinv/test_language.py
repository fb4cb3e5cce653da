"""Pages speak Chinese until somebody chooses, whatever the browser was installed in."""

import pytest
from django.test import Client


@pytest.mark.parametrize(
    ("cookie", "language"),
    [(None, "zh-hans"), ("en", "en"), ("zh-hans", "zh-hans"), ("xx", "zh-hans"), ("", "zh-hans")],
)
def test_the_language_is_the_chosen_one_and_chinese_before_that(db, cookie, language):
    client = Client(headers={"Accept-Language": "en-US,en;q=0.9", "Accept": "text/html"})
    if cookie is not None:
        client.cookies["django_language"] = cookie
    answer = client.get("/accounts/login/")
    assert answer["Content-Language"] == language
    assert ("登录" in answer.content.decode()) == (language == "zh-hans")
    assert "Cookie" in answer["Vary"]
