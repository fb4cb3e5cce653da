"""Answer the one question a watchdog asks: does the site reach its database?"""

from django.db import OperationalError, connection
from django.http import JsonResponse


def healthz(request):
    """200 {"database": "ok"} or 503; nothing of the data or the machine is told."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse({"database": "ok"})
