"""Settings. The environment is read here and nowhere else.

| variable | meaning | default |
|---|---|---|
| `DATABASE_URL` | `sqlite:///path` or `postgres://user:password@host/name` | `data/planner.sqlite3` |
| `REDIS_URL` | the queue of a site with RQ workers | blank: runs are local child processes |
| `SECRET_KEY` | signs sessions and model copies; the same on every host | this machine only: generated |
| `SECRET_KEY_FALLBACKS` | older keys that are still accepted, separated by commas | blank |
| `ALLOWED_HOSTS` | the host names that the site answers to, separated by commas | this machine only |
| `DEBUG` | error pages with source code, for development | off |
| `HTTPS` | redirect to HTTPS, HSTS, secure cookies | on, but for a site on this machine only |
| `MONITORING_TOKEN` | opens `/metrics`, and the figures of `/readyz`, to `Authorization: Bearer` | blank: staff only |
| `LOG_FORMAT` | `lines` for people, `json` for programs: one object a line | `lines` |

A site is *on this machine only* (a laptop, development) while `DEBUG` is on, or while it has no
`ALLOWED_HOSTS`, no `REDIS_URL` and an SQLite database. Then a secret key is generated once into
`.secret_key`; every other site must be given one.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
REDIS_URL = env.str("REDIS_URL", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])

# --- database -------------------------------------------------------------------------------

(BASE_DIR / "data").mkdir(exist_ok=True)
DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{BASE_DIR / 'data' / 'planner.sqlite3'}"
DATABASES: dict[str, dict[str, Any]] = {}
try:
    DATABASES["default"] = env.db_url_config(DATABASE_URL)
    DATABASES["default"]["ENGINE"]
except (KeyError, ValueError, ImproperlyConfigured) as error:
    raise ImproperlyConfigured(
        "DATABASE_URL can't be read. Give sqlite:////path/to/file or postgres://user:password@host:5432/name."
    ) from error
DATABASE_IS_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
# Writers queue for the lock at BEGIN instead of failing with "database is locked" halfway.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
if DATABASE_IS_SQLITE:
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    # Tests use several connections and processes: a database in memory would be empty in each.
    DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "data" / "test.sqlite3"}
else:
    # A server that is gone without a word must not hold a process for minutes. DATABASE_URL may say otherwise.
    DATABASES["default"]["OPTIONS"] = {"connect_timeout": "5", **DATABASES["default"].get("OPTIONS", {})}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- secrets and hosts ----------------------------------------------------------------------

THIS_MACHINE_ONLY = DEBUG or not (ALLOWED_HOSTS or REDIS_URL or not DATABASE_IS_SQLITE)
ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]


def generated_key(path: Path) -> str:
    """Return the key in `path`, made on first use and readable by its owner alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key


SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
if not SECRET_KEY:
    if not THIS_MACHINE_ONLY:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. A site with ALLOWED_HOSTS, REDIS_URL or a database server needs the same "
            "long random SECRET_KEY in the environment of every host."
        )
    SECRET_KEY = generated_key(BASE_DIR / ".secret_key")

HTTPS = env.bool("HTTPS", default=not THIS_MACHINE_ONLY)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- application ----------------------------------------------------------------------------

# The order matters: unfold replaces templates of the admin, so it comes first.
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "planner_site.desk.DeskConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_rq",
    "planning",
]
MIDDLEWARE = [
    "planning.api.probes.Probes",  # before anything that asks for a host name, HTTPS or a session
    "planning.api.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "planner_site.content_policy.ContentPolicy",
]
ROOT_URLCONF = "planner_site.urls"
WSGI_APPLICATION = "planner_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = None if THIS_MACHINE_ONLY else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "planner_site" / "static"]
WHITENOISE_USE_FINDERS = THIS_MACHINE_ONLY  # no collectstatic on a laptop
if not THIS_MACHINE_ONLY:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

# --- runs -----------------------------------------------------------------------------------

RQ_QUEUES = {
    name: {
        "URL": REDIS_URL or "redis://127.0.0.1:6379/0",
        "DEFAULT_TIMEOUT": 3600,
        "SERIALIZER": "planning.runs.messages.SignedJSON",  # never pickle: Redis is not trusted with code
        "QUEUE_CLASS": "planning.runs.queue.PlannerQueue",
    }
    for name in ("short", "long")
}
RQ = {
    "WORKER_CLASS": "planning.runs.worker.PlannerWorker",
    "JOB_CLASS": "planning.runs.queue.PlannerJob",
}
RQ_SHOW_ADMIN_LINK = False  # its dashboard lets every member of staff empty queues, whatever their rights
PLANNING: dict[str, Any] = {
    "RUNNER": "rq" if REDIS_URL else "local",  # who executes runs: workers of the queue, or child processes
    "MAX_COPY_BYTES": 64 * 2**20,  # a larger compressed model copy is refused
    "LOCAL_RUNS": max(1, (os.cpu_count() or 2) // 2),  # child processes at once; further runs wait
    "WHAT_IFS": 2,  # plans at once that processes have ready for what-ifs; who comes later waits for an idle one
    "MAX_SOLVER_BYTES": None,  # memory that the solver of one run may take; None: what the machine has
    "MAX_ATTEMPTS": 3,  # of a run whose process dies
    "SHORT_RUN_SECONDS": 60.0,  # runs up to this time limit go to the queue "short", others to "long"
    "START_METHOD": "fork" if sys.platform == "linux" else "spawn",  # of work-horses and solvers
    "DEFAULT_TIME_LIMIT": 300.0,  # seconds
    "DEFAULT_GAP": 1e-4,  # relative
}

# --- logs and monitoring --------------------------------------------------------------------

MONITORING_TOKEN = env.str("MONITORING_TOKEN", default="")
if MONITORING_TOKEN and len(MONITORING_TOKEN) < 20:
    raise ImproperlyConfigured("MONITORING_TOKEN is short enough to be guessed. Give 20 random characters or more.")

LOG_FORMAT = env.str("LOG_FORMAT", default="") or "lines"
if LOG_FORMAT not in ("lines", "json"):
    raise ImproperlyConfigured(f'LOG_FORMAT is "{LOG_FORMAT}". Give lines, or json for one object a line.')
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"facts": {"()": "planning.logs.AddFacts"}},
    "formatters": {
        "lines": {"()": "planning.logs.ReadableLines"},
        "json": {"()": "planning.logs.JSONLines"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["facts"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
        for name in ("planning", "django", "rq", "gunicorn.error")
    }
    | {"django.security.DisallowedHost": {"level": "CRITICAL"}},  # strangers who try addresses; they get 400
}

UNFOLD = {
    "SITE_TITLE": "Production planner",
    "SITE_HEADER": "Production planner",
    "SITE_SYMBOL": "factory",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("planner/favicon.svg")},
    ],
    "STYLES": [lambda request: static("planner/planner.css")],
    "SCRIPTS": [lambda request: static("planner/labels.js")],
    # The charts' blue. Its 500 and 600 keep 4.5:1 against the dark and the light page.
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
    "SHOW_HISTORY": True,
    "SITE_URL": reverse_lazy("admin:index"),
    "DASHBOARD_CALLBACK": "planning.admin.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "planning.admin.navigation.sidebar"},
}
