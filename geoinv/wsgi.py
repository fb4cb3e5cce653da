"""The door for web servers: the private database is started first when it is needed."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from geoinv import database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "geoinv.settings")
application = get_wsgi_application()
database.ready(os.environ, settings.LOCAL_DIR)
