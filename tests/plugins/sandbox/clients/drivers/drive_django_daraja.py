"""django-daraja in a Django project of one file, with its table of tokens in memory."""

from typing import Any

import django
from django.conf import settings as project
from django.core.management import call_command
from talk import serve

READ = (
    "status_code",
    "request_id",
    "response_code",
    "response_description",
    "customer_message",
    "conversation_id",
    "originator_conversation_id",
    "error_code",
    "error_message",
    "merchant_request_id",
    "checkout_request_id",
)


def made(settings: dict[str, Any]) -> dict[str, Any]:
    project.configure(
        INSTALLED_APPS=["django_daraja"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        **settings,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from django_daraja.mpesa import core, utils

    return {"client": core.MpesaClient(), "utils": utils}


def shown(answer: Any) -> Any:
    return {name: getattr(answer, name) for name in READ} if hasattr(answer, "response_code") else answer


serve(made, shown)
